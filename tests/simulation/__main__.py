"""Simulated storage by seed: ``python -m tests.simulation --runs 10000 --seed 1``. Prints tables in Markdown.

Each seed is a run or some appends under faults that were drawn from it. It has to end in the rows of an undisturbed
one, in the end after errors that say what to do, or in an error that names damage; never in wrong or missing rows.
"""

from __future__ import annotations

import logging
import multiprocessing
import os
import sys
from collections import Counter
from collections.abc import Iterator
from typing import get_args

import click

from tests.simulation.mutations import MUTATIONS
from tests.simulation.outcomes import Ending, Outcome
from tests.simulation.seeds import SeedError, outcome_or_error

_CHUNK = 20
_SHOWN = 20
"""Failing seeds that are listed."""


def in_processes(seeds: range) -> Iterator[Outcome | SeedError]:
    """The outcomes of many seeds, on all cores, in any order."""
    os.environ["POLARS_MAX_THREADS"] = "1"  # of the processes that are started: each has a core
    with multiprocessing.get_context("spawn").Pool(initializer=_be_quiet) as pool:
        yield from pool.imap_unordered(outcome_or_error, seeds, chunksize=min(_CHUNK, len(seeds)))


def _be_quiet() -> None:
    """No log lines, and nothing of Polars, which reports each flipped bit that makes it panic."""
    logging.disable(logging.CRITICAL)
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stderr.fileno())


def table_of(outcomes: list[Outcome]) -> str:
    """How seeds ended, by what was simulated and by what went wrong in them."""
    endings = get_args(Ending)
    groups: dict[str, list[Outcome]] = {}
    for outcome in outcomes:
        groups.setdefault(outcome.scenario, []).append(outcome)
    for kind in sorted({kind for outcome in outcomes for kind in outcome.fired}):
        groups[kind] = [outcome for outcome in outcomes if kind in outcome.fired]
    lines = [f"| | seeds | {' | '.join(endings)} | errors on the way |", "|---|---|" + "---|" * (len(endings) + 1)]
    for name, members in groups.items():
        counts = Counter(outcome.ending for outcome in members)
        errors = Counter(error for outcome in members for error in outcome.errors)
        named = ", ".join(f"{count} {error}" for error, count in sorted(errors.items())) or "none"
        lines.append(f"| {name} | {len(members)} | {' | '.join(str(counts[one]) for one in endings)} | {named} |")
    return "\n".join(lines)


def found_mutations() -> list[str]:
    """The mutations, each with whether its seed has found it."""
    lines = []
    for mutation in MUTATIONS:
        outcome_or_error(mutation.seed)  # what is remembered of undisturbed runs is of the code as it is
        with mutation.applied():
            found = isinstance(outcome_or_error(mutation.seed), SeedError)
        lines.append(f"{'found' if found else 'NOT FOUND'}: {mutation.name} (seed {mutation.seed})")
    return lines


@click.command()
@click.option("--runs", default=10_000, show_default=True)
@click.option("--seed", default=1, show_default=True)
def main(runs: int, seed: int) -> None:
    """Exit code 1 where a seed did not end as it has to, or a mutation was not found."""
    logging.disable(logging.CRITICAL)
    failed: list[SeedError] = []
    outcomes: list[Outcome] = []
    with click.progressbar(in_processes(range(seed, seed + runs)), length=runs, file=sys.stderr) as results:
        for result in results:
            if isinstance(result, SeedError):
                failed.append(result)
            else:
                outcomes.append(result)
    click.echo(table_of(outcomes))
    mutations = found_mutations() if runs > 1 else []
    for line in mutations:
        click.echo(line)
    for error in sorted(failed, key=lambda one: one.seed)[:_SHOWN]:
        click.echo(f"{error.steps}\n{error}" if runs == 1 else str(error), err=True)
    click.echo(f"{len(failed)} of {runs} seeds failed", err=True)
    sys.exit(1 if failed or any(line.startswith("NOT") for line in mutations) else 0)


if __name__ == "__main__":
    main()
