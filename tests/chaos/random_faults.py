"""Random kills by seed: ``python -m tests.chaos.random_faults --runs 100 --seed 1``. Prints a table in Markdown.

Each run is a scan of a small synthetic universe over one local Ray that has to live through all of them. Equal means
that every part of every table but ``runs`` has the bytes of an undisturbed run's; where a symbol can never be worked,
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
from tests.chaos.chaos_harness import Arena, Attack, Ending
from tests.chaos.faults import Crime

GRANULARITIES = ("shard",) * 7 + ("symbol",) * 2 + ("component",)
KILLS = {"shard": ("host", "host", "coordinator"), "symbol": ("host", "coordinator"), "component": ("component",)}


@dataclass
class Tally:
    """What happened under one granularity."""

    runs: int = 0
    equal: int = 0
    resumed: int = 0
    killed: Counter[str] = field(default_factory=Counter)
    crimes: Counter[str] = field(default_factory=Counter)
    hosts_lost: int = 0
    coordinators_lost: int = 0
    seconds: float = 0.0


def draw(chance: random.Random, number: int) -> tuple[str, int, int, Attack]:
    """Granularity, symbols, batch size and attack of one run."""
    granularity = chance.choice(GRANULARITIES)
    symbols = 1 if granularity == "component" else chance.randint(3, 8)
    kinds = [chance.choice(KILLS[granularity]) for _ in range(chance.randint(0 if number % 5 else 1, 2))]
    kills = tuple((kind, chance.uniform(0.0, 1.5)) for kind in kinds)
    if granularity == "component":
        return granularity, symbols, 1, Attack(kills=kills[:1], seconds=0.3)
    culprits = chance.sample(range(symbols), chance.choice((0, 0, 1, 2)))
    crimes: dict[str, Crime] = {f"SYN{number}": chance.choice(get_args(Crime)) for number in culprits}
    once = bool(crimes) and chance.random() < 0.4
    return granularity, symbols, chance.randint(1, 4), Attack(crimes, once=once, kills=kills, seconds=0.15)


def note(tally: Tally, attack: Attack, ending: Ending, differences: list[str], seconds: float) -> None:
    """Count one run."""
    tally.runs += 1
    tally.seconds += seconds
    tally.killed.update(ending.killed)
    tally.crimes.update(f"{crime}{' once' if attack.once else ''}" for crime in attack.crimes.values())
    tally.equal += not differences
    tally.resumed += ending.error is not None
    if ending.report is not None:
        tally.hosts_lost += ending.report.hosts_lost
        tally.coordinators_lost += ending.report.coordinators_lost


def storm(session: Session, runs: int, seed: int) -> tuple[dict[str, Tally], list[str]]:
    """The tallies by granularity, and a line on each run that did not end as it should have."""
    arena = Arena(max_attempts=2, batch_timeout_s=20.0, symbol_timeout_s=10.0)
    chance = random.Random(seed)  # noqa: S311 - kills by seed, not secrets
    tallies: dict[str, Tally] = {}
    wrong = []
    for number in range(runs):
        granularity, symbols, batch_size, attack = draw(chance, number)
        manifest = arena.manifest([f"SYN{i}" for i in range(symbols)], batch_size)
        started = monotonic_seconds()
        ending = arena.attack(session, granularity, manifest, attack)
        seconds = monotonic_seconds() - started
        if ending.error is not None:
            click.echo(f"run {number} is resumed after {ending.error}", err=True)
            arena.attack(session, granularity, manifest, replace(attack, kills=()), ending.ledger)
        differences = arena.differences(ending.ledger, manifest, attack.culprits)
        note(tallies.setdefault(granularity, Tally()), attack, ending, differences, seconds)
        verdict = str(differences or "equal")
        line = f"run {number}: {granularity}, {symbols} symbols, {attack}: killed {ending.killed}, {seconds:.1f} s"
        click.echo(f"{line}: {verdict}", err=True)
        if verdict != "equal":
            wrong.append(f"{line}: {verdict}")
    return tallies, wrong


def table(tallies: dict[str, Tally]) -> str:
    """The tallies in Markdown."""
    lines = [
        "| granularity | runs | ledgers equal | resumed after an error | killed from outside | symbols' crimes "
        "| hosts lost | coordinators lost | seconds a run |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for name, tally in sorted(tallies.items()):
        killed, crimes = (
            ", ".join(f"{count} {kind}" for kind, count in sorted(counter.items())) or "none"
            for counter in (tally.killed, tally.crimes)
        )
        lines.append(
            f"| {name} | {tally.runs} | {tally.equal} | {tally.resumed} | {killed} | {crimes} "
            f"| {tally.hosts_lost} | {tally.coordinators_lost} | {tally.seconds / tally.runs:.1f} |"
        )
    return "\n".join(lines)


@click.command()
@click.option("--runs", default=100, show_default=True)
@click.option("--seed", default=1, show_default=True)
def main(runs: int, seed: int) -> None:
    """Exit code 1 where a run did not end with the ledger that it should have."""
    logging.getLogger("actors").setLevel(logging.ERROR)
    cloudpickle.register_pickle_by_value(faults)  # type: ignore[no-untyped-call]
    with connect(None, 2) as session:
        tallies, wrong = storm(session, runs, seed)
    click.echo(table(tallies))
    for line in wrong:
        click.echo(line, err=True)
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
