"""TradeAgentV1: a stance becomes a costed, sized trade with exits, or a reason why not."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import timedelta

import polars as pl

from gnosis_ray.agents.base import TradeDecision, stable_id
from gnosis_ray.config import TradeConfig
from gnosis_ray.engines.inputs.adapters import MarketDataAdapter
from gnosis_ray.errors import StageError
from gnosis_ray.schemas.core_schemas import Suggestion, TradeIdea, TradeLeg

STAGE = "trade_agent"
UNBOUNDED_STOPS = 3
"""Stop distances that stand for the loss of a trade whose loss has no bound."""


@dataclass(frozen=True)
class StockQuote:
    """What a share costs now, USD, and one standard deviation of its move over the horizon, USD."""

    price: float
    move: float


class TradeAgentV1:
    """``long`` becomes long stock, ``short`` becomes short stock; anything else, or too little conviction, nothing.

    Buys at price plus half the spread, sells at price less it, pays a commission a share. Units without a model's
    forecast = floor(min(risk_fraction x equity x confidence, cap) / loss), where loss is the maximum loss, or three
    stop distances where that is unbounded. No memory of open trades.
    """

    def __init__(self, adapter: MarketDataAdapter, config: TradeConfig) -> None:
        self._adapter = adapter
        self._config = config

    def generate_trades(self, suggestion: Suggestion) -> list[TradeIdea]:
        """Costed ideas for one stance. The suggestion needs its ``timestamp``: prices are of that moment."""
        return self.decide(suggestion).ideas

    def decide(self, suggestion: Suggestion) -> TradeDecision:
        """The same, with the reason where there is no idea."""
        if suggestion.action not in ("long", "short"):
            return TradeDecision(dropped=f"stance_{suggestion.action}")
        if suggestion.confidence < self._config.min_confidence:
            return TradeDecision(dropped="low_confidence")
        quote = self._quote(suggestion)
        if isinstance(quote, str):
            return TradeDecision(dropped=quote)
        idea = self._long(suggestion, quote) if suggestion.action == "long" else self._short(suggestion, quote)
        return TradeDecision(ideas=[idea]) if idea.recommended_units > 0 else TradeDecision(dropped="zero_units")

    def _quote(self, suggestion: Suggestion) -> StockQuote | str:
        """The last close, if chain and bars agree on it and the move is known; else the reason why not."""
        if suggestion.timestamp is None:
            raise StageError("Expected a suggestion with a timestamp, was None", symbol=suggestion.symbol, stage=STAGE)
        bars = self._adapter.fetch_ohlcv(suggestion.symbol, 1, suggestion.timestamp)
        priced = bars.filter(pl.col("close").is_finite() & (pl.col("close") > 0))
        if priced.is_empty():
            return "no_price"
        if suggestion.timestamp - priced["timestamp"][-1] > timedelta(days=self._config.max_price_age_days):
            return "stale_price"
        price = float(priced["close"][-1])
        spot = suggestion.forecast.get("spot", price)
        if abs(spot / price - 1) > self._config.max_price_disagreement:
            return "price_disagreement"
        if "exp_move_pct" not in suggestion.forecast:
            return "no_expected_move"
        return StockQuote(price, price * suggestion.forecast["exp_move_pct"] / 100)

    def _long(self, suggestion: Suggestion, quote: StockQuote) -> TradeIdea:
        cost = quote.price * (1 + self._config.half_spread_bps / 1e4) + self._config.commission_per_share
        return TradeIdea(
            **_frame(suggestion, "long_stock"),
            side="long",
            legs=[TradeLeg(instrument_type="STOCK", direction="buy", qty=1)],
            cost_per_unit=cost,
            max_loss=cost,
            max_profit=None,
            breakeven_levels=[cost],
            target_exit_price=quote.price + self._config.target_sigma * quote.move,
            stop_loss_price=max(0.01, quote.price - self._config.stop_sigma * quote.move),
            recommended_units=self._units(suggestion.confidence, cost),
        )

    def _short(self, suggestion: Suggestion, quote: StockQuote) -> TradeIdea:
        proceeds = quote.price * (1 - self._config.half_spread_bps / 1e4) - self._config.commission_per_share
        stop_distance = self._config.stop_sigma * quote.move
        return TradeIdea(
            **_frame(suggestion, "short_stock"),
            side="short",
            legs=[TradeLeg(instrument_type="STOCK", direction="sell", qty=1)],
            cost_per_unit=-proceeds,
            max_loss=math.inf,
            max_profit=proceeds,
            breakeven_levels=[proceeds],
            target_exit_price=max(0.01, quote.price - self._config.target_sigma * quote.move),
            stop_loss_price=quote.price + stop_distance,
            recommended_units=self._units(suggestion.confidence, UNBOUNDED_STOPS * stop_distance),
        )

    def _units(self, confidence: float, loss_per_unit: float) -> int:
        risk = min(self._config.risk_fraction * self._config.equity_usd * confidence, self._config.max_risk_usd)
        return min(math.floor(risk / loss_per_unit), self._config.max_units) if loss_per_unit > 0 else 0


def _frame(suggestion: Suggestion, strategy: str) -> dict[str, object]:
    """What every idea takes over from the stance behind it."""
    if suggestion.timestamp is None:
        raise StageError("Expected a suggestion with a timestamp, was None", symbol=suggestion.symbol, stage=STAGE)
    return {
        "id": stable_id(suggestion.id, suggestion.symbol, suggestion.timestamp, strategy),
        "symbol": suggestion.symbol,
        "strategy_type": strategy,
        "confidence": suggestion.confidence,
        "rationale": suggestion.reasoning,
        "tags": suggestion.tags,
    }
