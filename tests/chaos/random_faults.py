"""Random kills by seed: ``python -m tests.chaos.random_faults --runs 100 --seed 1``. Prints a table in Markdown.

Each run is a scan of a small synthetic universe over one local Ray that has to survive all of them. Equal means
that every part of every table but ``runs`` has the bytes of an undisturbed run's; where a symbol can never be computed,
that its only row is a failure and all other rows have equal bits. A run that ends with an error is resumed, as its user
would, and must be equal then.
"""

from __future__ import annotations

import logging
import random
import sys
from collections import Counter
from dataclasses import dataclass, field, replace
from typing import get_args

import click
from ray import cloudpickle

from cluster.session import Session, connect
from gnosis_ray.clock import monotonic_seconds
from tests.chaos import faults
from tests.chaos.chaos_harness import ChaosHarness, FaultPlan, FaultRun
from tests.chaos.faults import SymbolFault

GRANULARITIES = ("shard",) * 7 + ("symbol",) * 2 + ("component",)
KILLS = {"shard": ("host", "host", "coordinator"), "symbol": ("host", "coordinator"), "component": ("component",)}


@dataclass
class RunCounts:
    """What happened under one granularity."""

    runs: int = 0
    equal: int = 0
    resumed: int = 0
    killed: Counter[str] = field(default_factory=Counter)
    symbol_faults: Counter[str] = field(default_factory=Counter)
    hosts_lost: int = 0
    coordinators_lost: int = 0
    seconds: float = 0.0


def draw(chance: random.Random, number: int) -> tuple[str, int, int, FaultPlan]:
    """Granularity, symbols, batch size and faults of one run."""
    granularity = chance.choice(GRANULARITIES)
    symbols = 1 if granularity == "component" else chance.randint(3, 8)
    kinds = [chance.choice(KILLS[granularity]) for _ in range(chance.randint(0 if number % 5 else 1, 2))]
    kills = tuple((kind, chance.uniform(0.0, 1.5)) for kind in kinds)
    if granularity == "component":
        return granularity, symbols, 1, FaultPlan(kills=kills[:1], seconds=0.3)
    failing_symbols = chance.sample(range(symbols), chance.choice((0, 0, 1, 2)))
    symbol_faults: dict[str, SymbolFault] = {
        f"SYN{failing}": chance.choice(get_args(SymbolFault)) for failing in failing_symbols
    }
    once = bool(symbol_faults) and chance.random() < 0.4
    return granularity, symbols, chance.randint(1, 4), FaultPlan(symbol_faults, once=once, kills=kills, seconds=0.15)


def note(counts: RunCounts, plan: FaultPlan, outcome: FaultRun, differences: list[str], seconds: float) -> None:
    """Count one run."""
    counts.runs += 1
    counts.seconds += seconds
    counts.killed.update(outcome.killed)
    counts.symbol_faults.update(f"{fault}{' once' if plan.once else ''}" for fault in plan.symbol_faults.values())
    counts.equal += not differences
    counts.resumed += outcome.error is not None
    if outcome.report is not None:
        counts.hosts_lost += outcome.report.hosts_lost
        counts.coordinators_lost += outcome.report.coordinators_lost


def run_random_faults(session: Session, runs: int, seed: int) -> tuple[dict[str, RunCounts], list[str]]:
    """The counts by granularity, and a line on each run whose ledger is wrong."""
    harness = ChaosHarness(max_attempts=2, batch_timeout_s=20.0, symbol_timeout_s=10.0)
    chance = random.Random(seed)  # noqa: S311 - kills by seed, not secrets
    counts_by_granularity: dict[str, RunCounts] = {}
    wrong = []
    for number in range(runs):
        granularity, symbols, batch_size, plan = draw(chance, number)
        manifest = harness.manifest([f"SYN{i}" for i in range(symbols)], batch_size)
        started = monotonic_seconds()
        outcome = harness.run(session, granularity, manifest, plan)
        seconds = monotonic_seconds() - started
        if outcome.error is not None:
            click.echo(f"run {number} is resumed after {outcome.error}", err=True)
            harness.run(session, granularity, manifest, replace(plan, kills=()), outcome.ledger)
        differences = harness.differences(outcome.ledger, manifest, plan.failing_symbols)
        note(counts_by_granularity.setdefault(granularity, RunCounts()), plan, outcome, differences, seconds)
        verdict = str(differences or "equal")
        line = f"run {number}: {granularity}, {symbols} symbols, {plan}: killed {outcome.killed}, {seconds:.1f} s"
        click.echo(f"{line}: {verdict}", err=True)
        if verdict != "equal":
            wrong.append(f"{line}: {verdict}")
    return counts_by_granularity, wrong


def table(counts_by_granularity: dict[str, RunCounts]) -> str:
    """The counts in Markdown."""
    lines = [
        "| granularity | runs | ledgers equal | resumed after an error | killed from outside | symbol faults "
        "| hosts lost | coordinators lost | seconds a run |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for name, counts in sorted(counts_by_granularity.items()):
        killed, symbol_faults = (
            ", ".join(f"{count} {kind}" for kind, count in sorted(counter.items())) or "none"
            for counter in (counts.killed, counts.symbol_faults)
        )
        lines.append(
            f"| {name} | {counts.runs} | {counts.equal} | {counts.resumed} | {killed} | {symbol_faults} "
            f"| {counts.hosts_lost} | {counts.coordinators_lost} | {counts.seconds / counts.runs:.1f} |"
        )
    return "\n".join(lines)


@click.command()
@click.option("--runs", default=100, show_default=True)
@click.option("--seed", default=1, show_default=True)
def main(runs: int, seed: int) -> None:
    """Exit code 1 where a run did not end with the right ledger."""
    logging.getLogger("actors").setLevel(logging.ERROR)
    cloudpickle.register_pickle_by_value(faults)  # type: ignore[no-untyped-call]
    with connect(None, 2) as session:
        counts_by_granularity, wrong = run_random_faults(session, runs, seed)
    click.echo(table(counts_by_granularity))
    for line in wrong:
        click.echo(line, err=True)
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
