"""TradeAgentV1: a stance becomes costed, sized trades with exits, or a reason why not."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Protocol

import polars as pl

from gnosis_ray.agents.base import TradeDecision
from gnosis_ray.agents.strategies.builtin_strategies import BUILTIN_STRATEGIES
from gnosis_ray.agents.strategies.candidate import Candidate, CandidateInputs, try_strategy
from gnosis_ray.agents.strategies.contracts import ContractBook
from gnosis_ray.agents.strategies.fills import StockQuote
from gnosis_ray.agents.strategies.market_view import MarketView, view_of
from gnosis_ray.agents.strategies.rationale import idea_of
from gnosis_ray.agents.strategies.selection import ranked, select_by_name, unsuitable
from gnosis_ray.agents.strategies.strategy_spec import StrategySpec
from gnosis_ray.config import TradeConfig
from gnosis_ray.errors import StageError
from gnosis_ray.market.market_data_adapter import MarketDataAdapter
from gnosis_ray.market.options_chain_adapter import OptionsChainAdapter
from gnosis_ray.schemas.core_schemas import Suggestion, TradeIdea

__all__ = ["TradeAdapter", "TradeAgentV1"]

STAGE = "trade_agent"
EVENT = "event_vol"
"""Tag, and reason: the near expiries are dear beside a later one."""
UNSUITED = ("stance_", "volatility_", "regime_")
"""Beginnings of reasons that only say that a strategy was not meant for this view."""


class TradeAdapter(OptionsChainAdapter, MarketDataAdapter, Protocol):
    """Chains and bars."""


class TradeAgentV1:
    """Chooses among declared strategies; one mechanism builds, prices, sizes and describes each of them.

    It keeps no memory of open trades.

    Parameters
    ----------
    adapter
        Where it reads the chain and the last bar, as of the suggestion.
    config
        ``config.trade``: the strategies by name, the account in USD, limits and costs.
    strategies
        Those that ``config.strategies`` may name.

    Raises
    ------
    ConfigError
        For the name of a strategy that is not among them.

    Examples
    --------
    >>> import gnosis_ray as gr
    >>> config = gr.load_config()
    >>> market, now = gr.open_market(config), config.data.synthetic.as_of
    >>> agent = gr.TradeAgentV1(market, config.trade)
    >>> flat = gr.Suggestion(
    ...     id="1", layer="composer", symbol="AAPL", timestamp=now, action="flat", confidence=0.0, reasoning=""
    ... )
    >>> agent.generate_trades(flat), agent.decide(flat).dropped
    ([], 'stance_flat')
    """

    def __init__(
        self, adapter: TradeAdapter, config: TradeConfig, strategies: Iterable[StrategySpec] = BUILTIN_STRATEGIES
    ) -> None:
        self._adapter = adapter
        self._config = config
        self._strategies = select_by_name(strategies, config.strategies)

    def generate_trades(self, suggestion: Suggestion) -> list[TradeIdea]:
        """Costed ideas for one stance, the best first.

        The suggestion needs its ``timestamp``: prices are of that moment, else StageError. A second idea is an
        alternative to the first, sized as if alone.
        """
        return self.decide(suggestion).ideas

    def decide(self, suggestion: Suggestion) -> TradeDecision:
        """The same, with the reason where there is no idea, and what became of every strategy."""
        if suggestion.timestamp is None:
            raise StageError("Expected a suggestion with a timestamp, was None", symbol=suggestion.symbol, stage=STAGE)
        view = view_of(suggestion, suggestion.timestamp, self._config)
        considered: dict[str, str] = {}
        suited = []
        for strategy in self._strategies:
            reason = unsuitable(strategy, view, self._config) or self._unsure(view)
            if reason:
                considered[strategy.name] = reason
            else:
                suited.append(strategy)
        if not suited:
            return TradeDecision(dropped=_furthest(considered), considered=considered)
        inputs, tags = self._inputs(suggestion, view, suited)
        if EVENT in tags:
            view = view.before_an_event()
        candidates = self._candidates(suited, view, inputs, tags, considered)
        ideas = self._ideas(candidates, suggestion, view, tags, considered)
        return TradeDecision(ideas=ideas, dropped=None if ideas else _furthest(considered), considered=considered)

    def _unsure(self, view: MarketView) -> str | None:
        least = self._config.min_confidence if view.direction else self._config.neutral_min_confidence
        return "low_confidence" if view.confidence < least else None

    def _candidates(
        self,
        suited: list[StrategySpec],
        view: MarketView,
        inputs: CandidateInputs,
        tags: list[str],
        considered: dict[str, str],
    ) -> list[Candidate]:
        """Candidates that fit; those of last resort only where nothing else does."""
        found: list[Candidate] = []
        for strategy in sorted(suited, key=lambda s: s.last_resort):
            if strategy.last_resort and found and not found[0].strategy.last_resort:
                considered[strategy.name] = "not_needed"
                continue
            eventful = strategy.short_premium and EVENT in tags
            tried = EVENT if eventful else try_strategy(strategy, view, inputs, self._config)
            if isinstance(tried, str):
                considered[strategy.name] = tried
            else:
                found.append(tried)
        return found

    def _ideas(
        self,
        candidates: list[Candidate],
        suggestion: Suggestion,
        view: MarketView,
        tags: list[str],
        considered: dict[str, str],
    ) -> list[TradeIdea]:
        most = 1 if view.action == "flat" else self._config.max_ideas
        ideas = []
        for place, candidate in enumerate(ranked(candidates)):
            outcome = "chosen" if place == 0 else "alternative" if place < most else "ranked_below"
            considered[candidate.strategy.name] = outcome
            if place < most:
                extra = [*tags, "alternative"] if place else tags
                ideas.append(idea_of(candidate, suggestion, view, extra))
        return ideas

    def _inputs(
        self, suggestion: Suggestion, view: MarketView, suited: list[StrategySpec]
    ) -> tuple[CandidateInputs, list[str]]:
        """The chain and the stock quote to trade against, and the tags that follow from them."""
        wanted = any(strategy.has_options for strategy in suited)
        book = self._book(suggestion.symbol, view.as_of) if wanted else "no_chain"
        stocked = any(leg.instrument_type == "STOCK" for strategy in suited for leg in strategy.legs)
        inputs = CandidateInputs(book, self._stock(suggestion, view) if stocked else "no_price")
        if isinstance(book, str):
            return inputs, [book] if wanted else []
        tags = ["open_interest_unknown"] if book.interest_unknown else []
        ratio = book.front_over_back
        return inputs, [*tags, EVENT] if ratio is not None and ratio > self._config.event_ratio else tags

    def _book(self, symbol: str, as_of: datetime) -> ContractBook | str:
        chain = self._adapter.fetch_chain(symbol, as_of)
        if chain.is_empty():
            return "no_chain"
        if chain["sessions_behind"][0] > 0:
            return "stale_chain"
        return ContractBook(chain, self._config)

    def _stock(self, suggestion: Suggestion, view: MarketView) -> StockQuote | str:
        """The last close, if chain and bars agree on it and the move is known; else the reason why not."""
        bars = self._adapter.fetch_ohlcv(suggestion.symbol, 1, view.as_of)
        priced = bars.filter(pl.col("close").is_finite() & (pl.col("close") > 0))
        if priced.is_empty():
            return "no_price"
        if view.as_of - priced["timestamp"][-1] > timedelta(days=self._config.max_price_age_days):
            return "stale_price"
        price = float(priced["close"][-1])
        if abs(suggestion.forecast.get("spot", price) / price - 1) > self._config.max_price_disagreement:
            return "price_disagreement"
        if view.move_pct is None:
            return "no_expected_move"
        return StockQuote(price, price * view.move_pct / 100)


def _furthest(considered: dict[str, str]) -> str:
    """The reason that says most: of a strategy that was tried, else of confidence, else of the view."""
    reasons = list(considered.values())
    telling = [reason for reason in reasons if not reason.startswith(UNSUITED)]
    return (telling or [reason for reason in reasons if not reason.startswith("stance_")] or reasons)[-1]
