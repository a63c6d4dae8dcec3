"""The contract of an option strategy (:class:`gnosis_ray.agents.strategies.strategy_spec.StrategySpec`)."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from datetime import datetime
from functools import cache

import polars as pl

from gnosis_ray.agents.strategies.strategy_spec import LegRule, StrategySpec, VolatilityState
from gnosis_ray.agents.trade_agent_v1 import TradeAgentV1
from gnosis_ray.market.adapters import EmptyAdapter
from gnosis_ray.plugins import BUILT_IN
from gnosis_ray.schemas.core_schemas import Action, Suggestion, TradeIdea
from gnosis_ray.testing.checking import require, require_picklable
from gnosis_ray.testing.samples import sample_config, sample_market, sample_stances

MakeStrategy = Callable[[], StrategySpec]

CONFIDENCE = 0.9
EQUITY_USD, RISK_USD = 1e7, 1e6
"""Enough for a unit of any strategy on the sample market."""

REALISED_SHARE: dict[VolatilityState, float] = {"cheap": 1.5, "fair": 1.0, "rich": 0.6}
"""Realised over implied volatility, by the state of the options."""


def check_declaration(make: MakeStrategy) -> None:
    """Check that a strategy is declared, with a name that is not taken, and the same each time it is made."""
    spec = make()
    require(isinstance(spec, StrategySpec), f"Expected a StrategySpec, was {type(spec).__name__}")
    require(spec.name.isidentifier(), f"Expected a name of letters, digits and _, was {spec.name!r}")
    require(spec.name not in BUILT_IN["strategies"], f"Expected a name that is not built in, was {spec.name!r}")
    require(spec == make(), "Expected the same declaration each time it is made")


def check_picklable(make: MakeStrategy) -> None:
    """Check that a strategy can be sent to another process."""
    require_picklable(make(), "a declaration")


def check_trades(make: MakeStrategy) -> None:
    """Check that a strategy can be traded on the sample market, under a stance that it is declared for."""
    spec = make()
    outcomes = [(stance, *_traded(spec, stance)) for stance in _stances(spec)]
    reasons = sorted({reason for _, ideas, reason in outcomes if not ideas})
    traded = any(ideas for _, ideas, _ in outcomes)
    require(traded, f"Expected a trade of {spec.name} on the sample market, was none: {', '.join(reasons)}")


def check_ideas(make: MakeStrategy) -> None:
    """Check that trades have the declared legs and finite figures."""
    spec = make()
    declared = sorted(_leg_kind(rule) for rule in spec.legs)
    for idea in _ideas(spec):
        found = sorted((leg.instrument_type, leg.direction, leg.qty) for leg in idea.legs)
        require(found == declared, f"Expected the legs {declared} of {spec.name}, was {found}")
        require(math.isfinite(idea.cost_per_unit), f"Expected a finite cost of {spec.name}, was {idea.cost_per_unit}")
        require(idea.max_loss > 0.0, f"Expected something to lose with {spec.name}, was {idea.max_loss}")
        require(idea.recommended_units > 0, f"Expected a unit of {spec.name} at least, was {idea.recommended_units}")


def check_pure(make: MakeStrategy) -> None:
    """Check that the same stance leads to the same trades each time."""
    require(list(_ideas(make())) == list(_ideas(make())), "Expected the same trades for the same stances each time")


CHECKS = (check_declaration, check_picklable, check_trades, check_ideas, check_pure)
"""Every check of a strategy."""


def check_strategy(make: MakeStrategy) -> None:
    """Run every check of a strategy.

    Parameters
    ----------
    make
        Makes the declaration, anew each time.

    Raises
    ------
    AssertionError
        For the first check that fails.
    """
    for check in CHECKS:
        check(make)


class StrategyContract:
    """Tests of a strategy: subclass it, and make the declaration."""

    def make_strategy(self) -> StrategySpec:
        """Make the strategy under test."""
        raise NotImplementedError

    def test_strategy_is_declared(self) -> None:
        """See :func:`check_declaration`."""
        check_declaration(self.make_strategy)

    def test_strategy_can_be_pickled(self) -> None:
        """See :func:`check_picklable`."""
        check_picklable(self.make_strategy)

    def test_strategy_can_be_traded(self) -> None:
        """See :func:`check_trades`."""
        check_trades(self.make_strategy)

    def test_trades_have_the_declared_legs_and_finite_figures(self) -> None:
        """See :func:`check_ideas`."""
        check_ideas(self.make_strategy)

    def test_strategy_is_pure(self) -> None:
        """See :func:`check_pure`."""
        check_pure(self.make_strategy)


def _leg_kind(rule: LegRule) -> tuple[str, str, int]:
    return rule.instrument_type, rule.direction, rule.ratio


def _stances(spec: StrategySpec) -> Iterator[Suggestion]:
    """The sample stances, turned to each action and state of volatility that the strategy is declared for."""
    actions: list[Action] = sorted(spec.stances)
    for stance in sample_stances():
        for action in actions:
            for state in sorted(spec.volatility):
                yield _turned(stance, spec, action, state)


def _turned(stance: Suggestion, spec: StrategySpec, action: Action, state: VolatilityState) -> Suggestion:
    implied = stance.forecast.get("atm_iv_30d", 0.0)
    forecast = {**stance.forecast, "realised_vol_20d": implied * REALISED_SHARE[state]}
    changes = {"action": action, "confidence": CONFIDENCE, "tags": [f"vol_{state}", f"use_{spec.name}"]}
    return Suggestion(**{**stance.model_dump(), **changes, "forecast": forecast})


class _SampleMarket(EmptyAdapter):
    """Chains and last bars of the sample market, each read once: many stances ask for the same."""

    def fetch_chain(self, symbol: str, now: datetime) -> pl.DataFrame:
        return _chain(symbol, now)

    def fetch_ohlcv(self, symbol: str, lookback: int, now: datetime) -> pl.DataFrame:
        return _bars(symbol, lookback, now)


@cache
def _chain(symbol: str, now: datetime) -> pl.DataFrame:
    return sample_market().fetch_chain(symbol, now)


@cache
def _bars(symbol: str, lookback: int, now: datetime) -> pl.DataFrame:
    return sample_market().fetch_ohlcv(symbol, lookback, now)


def _traded(spec: StrategySpec, stance: Suggestion) -> tuple[list[TradeIdea], str]:
    """The trades, and the reason where there is none."""
    limits = {"equity_usd": EQUITY_USD, "max_risk_usd": RISK_USD}
    config = sample_config().trade.replaced(strategies=(spec.name,), **limits)
    decision = TradeAgentV1(_SampleMarket(), config, [spec]).decide(stance)
    return decision.ideas, decision.dropped or ""


def _ideas(spec: StrategySpec) -> Iterator[TradeIdea]:
    return (idea for stance in _stances(spec) for idea in _traded(spec, stance)[0])
