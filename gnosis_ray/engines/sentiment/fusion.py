"""The voices put together."""

from __future__ import annotations

import polars as pl

from gnosis_ray.config import SentimentConfig
from gnosis_ray.engines.sentiment.frame_processor import VOICES


def fused(rows: pl.DataFrame, voices: int, config: SentimentConfig) -> pl.DataFrame:
    """Add ``sentiment_score, sentiment_confidence, sentiment_energy, confidence, regime`` and ``meta__voices``.

    ``rows`` hold ``{voice}_sentiment_score`` and ``{voice}_sentiment_confidence``, null where silent, and
    ``news_items``. Score: sum(confidence x score) / sum(confidence) over the voices that speak. Confidence:
    sum(confidence) / ``voices``, the number configured: a voice that is silent takes its part away. Energy: |score| x
    confidence. Regime: ``bullish_news`` and ``bearish_news`` need an item and a news score beyond the threshold; else
    ``quiet`` below ``quiet_energy``, else ``mixed``; null where no voice speaks.
    """
    confidences = [pl.col(f"{voice}_sentiment_confidence").fill_null(0.0) for voice in VOICES]
    weighted = [
        pl.col(f"{voice}_sentiment_score").fill_null(0.0) * trust
        for voice, trust in zip(VOICES, confidences, strict=True)
    ]
    trust = pl.sum_horizontal(confidences)
    spoken = [pl.col(f"{voice}_sentiment_score").is_not_null() for voice in VOICES]
    rows = rows.with_columns(
        sentiment_score=pl.when(trust > 0).then((pl.sum_horizontal(weighted) / trust).clip(-1.0, 1.0)),
        sentiment_confidence=(trust * (1 / voices)).clip(0.0, 1.0),
        meta__voices=_listed([pl.when(said).then(pl.lit(v)) for said, v in zip(spoken, VOICES, strict=True)]),
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


def _listed(names: list[pl.Expr]) -> pl.Expr:
    text = pl.concat_str(names, separator=",", ignore_nulls=True)
    return pl.when(text != "").then(text)
