"""``gnosis-ray scan`` from the start of its process to its end, by stage."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from statistics import median

from benchmarks.market import Market
from benchmarks.report import Row
from benchmarks.timing import seconds_of
from gnosis_ray.config import as_of_text
from gnosis_ray.ledger.ledger_store import LedgerStore

ROUNDS = 3
DONE = (0, 3)
"""Exit codes of a scan that came to its end: without and with failed symbols."""

IN_PASS = ("load", "engine.", "agents", "ledger")
"""Stages that hosts measure, in sum; the driver measures the others."""


def rows(market: Market, scratch: Path) -> Iterator[Row]:
    """Scans on a local Ray and without it, alternating; the aim is for two cores."""
    taken: dict[str, list[float]] = {"auto": [], "inline": []}
    ledgers = {granularity: scratch / granularity for granularity in taken}
    for _ in range(ROUNDS):
        for granularity, seconds in taken.items():
            seconds.append(seconds_of(partial(_scan, market, granularity, ledgers[granularity])))
    for granularity, note in (("auto", "aim: under 20 s on two cores, Ray's own start included"), ("inline", "no Ray")):
        yield Row(f"cold scan, --granularity {granularity}", median(taken[granularity]), note=note)
        yield from _stages(ledgers[granularity], taken[granularity])


def _scan(market: Market, granularity: str, ledger: Path) -> None:
    script = Path(sys.executable).with_name("gnosis-ray")
    command = [str(script), "scan", "--provider", "store"]
    command += ["--data-dir", str(market.root), "--as-of", as_of_text(market.as_of)]
    command += ["--granularity", granularity, "--out", str(ledger), "--format", "json"]
    done = subprocess.run(command, capture_output=True, text=True, env=_environment(ledger), check=False)
    if done.returncode not in DONE:
        raise RuntimeError(f"{' '.join(command)} ended with {done.returncode}: {done.stderr}")


def _environment(ledger: Path) -> dict[str, str]:
    """This one, with a home of its own: a user's profiles are not measured."""
    return {**os.environ, "GNOSIS_RAY_HOME": str(ledger.parent / "home")}


def _stages(ledger: Path, taken: list[float]) -> Iterator[Row]:
    """Medians of what the receipts say; the rest is imports, host starts, Ray's end, and printing."""
    receipts = LedgerStore(ledger).runs()
    hosts = receipts[0].hosts
    stages = {stage: median(r.seconds[stage] for r in receipts) for stage in receipts[0].seconds}
    wall = {stage: s / hosts if stage.startswith(IN_PASS) else s for stage, s in stages.items()}
    for stage, seconds in wall.items():
        shared = stage.startswith(IN_PASS) and hosts > 1
        yield Row(f"  stage: {stage}", seconds, note=f"sum over {hosts} hosts, divided by {hosts}" if shared else "")
    yield Row(
        "  stage: the rest", median(taken) - sum(wall.values()), note="imports, starting hosts, ending Ray, printing"
    )
