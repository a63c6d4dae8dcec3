"""How far the answer can be trusted, what to say where it cannot, and the regime."""

from __future__ import annotations

import polars as pl

from gnosis_ray.config import ElasticityConfig
from gnosis_ray.engines.shared.indicators import INDICATORS
from gnosis_ray.engines.shared.reasons import reasons
from gnosis_ray.schemas.conventions import SECONDS_PER_DAY


def with_regime(rows: pl.DataFrame, config: ElasticityConfig) -> pl.DataFrame:
    """Add ``regime``, first match wins: ``asymmetric_up``, ``asymmetric_down``, ``high_resistance``,
    ``low_resistance``, ``balanced``; null where there is no energy.
    """
    ratio, share = pl.col("energy_asymmetry"), pl.col("energy_share_of_adv")
    return rows.with_columns(
        regime=pl.when(ratio.is_null())
        .then(None)
        .when(ratio < config.asymmetric_up_ratio)
        .then(pl.lit("asymmetric_up"))
        .when(ratio > config.asymmetric_down_ratio)
        .then(pl.lit("asymmetric_down"))
        .when(share > config.high_resistance)
        .then(pl.lit("high_resistance"))
        .when(share < config.low_resistance)
        .then(pl.lit("low_resistance"))
        .otherwise(pl.lit("balanced"))
    )


def with_confidence(rows: pl.DataFrame, config: ElasticityConfig) -> pl.DataFrame:
    """Add ``confidence`` and ``meta__degraded``; zero where there is no energy.

    Product of four trusts: the liquidity engine's confidence, at least ``no_liquidity_trust``, since a cost needs
    the bars alone; from ``no_hedge_trust`` without the hedge engine up to 1 with its confidence; ``stale_trust`` once
    the last bar is old; ``no_indicators_trust`` where an indicator is absent.
    """
    stale = (_age_days() > config.stale_after_days).fill_null(value=False)
    missing = pl.any_horizontal(pl.col(name).is_null() for name in INDICATORS)
    hedged = pl.col("gex").is_not_null()
    trust = (
        pl.max_horizontal("liquidity_confidence", pl.lit(config.no_liquidity_trust))
        * pl.when(hedged)
        .then(config.no_hedge_trust + (1 - config.no_hedge_trust) * pl.col("hedge_confidence"))
        .otherwise(config.no_hedge_trust)
        * pl.when(stale).then(config.stale_trust).otherwise(1.0)
        * pl.when(missing).then(config.no_indicators_trust).otherwise(1.0)
    )
    named = [
        (pl.col("adv_usd").is_null() | pl.col("sigma_daily").is_null(), "no_bars"),
        (~((pl.col("adv_usd") > 0) & (pl.col("sigma_daily") > 0)), "no_movement"),
        (~hedged, "no_hedge"),
        (pl.col("liquidity_confidence").is_null(), "no_liquidity"),
        (pl.col("expected_from_bars"), "no_implied_vol"),
        (stale, "stale_bars"),
        (pl.col("price_break"), "price_break"),
        (missing, "short_history"),
    ]
    return rows.with_columns(
        confidence=pl.when(pl.col("energy_to_move_1pct_up").is_not_null()).then(trust.clip(0.0, 1.0)).otherwise(0.0),
        meta__degraded=reasons(named),
    )


def _age_days() -> pl.Expr:
    """Days from the last bar to the key."""
    return (pl.col("timestamp") - pl.col("last_bar")).dt.total_seconds() * (1 / SECONDS_PER_DAY)
