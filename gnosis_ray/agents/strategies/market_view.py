"""What a stance means for a trader: a direction, a state of volatility, and by how much it moves the odds."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from gnosis_ray.agents.strategies.strategy_spec import VolatilityState
from gnosis_ray.config import TradeConfig
from gnosis_ray.schemas.conventions import TRADING_DAYS_PER_YEAR
from gnosis_ray.schemas.core_schemas import DIRECTION, Action, Suggestion

MOST_DRIFT = 0.5
"""Of the forward, either way, whatever moves are expected: a price stays above nothing."""
STATES: tuple[VolatilityState, ...] = ("cheap", "fair", "rich")


@dataclass(frozen=True)
class MarketView:
    """What a stance implies for trading.

    ``confidence`` of the trade in 0..1; ``implied`` and ``realised`` volatility a year; ``state`` of the one over the
    other; ``drift`` of the forward (a fraction) and ``vol_shift`` (a year) that the stance adds to the market's own
    distribution; ``move_pct`` one standard deviation over ``horizon_days`` trading days. None where unknown.
    """

    symbol: str
    as_of: datetime
    action: Action
    direction: int
    confidence: float
    tags: frozenset[str]
    implied: float | None
    realised: float | None
    state: VolatilityState | None
    drift: float
    vol_shift: float
    move_pct: float | None
    horizon_days: float | None
    forecast_return: float | None

    def before_an_event(self) -> MarketView:
        """The same where an event is priced in: what volatility was says nothing of what it will be."""
        return replace(self, vol_shift=0.0)

    @property
    def volatility_ratio(self) -> float | None:
        """Implied over realised volatility."""
        return self.implied / self.realised if self.implied and self.realised else None


def view_of(suggestion: Suggestion, as_of: datetime, config: TradeConfig) -> MarketView:
    """Reads a stance; the state of volatility is the composer's tag ``vol_cheap``, ``vol_fair`` or ``vol_rich``.

    The drift is alpha = information coefficient x confidence x direction x expected move (Grinold 1989: alpha =
    IC x volatility x score), or a model's ``exp_return_1d``, of which no more than one expected move is believed. The
    shift is the configured weight times what is expected volatility (a model's ``exp_vol_1d``, else the realised one)
    less the implied one. A volatility or a move that is not positive is unknown.
    """
    known = suggestion.forecast
    direction = DIRECTION[suggestion.action]
    implied, realised = _positive(known, "atm_iv_30d"), _positive(known, "realised_vol_20d")
    move, modelled = _positive(known, "exp_move_pct"), _positive(known, "exp_vol_1d")
    ratio = implied / realised if implied and realised else None
    confidence = suggestion.confidence if direction else _neutral_confidence(ratio, known.get("data_trust"), config)
    expected = modelled * math.sqrt(TRADING_DAYS_PER_YEAR) if modelled else realised
    most = min((move or 0.0) / 100, MOST_DRIFT)
    drift = known.get("exp_return_1d", config.information_coefficient * confidence * direction * most)
    return MarketView(
        symbol=suggestion.symbol,
        as_of=as_of,
        action=suggestion.action,
        direction=direction,
        confidence=confidence,
        tags=frozenset(suggestion.tags),
        implied=implied,
        realised=realised,
        state=next((state for state in STATES if f"vol_{state}" in suggestion.tags), None),
        drift=max(-most, min(most, drift)),
        vol_shift=config.realised_weight * (expected - implied) if expected and implied else 0.0,
        move_pct=move,
        horizon_days=known.get("horizon_days"),
        forecast_return=known.get("exp_return_1d"),
    )


def _positive(known: Mapping[str, float], name: str) -> float | None:
    value = known.get(name)
    return value if value is not None and value > 0 else None


def _neutral_confidence(ratio: float | None, trust: float | None, config: TradeConfig) -> float:
    """Trust in the data times how far implied volatility is off the realised one; capped, so that it stays small."""
    if ratio is None or trust is None:
        return 0.0
    strength = math.tanh(abs(math.log(ratio)) / config.volatility_view_scale)
    return max(0.0, min(trust * strength, config.neutral_max_confidence))
