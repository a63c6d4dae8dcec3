"""How far the price is stretched, and what that adds to the cost of stretching it further."""

from __future__ import annotations

import polars as pl

from gnosis_ray.config import ElasticityConfig


def with_bias(rows: pl.DataFrame, config: ElasticityConfig) -> pl.DataFrame:
    """Add ``indicator_bias_up`` and ``indicator_bias_down``, within 1 -/+ ``bias_limit``.

    The stretch in [-1, 1] is the mean over the indicators that are present: 0 inside the bands and between the RSI
    levels, 1 at the far end above, -1 at the far end below. Up costs 1 + limit x stretch times as much, down
    1 - limit x stretch: who is already long sells into the rise, who waited buys the fall. No indicator, no bias.
    Ours; there is no standard one.
    """
    band = 1 / config.band_overshoot
    scores = [
        _beyond(
            "rsi_14",
            (config.rsi_oversold, 1 / config.rsi_oversold),
            (config.rsi_overbought, 1 / (100 - config.rsi_overbought)),
        ),
        _beyond("bollinger_percent_b", (0.0, band), (1.0, band)),
        _beyond("keltner_position", (0.0, band), (1.0, band)),
    ]
    stretch = pl.mean_horizontal(scores).fill_null(0.0)
    return rows.with_columns(
        indicator_bias_up=1 + config.bias_limit * stretch, indicator_bias_down=1 - config.bias_limit * stretch
    )


def _beyond(name: str, low: tuple[float, float], high: tuple[float, float]) -> pl.Expr:
    """(level, scale) below and above -> 0 between the levels, to -1 and 1 where scale x excess reaches 1."""
    value = pl.col(name)
    above = ((value - high[0]) * high[1]).clip(0.0, 1.0)
    below = ((low[0] - value) * low[1]).clip(0.0, 1.0)
    return above - below
