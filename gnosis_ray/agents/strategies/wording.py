"""A candidate in words and as a contract: why, what, at which quotes, what to expect, when to leave."""

from __future__ import annotations

from math import inf

from gnosis_ray.agents.base import stable_id
from gnosis_ray.agents.strategies.candidate import Candidate
from gnosis_ray.agents.strategies.fills import FilledLeg
from gnosis_ray.agents.strategies.view import View
from gnosis_ray.schemas.core_schemas import Suggestion, TradeIdea

DEEP_DELTA = 0.8
"""|delta| of an option in the money, above which holding it may be worth less than exercising it."""


def idea_of(candidate: Candidate, suggestion: Suggestion, view: View, tags: list[str]) -> TradeIdea:
    """The idea, with the suggestion's tags, ``tags`` and what its legs call for."""
    summary, figures = candidate.figures.summary, candidate.figures
    risky = ["early_exercise_risk"] if any(early_exercise_risk(leg) for leg in candidate.legs) else []
    return TradeIdea(
        id=stable_id(suggestion.id, view.symbol, view.moment, candidate.strategy.name),
        symbol=view.symbol,
        strategy_type=candidate.strategy.name,
        side=candidate.strategy.side,
        legs=[leg.trade_leg() for leg in candidate.legs],
        cost_per_unit=summary.cost,
        max_loss=summary.max_loss,
        max_profit=summary.max_profit,
        breakeven_levels=list(summary.breakevens),
        probability_of_profit=figures.probability_of_profit,
        expected_value=figures.expected_value,
        expected_edge=figures.expected_edge,
        target_exit_price=candidate.levels.target,
        stop_loss_price=candidate.levels.stop,
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


def rationale(candidate: Candidate, view: View) -> str:
    """Two sentences with the numbers of the decision; the stance's own reasons stand in the suggestion."""
    legs = ", ".join(leg_in_words(leg) for leg in candidate.legs)
    return (
        f"{_stance(view)}: {candidate.strategy.because}. {legs.capitalize()}; {_odds(candidate)}; {_exits(candidate)}."
    )


def leg_in_words(leg: FilledLeg) -> str:
    """``buy 2026-08-21 320 C at 9.95 (9.80/10.10)``."""
    verb = "buy" if leg.sign > 0 else "sell"
    times = f" {leg.rule.ratio} x" if leg.rule.ratio != 1 else ""
    if leg.contract is None:
        return f"{verb}{times} stock at {leg.price:.2f}"
    contract = leg.contract
    name = f"{contract.expiry.day.isoformat()} {contract.strike:g} {leg.kind}"
    return f"{verb}{times} {name} at {leg.price:.2f} ({contract.bid:.2f}/{contract.ask:.2f})"


def _stance(view: View) -> str:
    said = f"{view.action.capitalize()} at {view.confidence:.2f}"
    ratio = view.volatility_ratio
    if ratio is None or view.implied is None or view.realised is None:
        return f"{said}, volatility state unknown"
    return f"{said}, volatility {view.state} ({view.implied:.1%} implied, {view.realised:.1%} realised)"


def _odds(candidate: Candidate) -> str:
    figures, summary = candidate.figures, candidate.figures.summary
    risk = "unbounded" if summary.max_loss == inf else f"{summary.max_loss:,.2f}"
    kind = "cost" if summary.cost >= 0 else "credit"
    said = [f"{kind} {abs(summary.cost):,.2f}", f"risk {risk}"]
    if figures.probability_of_profit is not None:
        said.append(f"profits with {figures.probability_of_profit:.0%}")
    said += [f"expected {figures.expected_value:+,.2f}", f"edge of the view {figures.expected_edge:+,.2f} USD a unit"]
    return ", ".join(said)


def _exits(candidate: Candidate) -> str:
    levels = candidate.levels
    said = f"leave at {levels.target:,.2f} or {levels.stop:,.2f}"
    return said if levels.days is None else f"{said} a unit, or {levels.days} days before expiry"
