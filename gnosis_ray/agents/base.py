"""What agents are, and what they share."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol, runtime_checkable

from gnosis_ray.schemas.core_schemas import Action, EngineKind, StandardSnapshot, Suggestion, TradeIdea

DIRECTION: Mapping[Action, int] = {"long": 1, "short": -1, "flat": 0, "spread": 0, "complex": 0}
"""Which way a stance looks."""

TREND_DAYS = 5
"""Bars behind ``ret_5d``."""


@runtime_checkable
class PrimaryAgent(Protocol):
    """Reads the fused snapshot, takes a stance."""

    def step(self, snapshot: StandardSnapshot) -> Suggestion:
        """The stance of this agent; ``timestamp`` may be left to the runner."""
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
    """The ideas, and where there is none the reason, as a word; ``considered``: what became of each strategy."""

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
class Reading:
    """What an agent makes of its measurements: a side, how sure in itself (0 to 1), and the numbers behind it."""

    action: Action = "flat"
    conviction: float = 0.0
    why: str = ""
    forecast: Mapping[str, float] = field(default_factory=dict)
    tags: frozenset[str] = frozenset()


def suggestion_of(layer: str, snapshot: StandardSnapshot, trust: float, reading: Reading) -> Suggestion:
    """The stance of ``layer``: its confidence is the engine's (``trust``) times the conviction.

    The id is the runner's to give; so is the timestamp.
    """
    return Suggestion(
        id=f"{layer}:{snapshot.symbol}",
        layer=layer,
        symbol=snapshot.symbol,
        action=reading.action,
        confidence=trust * reading.conviction,
        forecast=dict(reading.forecast),
        reasoning=reading.why,
        tags=sorted(reading.tags),
    )


def engine_trust(snapshot: StandardSnapshot, kind: EngineKind) -> float:
    """The confidence of an engine: coverage x freshness x data tier; 0 where it did not run."""
    return float(snapshot.metadata.get(f"{kind}.confidence", "0"))


def no_stance(layer: str, snapshot: StandardSnapshot, kind: EngineKind) -> Suggestion:
    """The vote of an agent whose engine has nothing to say: flat, 0, with the engine's own reason."""
    reason = snapshot.metadata.get(f"{kind}.degraded") or snapshot.metadata.get(f"{kind}.absent")
    return suggestion_of(layer, snapshot, 0.0, Reading(why=f"No stance: {reason or f'no {kind} measurement'}."))


def move_sigmas(snapshot: StandardSnapshot) -> float | None:
    """The five-day move in standard deviations of five days; None where either is unknown."""
    move, sigma = snapshot.elasticity.get("ret_5d"), snapshot.elasticity.get("sigma_daily")
    return move / (sigma * math.sqrt(TREND_DAYS)) if move is not None and sigma else None


def stable_id(config_hash: str, symbol: str, timestamp: datetime, layer: str) -> str:
    """The id of what one layer said: from what it is about, never from chance or order of arrival."""
    text = f"{config_hash}|{symbol}|{timestamp.isoformat()}|{layer}"
    return hashlib.blake2b(text.encode(), digest_size=10).hexdigest()
