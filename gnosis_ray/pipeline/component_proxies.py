"""Proxies of engines and agents that live in another process: the pipeline cannot tell the difference."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import polars as pl

from gnosis_ray.agents.base import ComposerAgent, PrimaryAgent, TradeAgent, TradeDecision
from gnosis_ray.engines.base import EngineData, EngineFrames, FrameEngine
from gnosis_ray.market.adapters import MarketAdapter
from gnosis_ray.market.data_requirements import ReferenceData
from gnosis_ray.pipeline.batch_pass import PipelineComponents
from gnosis_ray.schemas.core_schemas import EngineKind, StandardSnapshot, Suggestion, TradeIdea

COMPOSER = "composer"
TRADE_AGENT = "trade_agent"


MethodCaller = Callable[..., Any]
"""Calls a method, by its name, of a component elsewhere: returns what it returns, raises what it raises."""


class EngineProxy(FrameEngine):
    """A FrameEngine elsewhere. It reads its reference symbols itself, so none are read for it here."""

    def __init__(self, call: MethodCaller) -> None:
        self._call = call

    def load(self, keys: pl.DataFrame) -> EngineData:
        """See :class:`FrameEngine`."""
        data: EngineData = self._call("load", keys)
        return data

    def compute(
        self, keys: pl.DataFrame, data: EngineData, upstream: Mapping[EngineKind, EngineFrames]
    ) -> EngineFrames:
        """See :class:`FrameEngine`."""
        frames: EngineFrames = self._call("compute", keys, data, upstream)
        return frames

    def curves(self, own: EngineFrames, upstream: Mapping[EngineKind, EngineFrames]) -> pl.DataFrame:
        """See :class:`FrameEngine`."""
        curves: pl.DataFrame = self._call("curves", own, upstream)
        return curves


class PrimaryAgentProxy:
    """A PrimaryAgent elsewhere."""

    def __init__(self, call: MethodCaller) -> None:
        self._call = call

    def step(self, snapshot: StandardSnapshot) -> Suggestion:
        """See :class:`PrimaryAgent`."""
        said: Suggestion = self._call("step", snapshot)
        return said


class ComposerProxy:
    """A ComposerAgent elsewhere."""

    def __init__(self, call: MethodCaller) -> None:
        self._call = call

    def compose(self, snapshot: StandardSnapshot, suggestions: list[Suggestion]) -> Suggestion:
        """See :class:`ComposerAgent`."""
        said: Suggestion = self._call("compose", snapshot, suggestions)
        return said


class TradeAgentProxy:
    """A TradeAgent elsewhere."""

    def __init__(self, call: MethodCaller) -> None:
        self._call = call

    def generate_trades(self, suggestion: Suggestion) -> list[TradeIdea]:
        """See :class:`TradeAgent`."""
        ideas: list[TradeIdea] = self._call("generate_trades", suggestion)
        return ideas


class DecidingTradeAgentProxy(TradeAgentProxy):
    """A DecidingTradeAgent elsewhere."""

    def decide(self, suggestion: Suggestion) -> TradeDecision:
        """See :class:`DecidingTradeAgent`."""
        decision: TradeDecision = self._call("decide", suggestion)
        return decision


class ProxyComponents:
    """A proxy for each of ``components``, which live in other processes.

    ``callers``: how to reach each, by role: an engine's kind, ``agent.<name>`` with the names of ``agent_names`` in the
    order of the agents, ``composer`` and ``trade_agent``.
    """

    def __init__(
        self, components: PipelineComponents, agent_names: tuple[str, ...], callers: Mapping[str, MethodCaller]
    ) -> None:
        self._components = components
        self._agent_names = agent_names
        self._callers = callers

    def engines(self, adapter: MarketAdapter) -> list[FrameEngine]:
        """A proxy of each engine: with its kind, its features, and what it requires."""
        return [_engine(engine, self._callers[engine.kind]) for engine in self._components.engines(adapter)]

    def primary_agents(self) -> list[PrimaryAgent]:
        """A proxy of each primary agent."""
        named = zip(self._agent_names, self._components.primary_agents(), strict=True)
        return [_like(agent, PrimaryAgentProxy)(self._callers[agent_role(name)]) for name, agent in named]

    def composer(self) -> ComposerAgent:
        """A proxy of the composer."""
        composer: ComposerAgent = _like(self._components.composer(), ComposerProxy)(self._callers[COMPOSER])
        return composer

    def trade_agent(self, adapter: MarketAdapter) -> TradeAgent:
        """A proxy of the trade agent; it gives the reason for no idea where that one does."""
        original = self._components.trade_agent(adapter)
        proxy = DecidingTradeAgentProxy if hasattr(original, "decide") else TradeAgentProxy
        agent: TradeAgent = _like(original, proxy)(self._callers[TRADE_AGENT])
        return agent


def agent_role(name: str) -> str:
    """The role of the primary agent that the settings call ``name``."""
    return f"agent.{name}"


def _engine(engine: FrameEngine, call: MethodCaller) -> FrameEngine:
    attributes = {
        "kind": engine.kind,
        "requires": engine.requires,
        "features": engine.features,
        "data_requirements": replace(engine.data_requirements, reference=ReferenceData()),
    }
    proxy: FrameEngine = _like(engine, EngineProxy, attributes)(call)
    return proxy


def _like(original: object, proxy: type[Any], attributes: Mapping[str, Any] | None = None) -> type[Any]:
    """``proxy`` under the original's class name, which failures name as their stage."""
    return type(type(original).__name__, (proxy,), dict(attributes or {}))
