"""``python -m benchmarks [ROW ...]``: measure the rows named, or all, and print what came of it."""

from __future__ import annotations

import os

# Polars sizes its thread pool once, when it is imported: every side of every ratio gets the same.
os.environ.setdefault("POLARS_MAX_THREADS", "1")

import argparse
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from benchmarks import (
    cold_scan,
    data,
    engines,
    hedge,
    integrity,
    panel,
    ray_shard,
    same_bits,
    solver,
    vollib_loop,
    whole_pass,
)
from benchmarks.market import Market, prepare
from benchmarks.report import Row, show, talk

ROWS: dict[str, Callable[[Market, Path], Iterator[Row]]] = {
    "engines": engines.rows,
    "hedge": hedge.rows,
    "vollib": vollib_loop.rows,
    "solver": solver.rows,
    "panel": panel.rows,
    "pass": whole_pass.rows,
    "shard": ray_shard.rows,
    "scan": cold_scan.rows,
    "bits": same_bits.rows,
    "data": data.rows,
    "integrity": integrity.rows,
}


def main() -> int:
    """Measure and print; the exit code is 0 whatever the figures are."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("row", nargs="*", choices=[[], *ROWS], help=f"which of {', '.join(ROWS)}; default: all")
    wanted = parser.parse_args().row or list(ROWS)
    with tempfile.TemporaryDirectory(prefix="gnosis-ray-bench-") as folder:
        scratch = Path(folder)
        market = prepare(scratch / "market")
        talk(f"Market: {market.name}. Polars threads: {os.environ['POLARS_MAX_THREADS']}, on every side.")
        measured = []
        for name in wanted:
            talk(f"measuring {name} ...")
            measured += list(ROWS[name](market, scratch / name))
    show(measured, market)
    return 0


if __name__ == "__main__":
    sys.exit(main())
