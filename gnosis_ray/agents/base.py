"""What agents are, and what they share."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol, runtime_checkable

from gnosis_ray.schemas.core_schemas import StandardSnapshot, Suggestion, TradeIdea


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
    """The ideas, and where there is none the reason, as a word."""

    ideas: list[TradeIdea] = field(default_factory=list)
    dropped: str | None = None


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


def stable_id(config_hash: str, symbol: str, timestamp: datetime, layer: str) -> str:
    """The id of what one layer said: from what it is about, never from chance or order of arrival."""
    text = f"{config_hash}|{symbol}|{timestamp.isoformat()}|{layer}"
    return hashlib.blake2b(text.encode(), digest_size=10).hexdigest()
