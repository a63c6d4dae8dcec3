"""Plug-ins at work: every call names the plug-in in what goes wrong, and what it returns is checked.

The wrappers are of a class with the plug-in's own name, which failures name as their stage.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

import polars as pl

from gnosis_ray.agents.base import PrimaryAgent
from gnosis_ray.engines.sentiment.frame_processor import (
    FrameProcessor,
    SentimentProcessor,
    checked_answer,
    checked_scores,
)
from gnosis_ray.errors import GnosisError, ProviderError, StageError, require_no_fault_of_machine, text_of
from gnosis_ray.interrupts import failures_as
from gnosis_ray.market.columns import UTC_TIME
from gnosis_ray.market.datasets import DATASETS
from gnosis_ray.market.frame_faults import chain_fault, column_fault, finite_fault, order_fault, time_fault
from gnosis_ray.market.source import MarketSource
from gnosis_ray.pipeline.entry_checks import checked_suggestion
from gnosis_ray.plugins import Plugin
from gnosis_ray.schemas.core_schemas import DataKind, StandardSnapshot, Suggestion, to_utc
from gnosis_ray.schemas.expectations import was


def plugged_agent(plugin: Plugin, agent: PrimaryAgent) -> PrimaryAgent:
    """The agent of a plug-in."""
    made: PrimaryAgent = _named_like(agent, _PluggedAgent)(plugin, agent)
    return made


def plugged_processor(
    plugin: Plugin, processor: FrameProcessor | SentimentProcessor
) -> FrameProcessor | SentimentProcessor:
    """The sentiment processor of a plug-in, of single symbols or of batches as it is itself."""
    wrapper = _PluggedFrameProcessor if isinstance(processor, FrameProcessor) else _PluggedProcessor
    made: FrameProcessor | SentimentProcessor = _named_like(processor, wrapper)(plugin, processor)
    return made


def plugged_source(plugin: Plugin, source: MarketSource) -> MarketSource:
    """The market data of a plug-in."""
    made: MarketSource = _named_like(source, _PluggedSource)(plugin, source)
    return made


class _PluggedAgent:
    def __init__(self, plugin: Plugin, agent: PrimaryAgent) -> None:
        self._plugin, self._agent = plugin, agent

    def step(self, snapshot: StandardSnapshot) -> Suggestion:
        with _failing_as(StageError, self._plugin):
            return checked_suggestion(self._agent.step(snapshot), snapshot.symbol, snapshot.timestamp)


class _PluggedProcessor:
    def __init__(self, plugin: Plugin, processor: SentimentProcessor) -> None:
        self._plugin, self._processor = plugin, processor
        self.name = getattr(processor, "name", None)
        self.data_requirements = getattr(processor, "data_requirements", None)

    def compute(self, symbol: str, now: datetime) -> tuple[float, float]:
        with _failing_as(StageError, self._plugin):
            return checked_answer(self._processor.compute(symbol, now), symbol)


class _PluggedFrameProcessor(FrameProcessor):
    def __init__(self, plugin: Plugin, processor: FrameProcessor) -> None:
        self._plugin, self._processor = plugin, processor
        self.name = processor.name
        self.data_requirements = processor.data_requirements

    def load(self, keys: pl.DataFrame) -> pl.DataFrame:
        with _failing_as(StageError, self._plugin):
            return self._processor.load(keys)

    def score(self, keys: pl.DataFrame, table: pl.DataFrame) -> pl.DataFrame:
        return self.score_with_items(keys, table)[0]

    def score_with_items(self, keys: pl.DataFrame, table: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
        with _failing_as(StageError, self._plugin):
            return checked_scores(self._processor, keys, table)


class _PluggedSource:
    def __init__(self, plugin: Plugin, source: MarketSource) -> None:
        self._plugin, self._source = plugin, source
        self.name: str = source.name
        self.synthetic: bool = source.synthetic

    def raw_chains(self, keys: pl.DataFrame) -> pl.DataFrame:
        return self._checked("chains", lambda: self._source.raw_chains(keys), keys)

    def bars(self, keys: pl.DataFrame, lookback: int) -> pl.DataFrame:
        return self._checked("bars", lambda: self._source.bars(keys, lookback), keys)

    def trades(self, keys: pl.DataFrame, lookback_minutes: int) -> pl.DataFrame:
        return self._checked("trades", lambda: self._source.trades(keys, lookback_minutes), keys)

    def quotes(self, keys: pl.DataFrame, lookback_minutes: int) -> pl.DataFrame:
        return self._checked("quotes", lambda: self._source.quotes(keys, lookback_minutes), keys)

    def news(self, keys: pl.DataFrame, lookback_hours: int) -> pl.DataFrame:
        return self._checked("news", lambda: self._source.news(keys, lookback_hours), keys)

    def default_as_of(self, now: datetime) -> datetime:
        with _failing_as(ProviderError, self._plugin):
            moment: object = self._source.default_as_of(now)
            if not isinstance(moment, datetime) or moment.tzinfo is None:
                raise ProviderError(f"default_as_of: Expected a moment with a time zone, was {was(moment)}")
            return to_utc(moment)

    def _checked(self, kind: DataKind, read: Callable[[], object], keys: pl.DataFrame) -> pl.DataFrame:
        with _failing_as(ProviderError, self._plugin):
            frame = read()
            fault = _table_fault(kind, frame, keys)
            if fault is not None or not isinstance(frame, pl.DataFrame):
                raise ProviderError(f"{kind}: {fault}")
            return frame


def _table_fault(kind: DataKind, frame: object, keys: pl.DataFrame) -> str | None:
    data = DATASETS[kind]
    schema = pl.Schema({**data.schema, "timestamp": UTC_TIME})
    fault = column_fault(frame, schema)
    if fault is not None or not isinstance(frame, pl.DataFrame):
        return fault
    seen = chain_fault(frame, keys, data.event) if kind == "chains" else time_fault(frame, keys, data.event)
    return seen or order_fault(frame) or finite_fault(frame.select(schema.names()))


@contextmanager
def _failing_as(kind: type[StageError] | type[ProviderError], plugin: Plugin) -> Iterator[None]:
    """Raise what happens inside as an error that names the plug-in.

    A typed error, which the plug-in or the market data under it raised on purpose, keeps its type.
    """

    def named(error: BaseException) -> BaseException:
        require_no_fault_of_machine(error)
        if isinstance(error, GnosisError) and not isinstance(error, kind):
            return error
        text = error.message if isinstance(error, GnosisError) else f"{type(error).__name__}: {text_of(error)}"
        symbol = error.symbol if isinstance(error, GnosisError) else None
        cause = error.cause if isinstance(error, GnosisError) else type(error).__name__
        return kind(f"Plug-in {plugin}: {text}", symbol=symbol, cause=cause)

    with failures_as(named):
        yield


def _named_like(original: object, wrapper: type[Any]) -> type[Any]:
    return type(type(original).__name__, (wrapper,), {})
