"""The hedge regime and its energy."""

from __future__ import annotations

import polars as pl

from gnosis_ray.config import HedgeConfig


def with_energy_and_regime(rows: pl.DataFrame, config: HedgeConfig) -> pl.DataFrame:
    """Add ``hedge_share_of_volume``, ``hedge_regime_energy``, ``regime`` and ``squeeze_basis``; first match wins.

    Also adds ``effective_gex_usd_per_pct``, the exposure behind the energy.
    h = |GEX 1%| (sigma_daily / 1%) / ADV: the part of a day's dollar volume that dealers trade in a one-sigma day.
    Where customers are taken to own the near call block, dealers are short it: its sign is turned in the energy.
    Rows whose book cannot be weighed (``available`` false: no open interest near spot, or no believable volatility)
    have regime ``illiquid_gamma`` and no energy.
    """
    net, gross = pl.col("gex_usd_per_pct"), pl.col("gex_gross_usd_per_pct")
    block_share = pl.col("near_call_gex") / gross
    calls_lead = (gross > 0) & (block_share > config.squeeze_call_share)
    exposure = pl.when(calls_lead).then(net - 2 * config.dealer_call_sign * pl.col("near_call_gex")).otherwise(net)
    day = pl.col("sigma_daily") * 100 / pl.col("adv_usd")
    short_gamma = (net < 0) & (net.abs() * day > config.squeeze_energy)
    return rows.with_columns(
        effective_gex_usd_per_pct=exposure,
        hedge_share_of_volume=exposure.abs() * day,
        squeeze_basis=pl.when(~pl.col("available"))
        .then(None)
        .when(short_gamma)
        .then(pl.lit("short_gamma"))
        .when(calls_lead)
        .then(pl.lit("customer_long_calls")),
    ).with_columns(
        hedge_regime_energy=(pl.col("hedge_share_of_volume") * (1 / config.energy_scale)).tanh(),
        regime=pl.when(~pl.col("has_greeks"))
        .then(None)
        .when(~pl.col("available"))
        .then(pl.lit("illiquid_gamma"))
        .when(pl.col("squeeze_basis").is_not_null())
        .then(pl.lit("gamma_squeeze"))
        .when(_pinned(config))
        .then(pl.lit("pin"))
        .when((pl.col("vex_usd_per_vol_point").abs() > net.abs()) & (pl.col("skew_25d") > config.vanna_skew))
        .then(pl.lit("vanna_flow"))
        .otherwise(pl.lit("neutral")),
    )


def _pinned(config: HedgeConfig) -> pl.Expr:
    """Long gamma of weight, spot within reach of a wall that expires soon."""
    reach = config.pin_distance_sigma * pl.col("sigma_daily") * pl.col("spot")
    long_gamma = (pl.col("gex_usd_per_pct") > 0) & (pl.col("hedge_share_of_volume") > config.pin_energy)
    return long_gamma & (_held_by("call_wall", reach, config) | _held_by("put_wall", reach, config))


def _held_by(wall: str, reach: pl.Expr, config: HedgeConfig) -> pl.Expr:
    near = (pl.col("spot") - pl.col(wall)).abs() < reach
    return (near & (pl.col(f"{wall}_dte").floor() <= config.pin_max_dte)).fill_null(value=False)
