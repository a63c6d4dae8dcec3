"""What an engine is: one definition of each feature, for one symbol or a million rows."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import ClassVar, Protocol, runtime_checkable

import polars as pl

from gnosis_ray.market.columns import DETAILS, HEADLINES, KEYS
from gnosis_ray.market.data_requirements import DataRequirements
from gnosis_ray.market.keys import one_key
from gnosis_ray.schemas.core_schemas import EngineKind, EngineOutput
from gnosis_ray.schemas.feature_spec import FeatureSpec

META_PREFIX = "meta__"
"""Columns of an engine's frame that start so become entries of ``metadata``."""


EngineData = Mapping[str, pl.DataFrame]
"""The market tables that an engine reads, by name (``chains``, ``bars``...)."""


@dataclass(frozen=True)
class EngineFrames:
    """What an engine computed for a batch of keys.

    ``features``: one row a key, in the keys' order: ``symbol, timestamp``, one f64 column a feature (null where
    absent), ``confidence`` in [0, 1], ``regime`` (null or a name) and ``meta__*`` strings; ``meta__degraded`` holds
    comma-separated reasons. ``details``: what a float cannot carry, ``columns.DETAILS``. ``headlines``: the items of
    news that were scored, ``columns.HEADLINES``.
    """

    features: pl.DataFrame
    details: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=DETAILS))
    headlines: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=HEADLINES))

    def outputs(self, kind: EngineKind, specs: tuple[FeatureSpec, ...]) -> Iterator[EngineOutput]:
        """One contract a row, nulls left out."""
        names = [spec.name for spec in specs]
        meta = [c for c in self.features.columns if c.startswith(META_PREFIX)]
        for row in self.features.iter_rows(named=True):
            yield EngineOutput(
                kind=kind,
                symbol=row["symbol"],
                timestamp=row["timestamp"],
                features={n: row[n] for n in names if row[n] is not None},
                confidence=row["confidence"],
                regime=row["regime"],
                metadata={m.removeprefix(META_PREFIX): row[m] for m in meta if row[m] is not None},
            )


@runtime_checkable
class Engine(Protocol):
    """The contract that the pipeline needs.

    ``kind`` and ``requires`` may be stated as attributes, as :class:`FrameEngine` does: stages are then named by the
    kind, and the engine runs after those that it requires. The output states its kind in any case.
    """

    def run(self, symbol: str, now: datetime) -> EngineOutput:
        """Measure one symbol as of ``now``."""
        ...


class FrameEngine(ABC):
    """An engine that computes a whole batch at once; one symbol is a batch of one."""

    kind: ClassVar[EngineKind]
    requires: ClassVar[tuple[EngineKind, ...]] = ()
    features: ClassVar[tuple[FeatureSpec, ...]]
    data_requirements: DataRequirements = DataRequirements()
    """What ``load`` reads, by this engine's own settings: a batch is read once, as far back as its engines need."""

    @abstractmethod
    def load(self, keys: pl.DataFrame) -> EngineData:
        """Read, through the adapter, the tables that ``compute`` needs for these keys."""

    @abstractmethod
    def compute(
        self, keys: pl.DataFrame, data: EngineData, upstream: Mapping[EngineKind, EngineFrames]
    ) -> EngineFrames:
        """One row a key. Pure: the same inputs give the same bits."""

    def curves(self, own: EngineFrames, upstream: Mapping[EngineKind, EngineFrames]) -> pl.DataFrame:  # noqa: ARG002
        """Curves behind the features that :meth:`compute` returned as ``own`` for ``upstream``: ``columns.DETAILS``.

        They are for a ledger's readers: no engine and no agent reads them, and a panel of many moments goes without.
        """
        return pl.DataFrame(schema=DETAILS)

    def empty(self) -> EngineFrames:
        """No row, the right columns."""
        numbers = dict.fromkeys([*(spec.name for spec in self.features), "confidence"], pl.Float64)
        return EngineFrames(pl.DataFrame(schema={**KEYS, **numbers, "regime": pl.String}))

    def assemble(self, rows: pl.DataFrame, details: pl.DataFrame | None = None) -> EngineFrames:
        """The engine's frames from measured rows: declared features as f64, ``confidence``, ``regime``, ``meta__*``.

        All of these must be among the columns of ``rows``; others are dropped.
        """
        features = [pl.col(spec.name).cast(pl.Float64) for spec in self.features]
        meta = [name for name in rows.columns if name.startswith(META_PREFIX)]
        frame = rows.select(*KEYS, *features, "confidence", "regime", *meta)
        return EngineFrames(frame) if details is None else EngineFrames(frame, details)

    def frames(self, keys: pl.DataFrame, upstream: Mapping[EngineKind, EngineFrames] | None = None) -> EngineFrames:
        """``load`` and ``compute``."""
        return self.compute(keys, self.load(keys), upstream or {})

    def run(
        self, symbol: str, now: datetime, upstream: Mapping[EngineKind, EngineFrames] | None = None
    ) -> EngineOutput:
        """One symbol: the batch of one."""
        return next(self.frames(one_key(symbol, now), upstream).outputs(self.kind, self.features))
