"""LiquidityEngineV1: depth, impact, flow and the volume profile of a symbol."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import ClassVar

import numpy as np
import polars as pl

from gnosis_ray.config import LiquidityConfig
from gnosis_ray.engines.base import EngineData, EngineFrames, FrameEngine
from gnosis_ray.engines.liquidity.daily import amihud_illiquidity, edge_daily
from gnosis_ray.engines.liquidity.features import LIQUIDITY_FEATURES, QUOTE_FEATURES, TRADE_FEATURES
from gnosis_ray.engines.liquidity.flow import TradeFlow, trade_flow
from gnosis_ray.engines.liquidity.intervals import IntervalGrid
from gnosis_ray.engines.liquidity.profile_levels import profile_levels
from gnosis_ray.engines.liquidity.quotes import BPS, QuoteFlow, quote_flow, quote_states
from gnosis_ray.engines.liquidity.regime import with_confidence, with_regime
from gnosis_ray.engines.liquidity.row_statistics import Fit, Floats
from gnosis_ray.engines.liquidity.signing import RULES, signed_trades
from gnosis_ray.engines.liquidity.volume_profile import (
    Profiles,
    bar_profiles,
    price_grid,
    profile_details,
    trade_profiles,
)
from gnosis_ray.engines.liquidity.windows import BarTable, BarWindow, EventTable, quote_table, since_break, trade_table
from gnosis_ray.engines.shared.bar_statistics import BAR_LOOKBACK, daily_statistics
from gnosis_ray.market.columns import BARS, DETAILS, KEYS, QUOTES, TRADES
from gnosis_ray.market.data_requirements import DataRequirements
from gnosis_ray.market.market_data_adapter import MarketDataAdapter
from gnosis_ray.schemas.conventions import SECONDS_PER_DAY
from gnosis_ray.schemas.core_schemas import EngineKind
from gnosis_ray.schemas.feature_spec import FeatureSpec

CHUNK = 4096
"""Keys measured together: bounds the memory of the matrices, about 4 kB a key and matrix; changes no figure."""

_US_PER_DAY = SECONDS_PER_DAY * 1e6
_US_PER_MINUTE = 60e6
_MEASURED = [spec.name for spec in TRADE_FEATURES + QUOTE_FEATURES] + [f"rule_{rule}" for rule in RULES]


class LiquidityEngineV1(FrameEngine):
    """Reads daily bars, and trades and quotes where there are some.

    From bars alone the signed-flow features (ofi, Kyle, Hasbrouck, VPIN) are absent, one-sided flow cannot be told,
    and the confidence is capped; signs are never taken from a bar's own return. Fewer than ``min_trades`` trades
    are counted, and nothing else is read from them.

    Parameters
    ----------
    adapter
        Where it reads daily bars, trades and quotes, as of the moment that it is asked about.
    config
        ``config.engines.liquidity``: the window of trades, intervals and thresholds.

    Source
    ------
    Amihud (2002), Kyle (1985), Hasbrouck (2009), Cont, Kukanov, Stoikov (2014), Easley, Lopez de Prado, O'Hara (2012);
    each feature names its own.

    Examples
    --------
    >>> import gnosis_ray as gr
    >>> config = gr.load_config()
    >>> market, now = gr.open_market(config), config.data.synthetic.as_of
    >>> output = gr.LiquidityEngineV1(market, config.engines.liquidity).run("AAPL", now)
    >>> output.kind, output.features["adv_usd"] > 0
    ('liquidity', True)
    """

    kind: ClassVar[EngineKind] = "liquidity"
    features: ClassVar[tuple[FeatureSpec, ...]] = LIQUIDITY_FEATURES

    def __init__(self, adapter: MarketDataAdapter, config: LiquidityConfig) -> None:
        self._adapter = adapter
        self._config = config
        self.data_requirements = DataRequirements(BAR_LOOKBACK, tape_minutes=config.lookback_minutes)
        self._intervals = math.ceil(config.lookback_minutes * 60 / config.interval_seconds)

    def load(self, keys: pl.DataFrame) -> EngineData:
        """Daily bars for the statistics; trades and quotes of ``lookback_minutes`` before each key."""
        needs = self.data_requirements
        return {
            "bars": self._adapter.fetch_bars(keys, needs.bar_lookback),
            "trades": self._adapter.fetch_trades(keys, needs.tape_minutes),
            "quotes": self._adapter.fetch_quotes(keys, needs.tape_minutes),
        }

    def compute(
        self,
        keys: pl.DataFrame,
        data: EngineData,
        upstream: Mapping[EngineKind, EngineFrames],  # noqa: ARG002 - reads no other engine
    ) -> EngineFrames:
        """One row a key; see :data:`LIQUIDITY_FEATURES` for the columns. A table that is missing counts as empty."""
        if keys.is_empty():
            return self.empty()
        empty = {"bars": BARS, "trades": TRADES, "quotes": QUOTES}
        tables = {name: data.get(name, pl.DataFrame(schema=schema)) for name, schema in empty.items()}
        statistics = daily_statistics(keys, tables["bars"])
        bars, trades, quotes = BarTable(tables["bars"]), trade_table(tables["trades"]), quote_table(tables["quotes"])
        parts = [self._measure(chunk, bars, trades, quotes) for chunk in statistics.iter_slices(CHUNK)]
        rows = pl.concat([rows for rows, _ in parts])
        details = pl.concat([details for _, details in parts]).match_to_schema(DETAILS)
        return self.assemble(self._finish(rows), details)

    def _measure(
        self, keys: pl.DataFrame, bars: BarTable, trades: EventTable, quotes: EventTable
    ) -> tuple[pl.DataFrame, pl.DataFrame]:
        """Features and profile rows of a chunk of keys with their daily statistics, without regime and confidence."""
        config, n = self._config, keys.height
        grid = IntervalGrid(n, self._intervals, config.interval_seconds * 1_000_000)
        window, broken = since_break(bars.window(keys))
        states = quote_states(quotes.window(keys, config.lookback_minutes))
        told = trades.window(keys, config.lookback_minutes)
        enough = told if told.is_empty() else told.filter(pl.len().over("key") >= config.min_trades)
        seen = enough if enough.is_empty() else signed_trades(enough, states, config.quote_lag_us)
        count = np.bincount(told["key"].to_numpy(), minlength=n).astype(np.float64)
        columns = dict.fromkeys(_MEASURED, np.full(n, np.nan)) | {
            "amihud_illiquidity": amihud_illiquidity(window),
            "edge_daily_spread_bps": edge_daily(window) * BPS,
            "bar_count": window.count.astype(np.float64),
            "broken": broken.astype(np.float64),
            "trade_count": np.where(count > 0, count, np.nan),
            "tape_age_minutes": _age_minutes(n, enough, states),
        }
        if not states.is_empty():
            columns |= _quote_columns(quote_flow(states, grid, config.min_intervals))
        last_price = window.close[:, -1]
        if not seen.is_empty():
            flow = trade_flow(seen, grid, config)
            columns |= _trade_columns(flow)
            last_price = np.where(np.isnan(flow.last_price), last_price, flow.last_price)
        found, details = self._profile(keys, window, seen, last_price)
        rows = keys.select(*KEYS, "adv_usd", "sigma_daily").with_columns(
            bar_age_days=(keys["timestamp"] - window.last).dt.total_microseconds() * (1 / _US_PER_DAY)
        )
        return rows.hstack(pl.DataFrame(columns | found).fill_nan(None)), details

    def _profile(
        self, keys: pl.DataFrame, window: BarWindow, trades: pl.DataFrame, last_price: Floats
    ) -> tuple[dict[str, Floats], pl.DataFrame]:
        """The volume profile around the last price: of the trades where a key has enough, else of its bars."""
        grid = price_grid(self._config)
        profiles = bar_profiles(window, last_price, grid)
        if not trades.is_empty():
            traded = trade_profiles(trades, last_price, grid)
            own = ~np.isnan(traded.coverage)
            profiles = Profiles(
                np.where(own[:, None], traded.shares, profiles.shares),
                np.where(own, traded.coverage, profiles.coverage),
            )
        sigma = keys["sigma_daily"].fill_null(float("nan")).to_numpy()
        levels = profile_levels(profiles, last_price, sigma, grid, self._config)
        columns = {
            "last_price": last_price,
            "profile_coverage": profiles.coverage,
            "poc": levels.poc,
            "value_area_low": levels.value_area_low,
            "value_area_high": levels.value_area_high,
            "volume_magnet_score": levels.magnet_score,
            "volume_magnet_level": levels.magnet_level,
            "liquidity_void_score": levels.void_score,
            "liquidity_void_above": levels.void_above,
            "liquidity_void_below": levels.void_below,
        }
        return columns, profile_details(profiles, last_price, grid, keys)

    def _finish(self, rows: pl.DataFrame) -> pl.DataFrame:
        """The best spread there is, regime, confidence, and how the trades were signed."""
        rows = rows.with_columns(
            avg_spread_bps=pl.coalesce("quoted_spread_bps", "edge_intraday_spread_bps", "edge_daily_spread_bps")
        )
        rows = with_confidence(with_regime(rows, self._config), self._config)
        return rows.with_columns(meta__signing=_signing())


def _quote_columns(flow: QuoteFlow) -> dict[str, Floats]:
    return {
        "quoted_spread_bps": flow.spread_bps,
        "cks_ofi": flow.cks_ofi,
        **_fit_columns("cks_lambda", flow.cks),
    }


def _trade_columns(flow: TradeFlow) -> dict[str, Floats]:
    return {
        "signed_volume_share": flow.signed_share,
        "ofi": flow.ofi,
        "vpin": flow.vpin,
        "edge_intraday_spread_bps": flow.edge_spread * BPS,
        **_fit_columns("kyle_lambda", flow.kyle),
        **_fit_columns("hasbrouck_lambda", flow.hasbrouck),
        **{f"rule_{rule}": share for rule, share in flow.rule_shares.items()},
    }


def _age_minutes(n: int, *tapes: pl.DataFrame) -> Floats:
    """(n,): from the last event of any of the tapes to the key; NaN without one."""
    age = np.full(n, np.nan)
    for tape in filter(len, tapes):
        last = tape.group_by("key", maintain_order=True).agg((pl.col("now") - pl.col("timestamp")).min().alias("age"))
        keys = last["key"].to_numpy()
        age[keys] = np.fmin(age[keys], last["age"].dt.total_microseconds().to_numpy() * (1 / _US_PER_MINUTE))
    return age


def _fit_columns(name: str, fit: Fit) -> dict[str, Floats]:
    return {name: fit.slope, f"{name}_t": fit.t, f"{name}_r2": fit.r2}


def _signing() -> pl.Expr:
    """How the trades were signed, as shares of their number."""
    shares = [pl.format(f"{rule} {{}}%", (pl.col(f"rule_{rule}") * 100).round(0).cast(pl.Int64)) for rule in RULES]
    return pl.when(pl.col("trade_count") > 0).then(pl.concat_str(shares, separator=", "))
