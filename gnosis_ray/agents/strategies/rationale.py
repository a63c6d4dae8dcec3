"""A candidate as a trade idea, with its rationale: why, what, at which quotes, what to expect, when to leave."""

from __future__ import annotations

from math import inf

from gnosis_ray.agents.base import stable_id
from gnosis_ray.agents.strategies.candidate import Candidate
from gnosis_ray.agents.strategies.fills import FilledLeg
from gnosis_ray.agents.strategies.market_view import MarketView
from gnosis_ray.schemas.core_schemas import Suggestion, TradeIdea

USD_DIGITS = 6
"""Kept of sums of cents, so that they read as such."""
DEEP_DELTA = 0.8
"""|delta| of an option in the money, above which holding it may be worth less than exercising it."""


def idea_of(candidate: Candidate, suggestion: Suggestion, view: MarketView, tags: list[str]) -> TradeIdea:
    """The idea, with the suggestion's tags, ``tags`` and what its legs call for."""
    summary, odds = candidate.summary, candidate.odds
    risky = ["early_exercise_risk"] if any(early_exercise_risk(leg) for leg in candidate.legs) else []
    return TradeIdea(
        id=stable_id(suggestion.id, view.symbol, view.as_of, candidate.strategy.name),
        symbol=view.symbol,
        strategy_type=candidate.strategy.name,
        side=candidate.strategy.side,
        legs=[leg.trade_leg() for leg in candidate.legs],
        cost_per_unit=round(summary.cost, USD_DIGITS),
        max_loss=round(summary.max_loss, USD_DIGITS),
        max_profit=None if summary.max_profit is None else round(summary.max_profit, USD_DIGITS),
        breakeven_levels=[round(level, USD_DIGITS) for level in summary.breakevens],
        probability_of_profit=odds.probability_of_profit,
        expected_value=odds.expected_value,
        expected_edge=odds.expected_edge,
        target_exit_price=round(candidate.levels.target, USD_DIGITS),
        stop_loss_price=round(candidate.levels.stop, USD_DIGITS),
        recommended_units=candidate.units,
        confidence=view.confidence,
        rationale=rationale(candidate, view),
        tags=sorted({*suggestion.tags, *tags, *risky}),
    )


def early_exercise_risk(leg: FilledLeg) -> bool:
    """A European formula may be off: deep in the money, or a sold call whose dividend exceeds its time value."""
    if leg.contract is None:
        return False
    expiry = leg.contract.expiry
    w = 1.0 if leg.kind == "C" else -1.0
    intrinsic = max(0.0, w * (expiry.spot - leg.contract.strike))
    if intrinsic > 0 and abs(leg.contract.delta) > DEEP_DELTA:
        return True
    dividend = expiry.spot * expiry.carry * expiry.smile.tau
    return leg.kind == "C" and leg.sign < 0 and dividend > leg.mid - intrinsic


def rationale(candidate: Candidate, view: MarketView) -> str:
    """Two sentences with the numbers of the decision; the stance's own reasons stand in the suggestion."""
    legs = ", ".join(leg_text(leg) for leg in candidate.legs)
    trade = f"{legs[0].upper()}{legs[1:]}; {_odds(candidate)}; {_exits(candidate)}."
    return f"{_stance(view)}: {candidate.strategy.because}. {trade}"


def leg_text(leg: FilledLeg) -> str:
    """``buy 2026-08-21 320 C at 9.95 (9.80/10.10)``."""
    verb = "buy" if leg.sign > 0 else "sell"
    times = f" {leg.rule.ratio} x" if leg.rule.ratio != 1 else ""
    if leg.contract is None:
        return f"{verb}{times} stock at {leg.price:.2f}"
    contract = leg.contract
    name = f"{contract.expiry.day.isoformat()} {contract.strike:g} {leg.kind}"
    return f"{verb}{times} {name} at {leg.price:.2f} ({contract.bid:.2f}/{contract.ask:.2f})"


def _stance(view: MarketView) -> str:
    stance = f"{view.action.capitalize()} at {view.confidence:.2f}"
    ratio = view.volatility_ratio
    if ratio is None or view.implied is None or view.realised is None:
        return f"{stance}, volatility state unknown"
    return f"{stance}, volatility {view.state} ({view.implied:.1%} implied, {view.realised:.1%} realised)"


def _odds(candidate: Candidate) -> str:
    odds, summary = candidate.odds, candidate.summary
    risk = "unbounded" if summary.max_loss == inf else f"{summary.max_loss:,.2f}"
    kind = "cost" if summary.cost >= 0 else "credit"
    parts = [f"{kind} {abs(summary.cost):,.2f}", f"risk {risk}"]
    if odds.probability_of_profit is not None:
        parts.append(f"profits with {odds.probability_of_profit:.0%}")
    parts += [f"expected {odds.expected_value:+,.2f}", f"edge of the view {odds.expected_edge:+,.2f} USD a unit"]
    return ", ".join(parts)


def _exits(candidate: Candidate) -> str:
    levels = candidate.levels
    exits = f"leave at {levels.target:,.2f} or {levels.stop:,.2f}"
    return exits if levels.days is None else f"{exits} a unit, or {levels.days} days before expiry"
