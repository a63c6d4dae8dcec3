"""Scenarios of one symbol: a chain with quotes in cents, a stance, and the value of an idea computed by hand."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from gnosis_ray.agents.base import TradeDecision
from gnosis_ray.agents.strategies.builtin_strategies import BUILTIN_STRATEGIES
from gnosis_ray.agents.strategies.strategy_spec import StrategySpec
from gnosis_ray.agents.trade_agent_v1 import TradeAgentV1
from gnosis_ray.config import TradeConfig
from gnosis_ray.schemas.core_schemas import Action, Suggestion, TradeIdea
from tests.support.books import NOW, FixedAdapter, bars, book
from tests.support.components import settings

STRIKES = tuple(float(k) for k in np.arange(60.0, 142.5, 2.5))
DAYS = (14, 28, 42, 70)
REALISED = {"cheap": 0.40, "fair": 0.27, "rich": 0.20}
"""Of an implied volatility of .30."""
LARGE_EQUITY = settings(trade__equity_usd=5e6, trade__max_risk_usd=1e6).trade


def skew(moneyness: float) -> float:
    """Thirty points at the money, dearer below."""
    return 0.30 - 0.15 * moneyness + 0.2 * moneyness**2


def chain(
    smile: Callable[[float], float] = skew,
    *,
    spread: float = 0.02,
    interest: float = 2000.0,
    days: tuple[int, ...] = DAYS,
    **changes: Any,
) -> pl.DataFrame:
    """``columns.CHAIN`` around 100; quotes in cents outside the price, ``spread`` of it apart and a cent at least."""
    half = pl.col("mid_price") * (0.5 * spread) + 0.005
    rows = book(lambda *_: interest, strikes=STRIKES, days=days, smile=smile, **changes)
    return rows.with_columns(
        bid=((pl.col("mid_price") - half) * 100).floor().clip(0.0) * 0.01,
        ask=((pl.col("mid_price") + half) * 100).ceil() * 0.01,
        volume=pl.lit(300.0),
    ).with_columns(pl.col("bid", "ask").round(2))


def stance(
    action: Action = "long",
    confidence: float = 0.6,
    volatility: str | None = "fair",
    tags: Sequence[str] = (),
    trust: float = 0.9,
    **forecast: float,
) -> Suggestion:
    """A composite stance on a share of 100 with 30% of implied volatility."""
    known = {"spot": 100.0, "exp_move_pct": 4.0, "horizon_days": 5.0, "atm_iv_30d": 0.30, "data_trust": trust}
    states = []
    if volatility:
        known["realised_vol_20d"] = REALISED[volatility]
        states = [f"vol_{volatility}"]
    return Suggestion(
        id="c",
        layer="composer",
        symbol="AAA",
        timestamp=NOW,
        action=action,
        confidence=confidence,
        forecast=known | forecast,
        reasoning="because",
        tags=[*states, *tags],
    )


def decide(
    suggestion: Suggestion,
    rows: pl.DataFrame | None = None,
    config: TradeConfig = LARGE_EQUITY,
    strategies: Iterable[StrategySpec] = BUILTIN_STRATEGIES,
) -> TradeDecision:
    """What the agent makes of a stance on this chain and a share of 100."""
    adapter = FixedAdapter(chain() if rows is None else rows, bars(close=100.0))
    return TradeAgentV1(adapter, config, strategies).decide(suggestion)


def only(name: str, **flags: object) -> TradeConfig:
    """The settings of large equity with one strategy."""
    return settings(trade__equity_usd=5e6, trade__max_risk_usd=1e6, trade__strategies=[name], **flags).trade


def commissions(idea: TradeIdea, config: TradeConfig) -> float:
    """USD a unit."""
    return sum(
        leg.qty * (config.commission_per_share if leg.instrument_type == "STOCK" else config.commission_per_contract)
        for leg in idea.legs
    )


def shares(qty: int, kind: str) -> int:
    """Of the underlying that a leg stands for."""
    return qty if kind == "STOCK" else 100 * qty


def profit_at_expiry(idea: TradeIdea, prices: npt.ArrayLike, config: TradeConfig) -> npt.NDArray[np.float64]:
    """USD a unit, by hand, of legs of one expiry."""
    at = np.asarray(prices, dtype=np.float64)
    total = np.full_like(at, -commissions(idea, config))
    for leg in idea.legs:
        worth = at
        if leg.strike is not None:
            worth = np.maximum(at - leg.strike if leg.instrument_type == "C" else leg.strike - at, 0.0)
        sign = 1 if leg.direction == "buy" else -1
        total += sign * shares(leg.qty, leg.instrument_type) * (worth - (leg.price or 0.0))
    return total


def quotes(rows: pl.DataFrame) -> dict[tuple[str, float, str], tuple[float, float]]:
    """(expiry, strike, type) -> (bid, ask)."""
    read = rows.select(pl.col("expiry").cast(pl.String), "strike", "type", "bid", "ask").iter_rows()
    return {(day, strike, kind): (bid, ask) for day, strike, kind, bid, ask in read}
