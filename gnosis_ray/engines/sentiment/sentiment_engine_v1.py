"""SentimentEngineV1: what headlines say, options are bought for and prices chase, as one mood."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

import polars as pl

from gnosis_ray.config import SentimentConfig
from gnosis_ray.engines.base import META_PREFIX, EngineData, EngineFrames, FeatureSpec, FrameEngine
from gnosis_ray.engines.sentiment.features import FLOW_FEATURES, NEWS_FEATURES, SENTIMENT_FEATURES
from gnosis_ray.engines.sentiment.fusion import fused
from gnosis_ray.engines.sentiment.frame_processor import VOICES, FrameProcessor, SentimentProcessor, lifted
from gnosis_ray.errors import ConfigError
from gnosis_ray.market.columns import KEYS
from gnosis_ray.schemas.core_schemas import EngineKind

_OWN = tuple(spec.name for spec in NEWS_FEATURES + FLOW_FEATURES)


class SentimentEngineV1(FrameEngine):
    """Fuses voices: any of news, flow and technical, each at most once.

    A voice's table is its own (``data[voice]``). ``meta__degraded`` names faults of the data; ``meta__absent`` names
    what the world did not say (``no_news``, ``no_option_volume``), which is no fault, though it lowers the confidence.
    """

    kind: ClassVar[EngineKind] = "sentiment"
    features: ClassVar[tuple[FeatureSpec, ...]] = SENTIMENT_FEATURES

    def __init__(self, processors: Sequence[FrameProcessor | SentimentProcessor], config: SentimentConfig) -> None:
        """Raises :class:`ConfigError` where there is no voice, an unknown one, or one twice."""
        voices = [lifted(processor) for processor in processors]
        names = [voice.name for voice in voices]
        if not names or len(set(names)) < len(names):
            raise ConfigError(f"Expected each sentiment voice at most once and one at least, was {names}")
        self._voices = sorted(voices, key=lambda voice: VOICES.index(voice.name))
        self._config = config

    def load(self, keys: pl.DataFrame) -> EngineData:
        """One table a voice, by its name."""
        return {voice.name: voice.load(keys) for voice in self._voices}

    def compute(
        self,
        keys: pl.DataFrame,
        data: EngineData,
        upstream: Mapping[EngineKind, EngineFrames],  # noqa: ARG002 - reads no other engine
    ) -> EngineFrames:
        """One row a key; see :data:`SENTIMENT_FEATURES` for the columns."""
        parts = [_heard(voice, voice.judge(keys, data[voice.name])) for voice in self._voices]
        rows = pl.concat([keys.select(KEYS.names()), *parts], how="horizontal")
        silent = [spec.name for spec in SENTIMENT_FEATURES if spec.name not in rows.columns]
        rows = rows.with_columns(pl.lit(None, pl.Float64).alias(name) for name in silent)
        rows = fused(_with_items(rows), len(self._voices), self._config)
        rows = rows.with_columns(self._said("degraded"), self._said("absent"))
        numbers = [pl.col(spec.name).cast(pl.Float64) for spec in SENTIMENT_FEATURES]
        meta = [f"{META_PREFIX}{name}" for name in ("voices", "degraded", "absent")]
        return EngineFrames(rows.select(*KEYS, *numbers, "confidence", "regime", *meta))

    def _said(self, what: str) -> pl.Expr:
        """The voices' reasons, comma-separated; null where there is none."""
        text = pl.concat_str([f"{voice.name}_{what}" for voice in self._voices], separator=",", ignore_nulls=True)
        return pl.when(text != "").then(text).alias(f"{META_PREFIX}{what}")


def _heard(voice: FrameProcessor, judged: pl.DataFrame) -> pl.DataFrame:
    """A judgement under the voice's own column names, without keys; a silent voice has no confidence either."""
    own = [name for name in _OWN if name in judged.columns]
    return judged.select(
        pl.col("score").alias(f"{voice.name}_sentiment_score"),
        pl.when(pl.col("score").is_not_null()).then("confidence").alias(f"{voice.name}_sentiment_confidence"),
        *own,
        pl.col("degraded").alias(f"{voice.name}_degraded"),
        pl.col("absent").alias(f"{voice.name}_absent"),
    )


def _with_items(rows: pl.DataFrame) -> pl.DataFrame:
    """A news voice that does not count its items has one where it speaks."""
    spoke = pl.when(pl.col("news_sentiment_score").is_not_null()).then(1.0)
    return rows.with_columns(news_items=pl.coalesce("news_items", spoke))
