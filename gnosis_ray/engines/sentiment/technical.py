"""Sentiment of prices: whether daily indicators are bullish or bearish."""

from __future__ import annotations

from datetime import timedelta

import polars as pl

from gnosis_ray.config import TechnicalSentimentConfig
from gnosis_ray.engines.sentiment.frame_processor import FrameProcessor, SentimentSource
from gnosis_ray.engines.shared.bar_statistics import BAR_LOOKBACK
from gnosis_ray.engines.shared.indicators import daily_indicators
from gnosis_ray.engines.shared.reasons import reasons
from gnosis_ray.market.columns import KEYS
from gnosis_ray.market.data_requirements import DataRequirements
from gnosis_ray.market.market_data_adapter import MarketDataAdapter


class TechnicalSentimentProcessor(FrameProcessor):
    """Reads daily bars. Strength is a bullish mood here, not a forecast: overbought is not yet a reason to sell.

    Score: the mean of (RSI 14 - 50) / ``rsi_span``, 2 %b - 1 (Bollinger 20, 2) and 2 k - 1 (Keltner 20, 2 ATR 10),
    each within -1 to 1; of those present. Confidence: max_confidence x how far they agree, |sum| / sum of magnitudes,
    times ``stale_confidence`` where the last bar is older than ``max_bar_age_days``.
    """

    name: SentimentSource = "technical"

    def __init__(self, adapter: MarketDataAdapter, config: TechnicalSentimentConfig) -> None:
        self._adapter = adapter
        self._config = config
        self.data_requirements = DataRequirements(BAR_LOOKBACK)

    def load(self, keys: pl.DataFrame) -> pl.DataFrame:
        """``columns.BARS``, far enough back that recursive indicators have forgotten where they began."""
        return self._adapter.fetch_bars(keys, BAR_LOOKBACK)

    def score(self, keys: pl.DataFrame, table: pl.DataFrame) -> pl.DataFrame:
        """See :class:`FrameProcessor`. ``degraded``: no_bars, short_history, price_break, stale_bars."""
        rows = daily_indicators(keys, table).hstack(_last_bar(keys, table).select("bar"))
        parts = [
            ((pl.col("rsi_14") - 50) * (1 / self._config.rsi_span)).clip(-1.0, 1.0),
            (pl.col("bollinger_percent_b") * 2 - 1).clip(-1.0, 1.0),
            (pl.col("keltner_position") * 2 - 1).clip(-1.0, 1.0),
        ]
        spoken = pl.sum_horizontal(part.is_not_null().cast(pl.Float64) for part in parts)
        total, magnitude = pl.sum_horizontal(parts), pl.sum_horizontal(part.abs() for part in parts)
        agreement = pl.when(magnitude > 0).then(total.abs() / magnitude).otherwise(0.0)
        stale = pl.col("timestamp") - pl.col("bar") > timedelta(days=self._config.max_bar_age_days)
        freshness = pl.when(stale).then(self._config.stale_confidence).otherwise(1.0)
        broken = pl.col("price_break").fill_null(value=False)
        missing = pl.col("bar").is_not_null() & (spoken < len(parts))
        return rows.select(
            *KEYS,
            pl.when(spoken > 0).then(total / spoken).alias("score"),
            pl.when(spoken > 0)
            .then((agreement * freshness * self._config.max_confidence).clip(0.0, 1.0))
            .otherwise(0.0)
            .alias("confidence"),
            reasons(
                [
                    (pl.col("bar").is_null(), "no_bars"),
                    (broken, "price_break"),
                    (missing & ~broken, "short_history"),
                    (stale, "stale_bars"),
                ]
            ).alias("degraded"),
            pl.lit(None, pl.String).alias("absent"),
        )


def _last_bar(keys: pl.DataFrame, bars: pl.DataFrame) -> pl.DataFrame:
    """For each key the time of the latest bar known by then, as ``bar``; null without one. In the keys' order."""
    known = bars.sort("known_at").select("symbol", "known_at", bar=pl.col("timestamp").cum_max().over("symbol"))
    return (
        keys.select(KEYS.names())
        .with_row_index("row")
        .sort("timestamp")
        .join_asof(
            known, left_on="timestamp", right_on="known_at", by="symbol", strategy="backward", check_sortedness=False
        )
        .sort("row")
    )
