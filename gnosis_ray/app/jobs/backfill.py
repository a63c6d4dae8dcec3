"""A backfill: the engines alone over a panel of symbols and earlier moments, for the history of features."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import polars as pl

from gnosis_ray.app.components import ConfiguredComponents
from gnosis_ray.app.features import feature_specs
from gnosis_ray.app.sources import build_adapter
from gnosis_ray.clock import Stopwatch, summed_by_stage
from gnosis_ray.config import Config
from gnosis_ray.errors import NoDataError
from gnosis_ray.ledger.rows import failures_frame
from gnosis_ray.ledger.run_writer import RunWriter
from gnosis_ray.ledger.tables import CONFIDENCE_COLUMNS, feature_columns
from gnosis_ray.market.calendar import SessionCalendar
from gnosis_ray.market.columns import KEYS
from gnosis_ray.market.keys import panel_keys
from gnosis_ray.pipeline.batch_pass import BatchPass, MeasuredBatch
from gnosis_ray.runs.worker import BatchResult, RunWorker
from gnosis_ray.schemas.run_schemas import Batch, Failure


@dataclass
class BackfillOutcome:
    """What the engines measured of some symbols: ``columns.KEYS`` and a column a feature."""

    features: pl.DataFrame
    failures: list[Failure] = field(default_factory=list)
    seconds: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class BackfillJob:
    """The engines over batches of symbols and moments: small, picklable, opened once in each host."""

    config: Config
    calendar: SessionCalendar
    writer: RunWriter

    def open(self) -> RunWorker[BackfillOutcome]:
        """Build the sources and the engines. Raises :class:`DataError` where the data cannot be opened."""
        return RunWorker(BackfillWork(self.config, self.calendar), self.writer)


class BackfillWork:
    """Measures batches of a :class:`BackfillJob`: one panel each."""

    def __init__(self, config: Config, calendar: SessionCalendar) -> None:
        self._pass = BatchPass(ConfiguredComponents(config), build_adapter(config, calendar), config)
        confidences = [CONFIDENCE_COLUMNS[kind] for kind in config.engines.enabled]
        self._columns = (*confidences, *feature_columns(feature_specs(config)))

    def compute(self, batch: Batch) -> BackfillOutcome:
        """The engines over the batch's panel. A key's error is a failure in the outcome."""
        watch = Stopwatch()
        measured = self._pass.measure(panel_keys(batch.symbols, batch.timestamps), watch)
        never_known = set(batch.symbols) - set(measured.keys["symbol"]) - {f.symbol for f in measured.failures}
        failures = [*measured.failures, *(_never_known(symbol, batch) for symbol in sorted(never_known))]
        return BackfillOutcome(_wide(measured, self._columns), failures, watch.seconds)

    def result(self, outcomes: Sequence[BackfillOutcome], failures: Sequence[Failure]) -> BatchResult:
        """The tables of a backfill."""
        empty = pl.DataFrame(schema={**KEYS, **dict.fromkeys(self._columns, pl.Float64())})
        every = sorted((*(f for o in outcomes for f in o.failures), *failures), key=lambda f: (f.symbol, f.stage))
        frames = {
            "features": pl.concat([empty, *(outcome.features for outcome in outcomes)], how="diagonal"),
            "failures": failures_frame(every),
        }
        return BatchResult(frames, tuple(every), seconds=summed_by_stage(outcome.seconds for outcome in outcomes))


def _wide(measured: MeasuredBatch, columns: Sequence[str]) -> pl.DataFrame:
    """One row a measured key, engine by engine beside each other; a feature that was not computed is null."""
    wide = measured.keys
    for engine in measured.engines:
        own = engine.frames.features
        named = {name: f"{engine.kind}__{name}" for name in own.columns if f"{engine.kind}__{name}" in columns}
        wide = wide.join(own.select(*KEYS, *named).rename(named), on=KEYS.names(), how="left")
    absent = [pl.lit(None, pl.Float64).alias(name) for name in columns if name not in wide.columns]
    return wide.with_columns(absent).select(*KEYS, *columns)


def _never_known(symbol: str, batch: Batch) -> Failure:
    first, last = batch.timestamps[0], batch.timestamps[-1]
    error = NoDataError(f"No chain and no bars known from {first:%Y-%m-%d} to {last:%Y-%m-%d}", symbol=symbol)
    return Failure.of(error, symbol=symbol, stage="load")
