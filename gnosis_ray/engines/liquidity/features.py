"""The features of the liquidity engine, with units, meaning and source."""

from __future__ import annotations

from gnosis_ray.schemas.feature_spec import FeatureSpec

_CKS = "Cont, Kukanov, Stoikov (2014)"
_KYLE = "Kyle (1985)"
_HASBROUCK = "Hasbrouck (2009)"
_EDGE = "Ardia, Guidotti, Kroencke (2024)"

DAILY_FEATURES = (
    FeatureSpec("adv_usd", "USD a day", "Mean dollar volume, 60 bars"),
    FeatureSpec("sigma_daily", "log return", "Daily deviation, jumps tamed", "Barndorff-Nielsen, Shephard 2004"),
    FeatureSpec("amihud_illiquidity", "1 / million USD", "Mean |daily return| per million USD traded", "Amihud (2002)"),
    FeatureSpec(
        "edge_daily_spread_bps", "bps", "Spread from 60 daily bars; absent where they do not resolve it", _EDGE
    ),
)
"""From daily bars."""

TRADE_FEATURES = (
    FeatureSpec("trade_count", "count", "Trades in the window"),
    FeatureSpec("signed_volume_share", "fraction", "Volume whose aggressor is known", "Lee, Ready (1991)"),
    FeatureSpec("ofi", "-1 to 1", "(bought - sold) / (bought + sold) volume of trades"),
    FeatureSpec("kyle_lambda", "USD per share", "Price change of an interval on its signed volume", _KYLE),
    FeatureSpec("kyle_lambda_t", "t-statistic", "Of kyle_lambda", _KYLE),
    FeatureSpec("kyle_lambda_r2", "fraction", "Variance of price changes that signed volume explains", _KYLE),
    FeatureSpec("hasbrouck_lambda", "log return per sqrt(USD)", "Return on signed sqrt dollar volume", _HASBROUCK),
    FeatureSpec("hasbrouck_lambda_t", "t-statistic", "Of hasbrouck_lambda", _HASBROUCK),
    FeatureSpec("hasbrouck_lambda_r2", "fraction", "Variance of returns that it explains", _HASBROUCK),
    FeatureSpec("vpin", "0 to 1", "Mean imbalance of equal volume buckets", "Easley, Lopez de Prado, O'Hara (2012)"),
    FeatureSpec("edge_intraday_spread_bps", "bps", "Spread from the intervals' bars of trades", _EDGE),
)
"""Absent, all of them, without trades; with fewer than ``min_trades`` only their count is there."""

QUOTE_FEATURES = (
    FeatureSpec(
        "quoted_spread_bps", "bps", "Best ask less bid over the midpoint, weighted by time, at most an interval a quote"
    ),
    FeatureSpec("cks_ofi", "shares", "Order-flow imbalance of the best quotes over the window", _CKS),
    FeatureSpec("cks_lambda", "USD per share", "Midpoint change of an interval on its imbalance", _CKS),
    FeatureSpec("cks_lambda_t", "t-statistic", "Of cks_lambda", _CKS),
    FeatureSpec("cks_lambda_r2", "fraction", "Variance of midpoint changes that it explains", _CKS),
)
"""Absent, all of them, without quotes."""

PROFILE_FEATURES = (
    FeatureSpec("last_price", "USD", "Last trade of the window where there are enough, else last close"),
    FeatureSpec("avg_spread_bps", "bps", "Quoted spread, else EDGE of intraday, else of daily bars"),
    FeatureSpec("profile_coverage", "fraction", "Volume of the window that lies on the profile's grid"),
    FeatureSpec("poc", "USD", "Point of control: the price with most volume"),
    FeatureSpec("value_area_low", "USD", "Lower end of the area that holds most of the volume"),
    FeatureSpec("value_area_high", "USD", "Upper end of the same"),
    FeatureSpec("volume_magnet_score", "0 to 1", "exp(-distance / sigma) times percentile of the nearest node"),
    FeatureSpec("volume_magnet_level", "USD", "The high-volume node nearest to the price"),
    FeatureSpec("liquidity_void_score", "0 to 1", "How empty the profile is within one sigma of the price"),
    FeatureSpec("liquidity_void_above", "USD", "Nearest price above with little volume"),
    FeatureSpec("liquidity_void_below", "USD", "Nearest price below with little volume"),
)

LIQUIDITY_FEATURES = DAILY_FEATURES + TRADE_FEATURES + QUOTE_FEATURES + PROFILE_FEATURES
