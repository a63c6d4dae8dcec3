"""A whole warm pass in this process (read, engines, agents, ledger) against reading the files."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from benchmarks.engines import FILES
from benchmarks.market import Market
from benchmarks.passes import one_pass, warm_passes
from benchmarks.report import Row
from benchmarks.timing import alternate
from gnosis_ray.fanout import InlineFanout

ROUNDS = 5


def rows(market: Market, scratch: Path) -> Iterator[Row]:
    """The pass, and the stages that its own receipts name."""
    fanout = InlineFanout(market.config.run.max_attempts)
    seconds = alternate(
        {
            "yardstick": lambda: [market.read_and_sum(kind) for kind in FILES],
            "pass": lambda: one_pass(market, fanout, scratch),
        },
        ROUNDS,
    )
    yield Row(
        f"whole warm pass inline, {len(market.symbols)} symbols in batches of {market.config.run.batch_size}",
        seconds["pass"],
        f"Polars reads and sums the same {' and '.join(FILES)}",
        seconds["yardstick"],
        note="aim: within 100",
    )
    passes = warm_passes(market, fanout, scratch, passes=2)
    for stage, taken in passes.stages.items():
        yield Row(f"  stage: {stage}", taken, note=f"{taken / passes.elapsed:.0%}")
    rest = passes.elapsed - passes.worked
    yield Row("  stage: the rest", rest, note=f"{rest / passes.elapsed:.0%}")
