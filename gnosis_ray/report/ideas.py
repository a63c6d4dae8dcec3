"""Texts and figures of trade ideas."""

from __future__ import annotations

import math

from gnosis_ray.charts.number_formats import dollars, percent, price
from gnosis_ray.options.payoff_diagram import exits_are_prices
from gnosis_ray.report.symbol_report import QuotedLeg
from gnosis_ray.schemas.core_schemas import TradeIdea, TradeLeg

_RIGHTS = {"C": "call", "P": "put"}


def leg_text(leg: TradeLeg) -> str:
    """``buy 1 x 2026-08-21 320 call``; ``sell 100 shares``. Of one unit."""
    if leg.instrument_type == "STOCK":
        return f"{leg.direction} {leg.qty:,} share{'' if leg.qty == 1 else 's'}"
    strike = "" if leg.strike is None else f" {leg.strike:g}"
    return f"{leg.direction} {leg.qty} x {leg.expiry}{strike} {_RIGHTS[leg.instrument_type]}"


def quote_cells(leg: QuotedLeg) -> tuple[str, str, str, str, str, str]:
    """Fill, bid, ask, volatility, delta, open interest; ``-`` where unknown."""
    quote = leg.quote
    fill = _or_dash(leg.leg.price, price)
    if quote is None:
        return fill, "-", "-", "-", "-", "-"
    return (
        fill,
        _or_dash(quote.bid, lambda usd: f"{usd:,.2f}"),
        _or_dash(quote.ask, lambda usd: f"{usd:,.2f}"),
        _or_dash(quote.iv, percent),
        _or_dash(quote.delta, lambda delta: f"{delta:+.2f}"),
        _or_dash(quote.open_interest, lambda count: f"{count:,.0f}"),
    )


def units_text(idea: TradeIdea) -> str:
    """``12 units``."""
    return f"{idea.recommended_units:,} unit{'' if idea.recommended_units == 1 else 's'}"


def confidence_text(idea: TradeIdea) -> str:
    """``18.7%``; for a neutral trade with the view that it is a confidence in, as that is not the stance."""
    text = percent(idea.confidence)
    return f"{text} in its view of volatility" if idea.side == "neutral" else text


def idea_figures(idea: TradeIdea) -> list[tuple[str, str, str]]:
    """Rows of name, figure a unit, figure of the position; what was not computed is left out."""
    units = idea.recommended_units
    rows = [
        _amount("cost" if idea.cost_per_unit >= 0 else "received", abs(idea.cost_per_unit), units),
        _amount("maximum loss", idea.max_loss, units),
        _amount("maximum profit", math.inf if idea.max_profit is None else idea.max_profit, units),
    ]
    if idea.expected_value is not None:
        rows.append(_amount("expected value, market's odds", idea.expected_value, units))
    if idea.expected_edge is not None:
        rows.append(_amount("edge that the stance adds", idea.expected_edge, units))
    if idea.breakeven_levels:
        rows.append(("breakeven at", " and ".join(f"{level:,.2f}" for level in idea.breakeven_levels), ""))
    if idea.probability_of_profit is not None:
        rows.append(("probability of profit", percent(idea.probability_of_profit), ""))
    return [*rows, *_exits(idea)]


def _exits(idea: TradeIdea) -> list[tuple[str, str, str]]:
    named = (("take profit at", idea.target_exit_price), ("stop at", idea.stop_loss_price))
    if exits_are_prices(idea):
        return [(name, f"{level:,.2f}", "") for name, level in named if level is not None]
    units, (target, stop) = idea.recommended_units, (level for _, level in named)
    rows = [] if target is None else [_amount("exit at a profit of", target - idea.cost_per_unit, units)]
    return rows if stop is None else [*rows, _amount("exit at a loss of", idea.cost_per_unit - stop, units)]


def _amount(name: str, usd: float, units: int) -> tuple[str, str, str]:
    return name, dollars(usd), dollars(usd * units) if units else dollars(0.0)


def _or_dash(value: float | None, write: object) -> str:
    return "-" if value is None or not callable(write) else str(write(value))
