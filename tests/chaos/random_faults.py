"""Random faults by seed: ``python -m tests.chaos.random_faults --runs 100 --seed 1``. Prints two tables in Markdown.

Each run is a scan of a small synthetic universe: two of five as a command in a process of its own, whose driver or
whose Ray is the victim (driver_faults.py), the others over one local Ray that has to survive all of them, one in ten of
them a live scan whose gateway is killed (gateway_faults.py). Equal means
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
from tests.chaos.driver_faults import KINDS, LATEST_S, DriverOutcome, run_driver_fault, table_of_drivers
from tests.chaos.faults import SymbolFault
from tests.chaos.gateway_faults import GatewayOutcome, run_gateway_fault

GRANULARITIES = ("shard",) * 7 + ("symbol",) * 2 + ("component",)
KILLS = {
    "shard": ("host", "host", "coordinator", "stopped host"),
    "symbol": ("host", "coordinator"),
    "component": ("component",),
}


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


Counts = dict[str, RunCounts]
"""By granularity."""


def draw(chance: random.Random, number: int, stop_s: float) -> tuple[str, int, int, FaultPlan]:
    """Granularity, symbols, batch size and faults of one run over the Ray that all share."""
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
    plan = FaultPlan(symbol_faults, once=once, kills=kills, seconds=0.15, stop_s=stop_s)
    return granularity, symbols, chance.randint(1, 4), plan


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


def one_over_shared_ray(
    session: Session, harness: ChaosHarness, chance: random.Random, number: int, stop_s: float, counted: Counts
) -> str:
    """A run over the Ray that all share, counted; a line on it where its ledger is wrong, else nothing."""
    granularity, symbols, batch_size, plan = draw(chance, number, stop_s)
    manifest = harness.manifest([f"SYN{i}" for i in range(symbols)], batch_size)
    started = monotonic_seconds()
    outcome = harness.run(session, granularity, manifest, plan)
    seconds = monotonic_seconds() - started
    if outcome.error is not None:
        click.echo(f"run {number} is resumed after {outcome.error}", err=True)
        harness.run(session, granularity, manifest, replace(plan, kills=()), outcome.ledger)
    differences = harness.differences(outcome.ledger, manifest, plan.failing_symbols)
    note(counted.setdefault(granularity, RunCounts()), plan, outcome, differences, seconds)
    line = f"run {number}: {granularity}, {symbols} symbols, {plan}: killed {outcome.killed}, {seconds:.1f} s"
    click.echo(f"{line}: {differences or 'equal'}", err=True)
    return f"{line}: {differences}" if differences else ""


def one_of_its_own(chance: random.Random, number: int, counted: dict[str, list[DriverOutcome]]) -> str:
    """A run as a command whose driver or Ray is the victim, counted; a line on it where its end is wrong."""
    kind = chance.choice(KINDS)
    outcome = run_driver_fault(kind, chance.uniform(0.0, LATEST_S), chance.randint(1, 3))
    counted.setdefault(kind, []).append(outcome)
    line = f"run {number}: {kind}, {outcome}"
    click.echo(line, err=True)
    return "" if outcome.right else line


def one_live(chance: random.Random, number: int, counted: list[GatewayOutcome]) -> str:
    """A live scan whose gateway is killed, counted; a line on it where its end is wrong."""
    outcome = run_gateway_fault(chance.randint(1, 15))
    counted.append(outcome)
    line = f"run {number}: gateway, {outcome}"
    click.echo(line, err=True)
    return "" if outcome.right else line


def run_random_faults(session: Session, runs: int, seed: int, stop_s: float) -> tuple[str, list[str]]:
    """The tables, and a line on each run whose end or whose ledger is wrong."""
    harness = ChaosHarness(max_attempts=2, batch_timeout_s=20.0, symbol_timeout_s=10.0)
    chance = random.Random(seed)  # noqa: S311 - kills by seed, not secrets
    shared: Counts = {}
    own: dict[str, list[DriverOutcome]] = {}
    live: list[GatewayOutcome] = []
    wrong = []
    for number in range(runs):
        if number % 5 in (1, 3):
            wrong.append(one_of_its_own(chance, number, own))
        elif number % 10 == 2:
            wrong.append(one_live(chance, number, live))
        else:
            wrong.append(one_over_shared_ray(session, harness, chance, number, stop_s, shared))
    gateways = f"Gateways killed: {sum(one.killed for one in live)} of {len(live)}, right: {sum(o.right for o in live)}"
    return f"{table(shared)}\n\n{table_of_drivers(own)}\n\n{gateways}", [line for line in wrong if line]


def table(counts_by_granularity: Counts) -> str:
    """The counts of runs over the shared Ray, in Markdown."""
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
@click.option("--stop", default=60.0, show_default=True, help="Seconds for which a host is stopped.")
def main(runs: int, seed: int, stop: float) -> None:
    """Exit code 1 where a run did not end with the right ledger."""
    logging.getLogger("actors").setLevel(logging.ERROR)
    cloudpickle.register_pickle_by_value(faults)  # type: ignore[no-untyped-call]
    with connect(None, 2) as session:
        tables, wrong = run_random_faults(session, runs, seed, stop)
    click.echo(tables)
    for line in wrong:
        click.echo(line, err=True)
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
