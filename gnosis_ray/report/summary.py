"""A story in a few sentences."""

from __future__ import annotations

from gnosis_ray.charts.number_formats import dollars, percent, price
from gnosis_ray.report.glossary import spaced
from gnosis_ray.report.symbol_report import Considered, Story

NEAREST = ("chosen", "alternative", "ranked_below")
NOT_MEANT = ("stance_", "volatility_", "regime_")
"""Outcomes that stand first, and beginnings of those that stand last."""

TOLD_MOVE_PCT = 0.05
"""Self-feeding moves from here on are worth a sentence."""

QUIET = "quiet"
"""Regime of a mood too faint to be called one."""

EVEN = 0.02
"""Energies up and down closer than this are called the same."""


def in_short(story: Story) -> tuple[str, ...]:
    """What a trader should know first, a sentence or two each: stance, dealers, levels, energy, volume, mood."""
    told = (
        _stance(story),
        _prices(story),
        _dealers(story),
        _walls(story),
        _energy(story),
        _volume(story),
        _mood(story),
    )
    return tuple(sentence for sentence in told if sentence)


def by_outcome(story: Story) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """What became of the strategies, those nearest to a trade first: the outcome in words, and whose it is."""
    groups: dict[str, list[str]] = {}
    for one in sorted(story.considered, key=_nearness):
        groups.setdefault(one.words, []).append(one.strategy)
    return tuple((words, tuple(sorted(names))) for words, names in groups.items())


def _nearness(one: Considered) -> tuple[int, bool]:
    place = NEAREST.index(one.outcome) if one.outcome in NEAREST else len(NEAREST)
    return place, one.outcome.startswith(NOT_MEANT)


def _stance(story: Story) -> str:
    verdict = story.verdict
    said = f"The stance is {verdict.action} with confidence {percent(verdict.confidence)}"
    if verdict.vote is not None and verdict.threshold is not None:
        said += f" (vote {verdict.vote:+.2f}; it takes a side from {verdict.threshold:.2f} on)"
    if story.ideas:
        names = ", ".join(dict.fromkeys(spaced(idea.idea.strategy_type) for idea in story.ideas))
        if verdict.action == "flat":
            return f"{said}; a small trade that needs no side: {names}."
        return f"{said}; trade idea{'s' if len(story.ideas) > 1 else ''}: {names}."
    return f"{said}; no trade: {story.verdict.no_trade.words}." if story.verdict.no_trade else f"{said}."


def _prices(story: Story) -> str:
    """Where chain and last price disagree, which is which."""
    if story.price is None or story.spot is None or not story.apart:
        return ""
    apart = percent(story.price / story.spot - 1, signed=True)
    return (
        f"The last price is {price(story.price)}, {apart} from the {price(story.spot)} that the chain was quoted "
        "around: what is said of dealers belongs to the latter."
    )


def _dealers(story: Story) -> str:
    net = story.value("hedge", "gex_usd_per_pct")
    if net is None:
        notes = next((engine.degraded for engine in story.engines if engine.kind == "hedge"), ())
        return f"Dealers' hedging is unknown. {notes[0].words}" if notes else ""
    if net == 0:
        return "Dealers have no gamma to hedge."
    does = (
        "sell rises and buy falls, which holds the price" if net > 0 else "buy rises and sell falls, which feeds moves"
    )
    said = f"Dealers are {'long' if net > 0 else 'short'} gamma: {dollars(abs(net))} to trade per 1% move; they {does}."
    share = story.value("hedge", "hedge_share_of_volume")
    return said if share is None else f"{said} On an ordinary day that is {percent(share)} of the volume."


def _walls(story: Story) -> str:
    found = [
        f"{name} {price(level)} ({distance:+.1f}%)"
        for name, level, distance in (
            ("call wall", story.value("hedge", "call_wall"), story.value("hedge", "dist_call_wall_pct")),
            ("put wall", story.value("hedge", "put_wall"), story.value("hedge", "dist_put_wall_pct")),
            ("zero gamma", story.value("hedge", "zero_gamma"), story.value("hedge", "dist_zero_gamma_pct")),
        )
        if level is not None and distance is not None
    ]
    if not found:
        return ""
    ends = "" if story.value("hedge", "zero_gamma") is not None else "; gamma keeps its sign within 20% of the price"
    return f"Levels: {', '.join(found)}{ends}."


def _energy(story: Story) -> str:
    up, down = (story.value("elasticity", f"energy_to_move_1pct_{side}") for side in ("up", "down"))
    if up is None or down is None:
        return ""
    said = f"It takes {dollars(up)} of net buying to lift the price 1%, {dollars(down)} of selling to lower it 1%"
    easier = "" if abs(up / down - 1) <= EVEN else "; up is easier" if up < down else "; down is easier"
    feeding = story.value("elasticity", "self_feeding_move_pct") or 0.0
    tail = (
        f" Dealers' hedging alone carries a move of {feeding:.2g}% once it starts." if feeding >= TOLD_MOVE_PCT else ""
    )
    alone = "" if story.value("elasticity", "hedge_cost_1pct_up") is not None else ", dealers not counted"
    return f"{said}{easier}{alone}.{tail}"


def _volume(story: Story) -> str:
    poc, low, high = (story.value("liquidity", name) for name in ("poc", "value_area_low", "value_area_high"))
    if poc is None or low is None or high is None or story.price is None:
        return ""
    where = "above" if story.price > high else "below" if story.price < low else "inside"
    said = f"Most volume lies at {price(poc)}; the price is {where} the value area {price(low)} to {price(high)}"
    magnet = story.value("liquidity", "volume_magnet_level")
    score = story.value("liquidity", "volume_magnet_score")
    pull = "" if magnet is None or score is None else f", the nearest magnet is {price(magnet)} (pull {score:.2f} of 1)"
    return f"{said}{pull}."


def _mood(story: Story) -> str:
    score, confidence = story.value("sentiment", "sentiment_score"), story.value("sentiment", "sentiment_confidence")
    if score is None or confidence is None:
        return ""
    quiet = any(engine.kind == "sentiment" and engine.regime == QUIET for engine in story.engines)
    mood = "There is hardly any mood" if quiet else f"The mood is {'bullish' if score > 0 else 'bearish'}"
    return f"{mood}: {score:+.2f} on a scale of -1 to 1, confidence {percent(confidence)}."
