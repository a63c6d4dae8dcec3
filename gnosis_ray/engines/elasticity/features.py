"""The features of the elasticity engine, with units, meaning and source."""

from __future__ import annotations

from gnosis_ray.schemas.feature_spec import FeatureSpec

TOTH = "Toth et al., Anomalous price impact (Phys. Rev. X 1, 021006, 2011), eq. 1"
FEEDBACK = "dP = lambda (q - Gamma dP): liquidity and hedge resistance, times the move"
KYLE = "Kyle, Continuous auctions and insider trading (Econometrica 1985), thm 1"

COST_FEATURES = (
    FeatureSpec(
        "energy_to_move_1pct_up", "USD", "Net buying that lifts the price 1%, dealers' hedging counted", FEEDBACK
    ),
    FeatureSpec("energy_to_move_1pct_down", "USD", "Net selling that lowers the price 1%, the same", FEEDBACK),
    FeatureSpec("elasticity_up", "percent", "Rise that net buying of 1% of a day's dollar volume brings"),
    FeatureSpec("elasticity_down", "percent", "Fall that net selling of 1% of a day's dollar volume brings"),
    FeatureSpec("expected_move_cost_1_day", "USD", "Energy of the day's expected move, mean of up and down"),
    FeatureSpec("exp_move_pct", "percent", "That move: at-the-money volatility of a day, else sigma_daily"),
    FeatureSpec("energy_share_of_adv", "fraction", "Mean energy of 1% over a day's dollar volume"),
    FeatureSpec("energy_asymmetry", "ratio", "Energy of 1% up over energy of 1% down; below 1 up is easier"),
    FeatureSpec("liquidity_cost_1pct", "USD", "The part of the energy that the order flow itself resists", TOTH),
    FeatureSpec("hedge_cost_1pct_up", "USD", "Dealers' selling into a 1% rise; negative: they buy with it"),
    FeatureSpec("hedge_cost_1pct_down", "USD", "Dealers' buying into a 1% fall; negative: they sell with it"),
    FeatureSpec("self_feeding_move_pct", "percent", "Move that dealers' hedging completes unaided, the larger side"),
    FeatureSpec("self_feeding_up_pct", "percent", "The same, upwards"),
    FeatureSpec("self_feeding_down_pct", "percent", "The same, downwards"),
    FeatureSpec("unstable", "0 or 1", "Whether the self-feeding move is above unstable_move_pct"),
    FeatureSpec("kyle_energy_to_move_1pct", "USD", "Cost of 1% by the Kyle slope alone; absent if insignificant", KYLE),
    FeatureSpec(
        "indicator_bias_up", "factor", "On energies up, .75 to 1.25: above 1 where the price is stretched upwards"
    ),
    FeatureSpec("indicator_bias_down", "factor", "On energies down: 2 less the other"),
)
"""Absent, all of them, without a day's dollar volume and volatility."""

MARKET_FEATURES = (
    FeatureSpec("adv_usd", "USD a day", "Mean dollar volume, 60 bars"),
    FeatureSpec("sigma_daily", "log return", "Daily deviation, jumps tamed", "Barndorff-Nielsen, Shephard 2004"),
    FeatureSpec("ret_5d", "simple return", "Of the last five bars"),
    FeatureSpec(
        "realised_vol_20d", "volatility a year", "Twenty bars, overnight gaps included", "Yang, Zhang 2000, eq. 7"
    ),
    FeatureSpec("rsi_14", "0 to 100", "Relative strength index", "Wilder 1978"),
    FeatureSpec(
        "bollinger_percent_b", "0 to 1 in the band", "Close in the band of 20 days, 2 deviations", "Bollinger 2001"
    ),
    FeatureSpec("keltner_position", "0 to 1 in the band", "Close in the band EMA 20, 2 ATR 10"),
)

ELASTICITY_FEATURES = COST_FEATURES + MARKET_FEATURES
