"""One sentiment from the scores of several sources."""

from __future__ import annotations

import polars as pl

from gnosis_ray.config import SentimentConfig
from gnosis_ray.engines.sentiment.frame_processor import SENTIMENT_SOURCES
from gnosis_ray.engines.shared.reasons import joined


def fuse(rows: pl.DataFrame, sources: int, config: SentimentConfig) -> pl.DataFrame:
    """Add ``sentiment_score, sentiment_confidence, sentiment_energy, confidence, regime`` and ``meta__voices``.

    ``rows`` hold ``{source}_sentiment_score`` and ``{source}_sentiment_confidence``, null where silent, and
    ``news_items``. Score: sum(confidence x score) / sum(confidence) over the sources that have one. Confidence:
    sum(confidence) / ``sources``, the number configured: a silent source lowers it. Energy: |score| x
    confidence. Regime: ``bullish_news`` and ``bearish_news`` need an item and a news score beyond the threshold; else
    ``quiet`` below ``quiet_energy``, else ``mixed``; null where every source is silent.
    """
    confidences = [pl.col(f"{source}_sentiment_confidence").fill_null(0.0) for source in SENTIMENT_SOURCES]
    weighted = [
        pl.col(f"{source}_sentiment_score").fill_null(0.0) * trust
        for source, trust in zip(SENTIMENT_SOURCES, confidences, strict=True)
    ]
    trust = pl.sum_horizontal(confidences)
    spoken = [pl.col(f"{source}_sentiment_score").is_not_null() for source in SENTIMENT_SOURCES]
    rows = rows.with_columns(
        sentiment_score=pl.when(trust > 0).then((pl.sum_horizontal(weighted) / trust).clip(-1.0, 1.0)),
        sentiment_confidence=(trust * (1 / sources)).clip(0.0, 1.0),
        meta__voices=joined([pl.when(said).then(pl.lit(v)) for said, v in zip(spoken, SENTIMENT_SOURCES, strict=True)]),
    ).with_columns(
        confidence="sentiment_confidence",
        sentiment_energy=pl.col("sentiment_score").abs() * pl.col("sentiment_confidence"),
    )
    return rows.with_columns(regime=_regime(config))


def _regime(config: SentimentConfig) -> pl.Expr:
    news = pl.when(pl.col("news_items") > 0).then("news_sentiment_score")
    return (
        pl.when(news > config.news_threshold)
        .then(pl.lit("bullish_news"))
        .when(news < -config.news_threshold)
        .then(pl.lit("bearish_news"))
        .when(pl.col("meta__voices").is_null())
        .then(None)
        .when(pl.col("sentiment_energy").fill_null(0.0) < config.quiet_energy)
        .then(pl.lit("quiet"))
        .otherwise(pl.lit("mixed"))
    )
