"""A symbol's report in a few sentences."""

from __future__ import annotations

from gnosis_ray.charts.number_formats import dollars, percent, price
from gnosis_ray.report.glossary import spaced
from gnosis_ray.report.symbol_report import StrategyOutcome, SymbolReport

NEAREST = ("chosen", "alternative", "ranked_below")
NOT_MEANT = ("stance_", "volatility_", "regime_")
"""Outcomes that come first, and prefixes of those that come last."""

SELF_FEEDING_PCT = 0.05
"""Self-feeding moves from this size on get a sentence."""

QUIET = "quiet"
"""Regime of a sentiment too weak to have a sign."""

EASIER = {"asymmetric_up": "; up is easier", "asymmetric_down": "; down is easier"}
"""By the regime of elasticity: which way counts as easier is the engine's to say."""


def summary_sentences(report: SymbolReport) -> tuple[str, ...]:
    """The first things a trader should know: stance, dealers, levels, energy, volume, sentiment."""
    sentences = (
        _stance(report),
        _prices(report),
        _dealers(report),
        _walls(report),
        _energy(report),
        _volume(report),
        _mood(report),
    )
    return tuple(sentence for sentence in sentences if sentence)


def by_outcome(report: SymbolReport) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """Outcomes with the strategies that had them, those nearest to a trade first."""
    groups: dict[str, list[str]] = {}
    for one in sorted(report.considered, key=_nearness):
        groups.setdefault(one.text, []).append(one.strategy)
    return tuple((text, tuple(sorted(names))) for text, names in groups.items())


def _nearness(one: StrategyOutcome) -> tuple[int, bool]:
    place = NEAREST.index(one.outcome) if one.outcome in NEAREST else len(NEAREST)
    return place, one.outcome.startswith(NOT_MEANT)


def _stance(report: SymbolReport) -> str:
    composite = report.composite
    text = f"The stance is {composite.action} with confidence {percent(composite.confidence)}"
    if composite.vote is not None and composite.threshold is not None:
        text += f" (vote {composite.vote:+.2f}; it takes a side from {composite.threshold:.2f} on)"
    if report.ideas:
        names = ", ".join(dict.fromkeys(spaced(idea.idea.strategy_type) for idea in report.ideas))
        if composite.action == "flat":
            return f"{text}; a small trade that needs no side: {names}."
        return f"{text}; trade idea{'s' if len(report.ideas) > 1 else ''}: {names}."
    return f"{text}; no trade: {report.composite.no_trade.text}." if report.composite.no_trade else f"{text}."


def _prices(report: SymbolReport) -> str:
    """Both prices, if the chain and the last price disagree."""
    if report.price is None or report.spot is None or not report.prices_differ:
        return ""
    gap = percent(report.price / report.spot - 1, signed=True)
    return (
        f"The last price is {price(report.price)}, {gap} from the {price(report.spot)} that the chain was quoted "
        "around: the figures of dealers refer to the latter."
    )


def _dealers(report: SymbolReport) -> str:
    net = report.value("hedge", "gex_usd_per_pct")
    if net is None:
        notes = next((engine.degraded for engine in report.engines if engine.kind == "hedge"), ())
        return f"Dealers' hedging is unknown. {notes[0].text}" if notes else ""
    if net == 0:
        return "Dealers have no gamma to hedge."
    does = (
        "sell rises and buy falls, which holds the price" if net > 0 else "buy rises and sell falls, which feeds moves"
    )
    text = f"Dealers are {'long' if net > 0 else 'short'} gamma: {dollars(abs(net))} to trade per 1% move; they {does}."
    share = report.value("hedge", "hedge_share_of_volume")
    return text if share is None else f"{text} On an ordinary day that is {percent(share)} of the volume."


def _walls(report: SymbolReport) -> str:
    found = [
        f"{name} {price(level)} ({distance:+.1f}%)"
        for name, level, distance in (
            ("call wall", report.value("hedge", "call_wall"), report.value("hedge", "dist_call_wall_pct")),
            ("put wall", report.value("hedge", "put_wall"), report.value("hedge", "dist_put_wall_pct")),
            ("zero gamma", report.value("hedge", "zero_gamma"), report.value("hedge", "dist_zero_gamma_pct")),
        )
        if level is not None and distance is not None
    ]
    if not found:
        return ""
    ends = "" if report.value("hedge", "zero_gamma") is not None else "; gamma keeps its sign within 20% of the price"
    return f"Levels: {', '.join(found)}{ends}."


def _energy(report: SymbolReport) -> str:
    up, down = (report.value("elasticity", f"energy_to_move_1pct_{side}") for side in ("up", "down"))
    if up is None or down is None:
        return ""
    text = f"It takes {dollars(up)} of net buying to lift the price 1%, {dollars(down)} of selling to lower it 1%"
    regime = next((engine.regime for engine in report.engines if engine.kind == "elasticity"), None)
    easier = EASIER.get(regime or "", "")
    feeding = report.value("elasticity", "self_feeding_move_pct") or 0.0
    tail = (
        f" Dealers' hedging alone carries a move of {feeding:.2g}% once it starts."
        if feeding >= SELF_FEEDING_PCT
        else ""
    )
    alone = "" if report.value("elasticity", "hedge_cost_1pct_up") is not None else ", dealers not counted"
    return f"{text}{easier}{alone}.{tail}"


def _volume(report: SymbolReport) -> str:
    poc, low, high = (report.value("liquidity", name) for name in ("poc", "value_area_low", "value_area_high"))
    if poc is None or low is None or high is None or report.price is None:
        return ""
    where = "above" if report.price > high else "below" if report.price < low else "inside"
    text = f"Most volume lies at {price(poc)}; the price is {where} the value area {price(low)} to {price(high)}"
    magnet = report.value("liquidity", "volume_magnet_level")
    score = report.value("liquidity", "volume_magnet_score")
    pull = "" if magnet is None or score is None else f", the nearest magnet is {price(magnet)} (pull {score:.2f} of 1)"
    return f"{text}{pull}."


def _mood(report: SymbolReport) -> str:
    score, confidence = report.value("sentiment", "sentiment_score"), report.value("sentiment", "sentiment_confidence")
    if score is None or confidence is None:
        return ""
    quiet = any(engine.kind == "sentiment" and engine.regime == QUIET for engine in report.engines)
    mood = "There is hardly any mood" if quiet else f"The mood is {'bullish' if score > 0 else 'bearish'}"
    return f"{mood}: {score:+.2f} on a scale of -1 to 1, confidence {percent(confidence)}."
