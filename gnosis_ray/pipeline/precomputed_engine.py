"""An engine whose outputs were computed before, for a whole batch."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

import polars as pl

from gnosis_ray.engines.base import EngineFrames, FrameEngine
from gnosis_ray.errors import StageError
from gnosis_ray.market.columns import DETAILS
from gnosis_ray.market.frame_faults import column_fault
from gnosis_ray.schemas.core_schemas import EngineKind, EngineOutput, to_utc


class PrecomputedEngine:
    """A row look-up that stands for the engine which computed the rows."""

    def __init__(self, engine: FrameEngine, frames: EngineFrames) -> None:
        """Raises where a row is no valid :class:`EngineOutput`: a feature that is not finite, say."""
        self.kind: EngineKind = engine.kind
        self.requires = engine.requires
        self.frames = frames
        self._engine = engine
        self._outputs = {(o.symbol, o.timestamp): o for o in frames.outputs(engine.kind, engine.features)}

    def curves(self, upstream: Mapping[EngineKind, EngineFrames]) -> pl.DataFrame:
        """See :meth:`FrameEngine.curves`: of the rows that were computed with ``upstream``."""
        curves = self._engine.curves(self.frames, upstream)
        fault = column_fault(curves, DETAILS)
        if fault is not None:
            raise StageError(f"curves: {fault}", stage=f"engine.{self.kind}")
        return curves

    def run(self, symbol: str, now: datetime) -> EngineOutput:
        """The row of this symbol and timestamp. Raises :class:`StageError` where it was not computed."""
        timestamp = to_utc(now)
        if (symbol, timestamp) not in self._outputs:
            raise StageError(
                f"Nothing precomputed for {timestamp.isoformat()}", symbol=symbol, stage=f"engine.{self.kind}"
            )
        return self._outputs[symbol, timestamp]
