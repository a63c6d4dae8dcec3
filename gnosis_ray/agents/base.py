"""The protocols of agents, and what agents share."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol, runtime_checkable

from gnosis_ray.schemas.core_schemas import Action, EngineKind, StandardSnapshot, Suggestion, TradeIdea

TREND_DAYS = 5
"""Bars behind ``ret_5d``."""


@runtime_checkable
class PrimaryAgent(Protocol):
    """Reads the fused snapshot, takes a stance.

    Examples
    --------
    >>> import gnosis_ray as gr
    >>> class AlwaysFlat:
    ...     def step(self, snapshot):
    ...         return gr.Suggestion(
    ...             id="flat", layer="flat", symbol=snapshot.symbol, action="flat", confidence=0.0, reasoning="no view"
    ...         )
    >>> isinstance(AlwaysFlat(), gr.PrimaryAgent)
    True
    >>> gr.testing.check_agent(AlwaysFlat, gr.testing.sample_snapshots())
    """

    def step(self, snapshot: StandardSnapshot) -> Suggestion:
        """Take a stance.

        Parameters
        ----------
        snapshot
            What the engines measured, finite; what could not be computed is absent. Not to be changed.

        Returns
        -------
        Suggestion
            In the agent's own ``layer``, always the same; ``confidence`` is the engine's times the agent's conviction,
            0 where it has nothing to stand on. ``timestamp`` and the final ``id`` may be left to the runner.

        Raises
        ------
        Exception
            Any: the symbol then fails at this agent's stage, the others do not.
        """
        ...


@runtime_checkable
class ComposerAgent(Protocol):
    """Makes one stance of several."""

    def compose(self, snapshot: StandardSnapshot, suggestions: list[Suggestion]) -> Suggestion:
        """The composite stance; the order of ``suggestions`` does not matter."""
        ...


@runtime_checkable
class TradeAgent(Protocol):
    """Turns a stance into costed trades."""

    def generate_trades(self, suggestion: Suggestion) -> list[TradeIdea]:
        """Costed ideas; empty where nothing is worth doing. Keeps no memory of open trades."""
        ...


@dataclass(frozen=True)
class TradeDecision:
    """The ideas, or ``dropped``: the reason why there is none; ``considered``: the outcome of each strategy by name."""

    ideas: list[TradeIdea] = field(default_factory=list)
    dropped: str | None = None
    considered: Mapping[str, str] = field(default_factory=dict)


@runtime_checkable
class DecidingTradeAgent(Protocol):
    """A trade agent that also says why it made nothing."""

    def decide(self, suggestion: Suggestion) -> TradeDecision:
        """Ideas, or the reason why there is none."""
        ...


@runtime_checkable
class Forecaster(Protocol):
    """A model of what comes next."""

    def predict(self, snapshot: StandardSnapshot) -> dict[str, float]:
        """Named forecasts, such as ``exp_return_1d``."""
        ...


@dataclass(frozen=True)
class Stance:
    """What an agent concludes: an action, its conviction in 0..1 (its engine's confidence apart), and the numbers."""

    action: Action = "flat"
    conviction: float = 0.0
    why: str = ""
    forecast: Mapping[str, float] = field(default_factory=dict)
    tags: frozenset[str] = frozenset()


def suggestion_of(layer: str, snapshot: StandardSnapshot, confidence: float, stance: Stance) -> Suggestion:
    """The stance of ``layer``: its confidence is the engine's (``confidence``) times the conviction.

    The id is the runner's to give; so is the timestamp.
    """
    return Suggestion(
        id=f"{layer}:{snapshot.symbol}",
        layer=layer,
        symbol=snapshot.symbol,
        action=stance.action,
        confidence=confidence * stance.conviction,
        forecast=dict(stance.forecast),
        reasoning=stance.why,
        tags=sorted(stance.tags),
    )


def engine_confidence(snapshot: StandardSnapshot, kind: EngineKind) -> float:
    """The confidence of an engine: coverage x freshness x data tier; 0 where it did not run."""
    summary = snapshot.engines.get(kind)
    return summary.confidence if summary else 0.0


def engine_regime(snapshot: StandardSnapshot, kind: EngineKind) -> str | None:
    """The regime that an engine found; None where it found none, or did not run."""
    summary = snapshot.engines.get(kind)
    return summary.regime if summary else None


def no_stance(layer: str, snapshot: StandardSnapshot, kind: EngineKind) -> Suggestion:
    """The vote of an agent whose engine measured nothing: flat, confidence 0, with the engine's own reason."""
    summary = snapshot.engines.get(kind)
    reason = ",".join(summary.degraded or summary.absent) if summary else ""
    return suggestion_of(layer, snapshot, 0.0, Stance(why=f"No stance: {reason or f'no {kind} measurement'}."))


def move_sigmas(snapshot: StandardSnapshot) -> float | None:
    """The five-day move in standard deviations of five days; None where either is unknown."""
    move, sigma = snapshot.elasticity.get("ret_5d"), snapshot.elasticity.get("sigma_daily")
    return move / (sigma * math.sqrt(TREND_DAYS)) if move is not None and sigma else None


def stable_id(config_hash: str, symbol: str, timestamp: datetime, layer: str) -> str:
    """The id of one layer's output: derived from what it is about, never from chance or order of arrival."""
    text = f"{config_hash}|{symbol}|{timestamp.isoformat()}|{layer}"
    return hashlib.blake2b(text.encode(), digest_size=10).hexdigest()
