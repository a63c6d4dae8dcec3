"""Texts for the names in a ledger: degradations, regimes, outcomes of strategies."""

from __future__ import annotations

from collections.abc import Mapping

from gnosis_ray.schemas.core_schemas import EngineKind

ENGINE_TITLES: Mapping[EngineKind, str] = {
    "hedge": "Dealer hedging",
    "liquidity": "Liquidity",
    "sentiment": "Sentiment",
    "elasticity": "Energy to move",
}

_REASONS: Mapping[tuple[EngineKind | None, str], str] = {
    (None, "no_chain"): "No option chain was known at this moment.",
    (None, "no_bars"): "No daily bars were known, or too few of them to measure volume and volatility.",
    (None, "stale_quotes"): "The option quotes are from an earlier session: walls and volatilities may have moved.",
    (None, "stale_bars"): "The last daily bar is old: the price may have moved since.",
    (None, "short_history"): "There are fewer daily bars than the measurement wants.",
    (None, "price_break"): "The price series has a break, as after an unadjusted split: older bars were left out.",
    (None, "share_change"): "The share count changed, as in a split: bars before it were left out.",
    (None, "open_interest_unavailable"): "Open interest is missing near the money: the positions are unknown.",
    (None, "no_volume"): "The bars report no volume.",
    ("hedge", "open_interest_unavailable"): (
        "Open interest is missing near the money: nobody can say what dealers hold, so no gamma, walls or zero gamma."
    ),
    ("hedge", "no_implied_vol"): "Most open interest has no believable volatility: dealers' gamma cannot be measured.",
    ("hedge", "last_smile"): (
        "Part of the volatilities come from last trades, for want of two-sided quotes: good to measure, not to trade."
    ),
    ("hedge", "missing_greeks"): "The chain has no greeks and they could not be computed.",
    ("hedge", "bad_rows"): "Part of the chain was impossible (prices, strikes or dates) and was left out.",
    ("liquidity", "no_trades"): "No trades: order flow is unknown; volume by price is spread over each day's range.",
    ("liquidity", "few_trades"): "Too few trades in the window to read order flow.",
    ("liquidity", "unsigned_trades"): "For most of the volume it is unknown who was the aggressor.",
    ("liquidity", "stale_tape"): "The last trade or quote is old: the tape is of another hour.",
    ("liquidity", "no_quotes"): "No intraday quotes: the spread is estimated, not seen.",
    ("liquidity", "spread_unresolved"): "The bars do not resolve a spread.",
    ("sentiment", "volume_unavailable"): "The chain reports no volume: option flow is silent.",
    ("sentiment", "stale_quotes"): "The option volume is that of an earlier session.",
    ("sentiment", "open_interest_unavailable"): "Unusual volume cannot be measured without open interest.",
    ("sentiment", "no_news"): "No news in the window.",
    ("sentiment", "no_option_volume"): "No option traded near the money.",
    ("elasticity", "no_hedge"): "Dealers' part is unknown: the energy is that of liquidity alone.",
    ("elasticity", "no_liquidity"): "The liquidity engine had nothing to say.",
    ("elasticity", "no_implied_vol"): "No implied volatility: the day's expected move is taken from past bars.",
    ("elasticity", "no_movement"): "The bars show no volume or no movement: no energy can be computed.",
}

_REGIMES: Mapping[tuple[EngineKind, str], str] = {
    ("hedge", "illiquid_gamma"): "the options book cannot be weighed",
    ("hedge", "gamma_squeeze"): "dealers must chase the price: moves feed themselves",
    ("hedge", "pin"): "dealers hold the price at a wall that expires soon",
    ("hedge", "vanna_flow"): "changes of volatility move dealers more than the price does",
    ("hedge", "neutral"): "dealers' hedging has no special grip",
    ("liquidity", "thin_liquidity"): "little money moves the price far",
    ("liquidity", "one_sided_flow"): "one side does the trading",
    ("liquidity", "high_liquidity"): "deep: much money moves the price little",
    ("liquidity", "normal"): "neither thin nor deep",
    ("sentiment", "bullish_news"): "the news is good",
    ("sentiment", "bearish_news"): "the news is bad",
    ("sentiment", "mixed"): "a mood, not carried by news",
    ("sentiment", "quiet"): "hardly any mood",
    ("elasticity", "asymmetric_up"): "up is clearly cheaper than down",
    ("elasticity", "asymmetric_down"): "down is clearly cheaper than up",
    ("elasticity", "high_resistance"): "a percent costs much of a day's volume",
    ("elasticity", "low_resistance"): "a percent costs little of a day's volume",
    ("elasticity", "balanced"): "up and down cost about the same",
}

_OUTCOMES: Mapping[str, str] = {
    "chosen": "chosen",
    "alternative": "an alternative to the one chosen",
    "ranked_below": "could be traded, others come first",
    "not_needed": "only where nothing else can be traded",
    "stance_flat": "the stance is flat",
    "low_confidence": "the conviction is below the minimum for a trade",
    "no_chain": "there is no option chain",
    "stale_chain": "the option quotes are of an earlier session",
    "event_vol": "an event is priced into the near expiry: no premium is sold",
    "no_price": "there is no price to trade at",
    "stale_price": "the last price is too old to trade at",
    "price_disagreement": "chain and bars disagree on the price",
    "no_expected_move": "the expected move is unknown, so exits cannot be set",
    "no_expiry": "no expiry is within the days allowed",
    "no_contracts": "no contract is quoted tightly and held widely enough",
    "worthless_leg": "a leg to be sold has no bid",
    "impossible_quotes": "the quotes contradict each other",
    "no_profit_possible": "at these quotes it cannot win",
    "low_reward": "it can win too little for what it can lose",
    "costs_too_much": "spread and commission eat too much of it",
    "zero_units": "the risk budget does not buy one unit",
}

_NOT_FOR: Mapping[str, str] = {
    "stance_": "not meant for a {} stance",
    "volatility_": "not meant for {} volatility",
    "regime_": "not traded under {}",
}

ACTION_TEXTS: Mapping[str, str] = {
    "long": "long: expects a rise",
    "short": "short: expects a fall",
    "flat": "flat: no side",
    "spread": "spread: two camps, dealers hold the price",
    "complex": "complex: two camps, dealers do not hold the price",
}


def reason_text(kind: EngineKind, reason: str) -> str:
    """A degradation of an engine as a sentence; one that is not listed here by its name."""
    found = _REASONS.get((kind, reason)) or _REASONS.get((None, reason))
    return found or f"{spaced(reason)[:1].upper()}{spaced(reason)[1:]}."


def regime_text(kind: EngineKind, regime: str) -> str:
    """What a regime of an engine means; empty where it is not known here."""
    return _REGIMES.get((kind, regime), "")


def outcome_text(outcome: str) -> str:
    """The outcome of a strategy, or why there is no trade."""
    if outcome in _OUTCOMES:
        return _OUTCOMES[outcome]
    start = next((start for start in _NOT_FOR if outcome.startswith(start)), None)
    return spaced(outcome) if start is None else _NOT_FOR[start].format(spaced(outcome.removeprefix(start)))


def spaced(name: str) -> str:
    """``gamma_squeeze`` as words."""
    return name.replace("_", " ")
