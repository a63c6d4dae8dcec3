"""The features of the hedge engine, with units, meaning and source."""

from __future__ import annotations

from gnosis_ray.schemas.feature_spec import FeatureSpec

SQUEEZE_METRICS = "SqueezeMetrics, The Implied Order Book (2016); naive dealer: long calls, short puts"

EXPOSURE_FEATURES = (
    FeatureSpec("gamma_pressure", "shares per USD, times USD", "Sum of gamma OI S over the book, unsigned"),
    FeatureSpec("vanna_pressure", "delta per 1.00 of volatility", "Sum of vanna OI over the book, unsigned by dealer"),
    FeatureSpec("charm_pressure", "delta per year", "Sum of charm OI over the book, unsigned by dealer"),
    FeatureSpec("gex_usd_per_pct", "USD per 1% move", "Net dealer gamma; they trade the opposite", SQUEEZE_METRICS),
    FeatureSpec("gex_gross_usd_per_pct", "USD per 1% move", "The same without signs"),
    FeatureSpec("vex_usd_per_vol_point", "USD per volatility point", "Net dealer vanna", SQUEEZE_METRICS),
    FeatureSpec("vex_gross_usd_per_vol_point", "USD per volatility point", "Sum of magnitudes of the same"),
    FeatureSpec("cex_usd_per_day", "USD per calendar day", "Net dealer charm", SQUEEZE_METRICS),
    FeatureSpec("cex_gross_usd_per_day", "USD per calendar day", "Sum of magnitudes of the same"),
    FeatureSpec("gamma_sign", "-1, 0, 1", "Sign of net dealer gamma"),
    FeatureSpec("effective_gex_usd_per_pct", "USD per 1% move", "Net, a near call block taken to be customers' turned"),
    FeatureSpec(
        "fused_gex_usd_per_pct",
        "USD per 1% move",
        "gex_usd_per_pct + weight index_gex_usd_per_pct",
        "ours, cross_asset.py",
    ),
    FeatureSpec("fused_gamma_sign", "-1, 0, 1", "Sign of fused_gex_usd_per_pct"),
    FeatureSpec("vanna_sign", "-1, 0, 1", "Sign of net dealer vanna"),
    FeatureSpec("chain_horizon_days", "calendar days", "Gross-gamma-weighted mean time to expiry"),
    FeatureSpec("hedge_share_of_volume", "fraction", "h: dealers' hedging in a one-sigma day, over dollar volume"),
    FeatureSpec("hedge_regime_energy", "0 to 1", "tanh(h / energy_scale)"),
    FeatureSpec("call_wall", "USD", "Strike of the largest call GEX"),
    FeatureSpec("put_wall", "USD", "Strike of the most negative put GEX"),
    FeatureSpec("dist_call_wall_pct", "percent of spot", "Call wall against spot; positive is above"),
    FeatureSpec("dist_put_wall_pct", "percent of spot", "Put wall against spot; positive is above"),
    FeatureSpec("zero_gamma", "USD", "Spot nearest to today's at which the recomputed net gamma is zero"),
    FeatureSpec("zero_gamma_roots", "count", "Sign changes of the gamma profile within its span"),
    FeatureSpec("dist_zero_gamma_pct", "percent of spot", "Zero-gamma level against spot; positive is above"),
)
"""Absent, all of them, where open interest is unavailable or hardly any of it has a believable volatility."""

MARKET_FEATURES = (
    FeatureSpec("spot", "USD", "Price of the underlying that came with the chain"),
    FeatureSpec("atm_iv_30d", "volatility a year", "At-the-forward, 30 days, linear in total variance"),
    FeatureSpec("skew_25d", "volatility", "25-delta put less 25-delta call, 30 days"),
    FeatureSpec(
        "jump_risk",
        "fraction of at-the-money volatility",
        "10-delta tails over at the money, short expiry less thirty days",
        "after Carr, Wu (2003), What Type of Process Underlies Options?",
    ),
    FeatureSpec("jump_days", "calendar days", "To the short expiry of jump_risk"),
    FeatureSpec("vix_friction_factor", "0 to 1", "How firmly volatility is held; the same for every symbol", "ours"),
    FeatureSpec("market_beta", "move per move of the market", "Least squares, daily log returns, 60 bars"),
    FeatureSpec(
        "index_gex_usd_per_pct",
        "USD of the stock per 1% of its own move",
        "Its share of the net dealer gamma of index and sector books, beta-weighted",
        "ours, cross_asset.py",
    ),
    FeatureSpec("adv_usd", "USD a day", "Mean dollar volume, 60 bars"),
    FeatureSpec("sigma_daily", "log return", "Daily deviation, jumps tamed", "Barndorff-Nielsen, Shephard 2004"),
    FeatureSpec("open_interest_coverage", "fraction", "Contracts near spot that have open interest"),
    FeatureSpec("implied_vol_coverage", "fraction", "Open interest near spot whose volatility is believed"),
    FeatureSpec("quote_age_sessions", "sessions", "Sessions closed since the quotes were made"),
)

HEDGE_FEATURES = MARKET_FEATURES + EXPOSURE_FEATURES
