"""All engines over the universe in one batch, from the store's files to features, against reading those files."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from statistics import median

from benchmarks.market import Market
from benchmarks.report import Row
from benchmarks.timing import seconds_of
from gnosis_ray.app.components import ConfiguredComponents
from gnosis_ray.market.keys import keys_at
from gnosis_ray.pipeline.batch_pass import BatchPass
from gnosis_ray.schemas.core_schemas import DataKind

ROUNDS = 9
FILES: tuple[DataKind, ...] = ("chains", "bars")


def rows(market: Market, _scratch: Path) -> Iterator[Row]:
    """The whole, and what its reading and each engine take of it; agents, which the pass asks too, are left out."""
    yardstick: list[float] = []
    passes: list[dict[str, float]] = []
    for turn in range(ROUNDS + 1):
        read = [seconds_of(partial(market.read_and_sum, kind)) for kind in FILES]
        stages = _stages(market)
        if turn > 0:
            yardstick.append(sum(read))
            passes.append(stages)
    whole = median(sum(stages.values()) for stages in passes)
    yield Row(
        f"{len(passes[0]) - 1} engines, {len(market.symbols)} symbols in one batch: store to features",
        whole,
        f"Polars reads and sums the same {' and '.join(FILES)}",
        median(yardstick),
        note="aim: within 60; liquidity from bars alone",
    )
    for stage in passes[0]:
        taken = median(stages[stage] for stages in passes)
        yield Row(f"  stage: {stage}", taken, note=f"{taken / whole:.0%}")


def _stages(market: Market) -> dict[str, float]:
    """Seconds of one pass, as a scan makes it: reading, then each engine."""
    batch_pass = BatchPass(ConfiguredComponents(market.config), market.adapter(), market.config)
    seconds = batch_pass.run(keys_at(market.symbols, market.as_of)).seconds
    return {stage: s for stage, s in seconds.items() if stage == "load" or stage.startswith("engine.")}
