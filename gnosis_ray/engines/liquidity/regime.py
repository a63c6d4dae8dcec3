"""Regime, confidence, and what has to be said of the data behind them."""

from __future__ import annotations

import polars as pl

from gnosis_ray.config import LiquidityConfig
from gnosis_ray.engines.shared.bar_statistics import WINDOW
from gnosis_ray.engines.shared.reasons import reasons

HALF = 0.5


def with_regime(rows: pl.DataFrame, config: LiquidityConfig) -> pl.DataFrame:
    """Add ``regime``, first match, and ``one_sided``: "buy" or "sell" whatever the regime, else null.

    ``thin_liquidity``: Amihud or the quoted spread beyond its limit (EDGE never decides: from daily bars it is mostly
    noise). ``one_sided_flow``: |ofi| beyond its limit. ``high_liquidity``: Amihud
    below its limit, and so the quoted spread where there is one. Null where nothing is known.
    """
    amihud, spread, ofi = pl.col("amihud_illiquidity"), pl.col("quoted_spread_bps"), pl.col("ofi")
    told = ofi.abs() > config.one_sided_ofi
    thin = (amihud > config.thin_amihud).fill_null(value=False) | (spread > config.thin_spread_bps).fill_null(
        value=False
    )
    tight = (spread < config.high_spread_bps).fill_null(value=True)
    return rows.with_columns(
        one_sided=pl.when(told & (ofi > 0)).then(pl.lit("buy")).when(told).then(pl.lit("sell")),
        known=pl.any_horizontal(e.is_not_null() for e in (amihud, spread, ofi)),
    ).with_columns(
        regime=pl.when(~pl.col("known"))
        .then(None)
        .when(thin)
        .then(pl.lit("thin_liquidity"))
        .when(pl.col("one_sided").is_not_null())
        .then(pl.lit("one_sided_flow"))
        .when((amihud < config.high_amihud) & tight)
        .then(pl.lit("high_liquidity"))
        .otherwise(pl.lit("normal"))
    )


def with_confidence(rows: pl.DataFrame, config: LiquidityConfig) -> pl.DataFrame:
    """Add ``confidence`` = data tier x coverage x freshness, ``meta__degraded`` and the other ``meta__`` entries.

    Tier: trades and quotes, trades, or bars alone, whose trust is the cap with fewer than ``min_trades`` trades.
    Coverage: the part of the window that bars fill, and with trades the part of the volume that is signed;
    ``no_bars_factor`` where bars do not suffice. Freshness: ``stale_factor`` where the last bar is older than
    ``max_bar_age_days``, and on the tier where the last trade or quote is older than ``max_tape_age_minutes``: with
    bars not below their own.
    """
    tiers = config.tier_confidence
    trades = (pl.col("trade_count") >= config.min_trades).fill_null(value=False)
    quotes = pl.col("quoted_spread_bps").is_not_null()
    bars, stale = pl.col("amihud_illiquidity").is_not_null(), pl.col("bar_age_days") > config.max_bar_age_days
    tier = pl.when(trades & quotes).then(tiers.trades_and_quotes).when(trades).then(tiers.trades).otherwise(tiers.bars)
    dated = pl.col("tape_age_minutes") > config.max_tape_age_minutes
    floor = pl.when(bars).then(tiers.bars).otherwise(0.0)
    trust = pl.when(dated).then(pl.max_horizontal(tier * config.stale_factor, floor)).otherwise(tier)
    filled = pl.when(bars).then(pl.col("bar_count") * (1 / WINDOW)).otherwise(config.no_bars_factor)
    signed = pl.when(trades).then(pl.col("signed_volume_share").fill_null(0.0)).otherwise(1.0)
    fresh = pl.when(bars & stale).then(config.stale_factor).otherwise(1.0)
    return rows.with_columns(
        confidence=pl.when("known").then((trust * filled * signed * fresh).clip(0.0, 1.0)).otherwise(0.0),
        meta__degraded=_reasons(trades, quotes, bars, stale, dated, config),
        meta__data_tier=pl.when(trades & quotes)
        .then(pl.lit("trades_and_quotes"))
        .when(trades)
        .then(pl.lit("trades"))
        .when(quotes)
        .then(pl.lit("bars_and_quotes"))
        .when("known")
        .then(pl.lit("bars")),
        meta__profile_source=pl.when(pl.col("poc").is_not_null()).then(
            pl.when(trades).then(pl.lit("trades")).otherwise(pl.lit("daily_range"))
        ),
        meta__spread_source=pl.coalesce(
            pl.when(pl.col(name).is_not_null()).then(pl.lit(source))
            for name, source in (
                ("quoted_spread_bps", "quoted"),
                ("edge_intraday_spread_bps", "edge_intraday"),
                ("edge_daily_spread_bps", "edge_daily"),
            )
        ),
        meta__one_sided=pl.col("one_sided"),
        meta__bar_window=pl.when(bars).then(pl.format("{} bars", pl.col("bar_count").cast(pl.Int64))),
    )


def _reasons(
    trades: pl.Expr, quotes: pl.Expr, bars: pl.Expr, stale: pl.Expr, dated: pl.Expr, config: LiquidityConfig
) -> pl.Expr:
    """Comma-separated reasons, null where there is none."""
    named = [
        (~bars, "no_bars"),
        (bars & (pl.col("bar_count") < WINDOW), "short_history"),
        (pl.col("broken") > 0, "share_change"),
        (bars & stale, "stale_bars"),
        (pl.col("trade_count").is_null(), "no_trades"),
        (pl.col("trade_count") < config.min_trades, "few_trades"),
        (trades & (pl.col("signed_volume_share").fill_null(0.0) < HALF), "unsigned_trades"),
        (dated, "stale_tape"),
        (~quotes, "no_quotes"),
        (pl.col("avg_spread_bps").is_null(), "spread_unresolved"),
    ]
    return reasons(named)
