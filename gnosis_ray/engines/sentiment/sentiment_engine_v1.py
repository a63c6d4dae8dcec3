"""SentimentEngineV1: the sentiment of news, option flow and prices, fused into one score."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import ClassVar

import polars as pl

from gnosis_ray.config import SentimentConfig
from gnosis_ray.engines.base import META_PREFIX, EngineData, EngineFrames, FrameEngine
from gnosis_ray.engines.sentiment.features import FLOW_FEATURES, NEWS_FEATURES, SENTIMENT_FEATURES
from gnosis_ray.engines.sentiment.frame_processor import (
    SENTIMENT_SOURCES,
    FrameProcessor,
    SentimentProcessor,
    adapted,
    checked_scores,
)
from gnosis_ray.engines.sentiment.fusion import fuse
from gnosis_ray.engines.shared.bar_statistics import BAR_LOOKBACK
from gnosis_ray.engines.shared.reasons import joined
from gnosis_ray.errors import ConfigError
from gnosis_ray.market.columns import KEYS
from gnosis_ray.market.data_requirements import DataRequirements, merge_requirements
from gnosis_ray.schemas.core_schemas import EngineKind
from gnosis_ray.schemas.feature_spec import FeatureSpec

_OWN = tuple(spec.name for spec in NEWS_FEATURES + FLOW_FEATURES)


class SentimentEngineV1(FrameEngine):
    """Fuses the scores of its processors: any of news, flow and technical, each at most once.

    Each processor has a table of its own (``data[source]``). ``meta__degraded`` names faults of the data;
    ``meta__absent`` names what did not happen (``no_news``, ``no_option_volume``): no fault, but it lowers the
    confidence.

    Parameters
    ----------
    processors
        One for each source, of single symbols or of batches.
    config
        ``config.engines.sentiment``: weights and windows.

    Raises
    ------
    ConfigError
        Where there is no processor, or a source is unknown or comes twice.

    Examples
    --------
    >>> import gnosis_ray as gr
    >>> class Optimist:
    ...     name = "news"
    ...
    ...     def compute(self, symbol, now):
    ...         return 0.5, 0.8
    >>> config = gr.load_config()
    >>> engine = gr.SentimentEngineV1([Optimist()], config.engines.sentiment)
    >>> engine.run("AAPL", config.data.synthetic.as_of).features["sentiment_score"]
    0.5
    """

    kind: ClassVar[EngineKind] = "sentiment"
    features: ClassVar[tuple[FeatureSpec, ...]] = SENTIMENT_FEATURES

    def __init__(self, processors: Sequence[FrameProcessor | SentimentProcessor], config: SentimentConfig) -> None:
        frames = [adapted(processor) for processor in processors]
        names = [processor.name for processor in frames]
        if not names or len(set(names)) < len(names):
            raise ConfigError(f"Expected each sentiment source at most once and one at least, was {names}")
        self._processors = sorted(frames, key=lambda processor: SENTIMENT_SOURCES.index(processor.name))
        self._config = config
        undeclared = DataRequirements(BAR_LOOKBACK, news_hours=config.news.lookback_hours)
        self.data_requirements = merge_requirements(p.data_requirements or undeclared for p in self._processors)

    def load(self, keys: pl.DataFrame) -> EngineData:
        """One table a processor, by its source."""
        return {processor.name: processor.load(keys) for processor in self._processors}

    def compute(
        self,
        keys: pl.DataFrame,
        data: EngineData,
        upstream: Mapping[EngineKind, EngineFrames],  # noqa: ARG002 - reads no other engine
    ) -> EngineFrames:
        """One row a key; see :data:`SENTIMENT_FEATURES` for the columns."""
        scored = [(p, *checked_scores(p, keys, data[p.name])) for p in self._processors]
        parts = [_named_columns(processor, scores) for processor, scores, _ in scored]
        rows = pl.concat([keys.select(KEYS.names()), *parts], how="horizontal")
        silent = [spec.name for spec in SENTIMENT_FEATURES if spec.name not in rows.columns]
        rows = rows.with_columns(pl.lit(None, pl.Float64).alias(name) for name in silent)
        rows = fuse(_with_items(rows), len(self._processors), self._config)
        frames = self.assemble(rows.with_columns(self._reasons("degraded"), self._reasons("absent")))
        return replace(frames, headlines=pl.concat([items for _, _, items in scored]))

    def _reasons(self, what: str) -> pl.Expr:
        """The processors' reasons, comma-separated; null where there is none."""
        return joined(f"{processor.name}_{what}" for processor in self._processors).alias(f"{META_PREFIX}{what}")


def _named_columns(processor: FrameProcessor, scored: pl.DataFrame) -> pl.DataFrame:
    """Scores under the source's own column names, without keys; a silent source has no confidence either."""
    own = [name for name in _OWN if name in scored.columns]
    return scored.select(
        pl.col("score").alias(f"{processor.name}_sentiment_score"),
        pl.when(pl.col("score").is_not_null()).then("confidence").alias(f"{processor.name}_sentiment_confidence"),
        *own,
        pl.col("degraded").alias(f"{processor.name}_degraded"),
        pl.col("absent").alias(f"{processor.name}_absent"),
    )


def _with_items(rows: pl.DataFrame) -> pl.DataFrame:
    """A news processor that does not count its items has one where it gives a score."""
    spoke = pl.when(pl.col("news_sentiment_score").is_not_null()).then(1.0)
    return rows.with_columns(news_items=pl.coalesce("news_items", spoke))
