"""ComposerAgentV1: a weighted vote, tempered by those it overrules."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from gnosis_ray.config import ComposerConfig
from gnosis_ray.errors import ConfigError
from gnosis_ray.schemas.core_schemas import ENGINE_KINDS, Action, StandardSnapshot, Suggestion

LAYER = "composer"
TRADING_DAYS = 252
DIRECTION: Mapping[Action, int] = {"long": 1, "short": -1, "flat": 0, "spread": 0, "complex": 0}
CARRIED = {
    "hedge": ("spot", "atm_iv_30d", "skew_25d", "sigma_daily", "adv_usd", "hedge_regime_energy"),
    "sentiment": ("sentiment_energy",),
    "elasticity": ("realised_vol_20d", "energy_to_move_1pct_up", "energy_to_move_1pct_down"),
}
"""What a trade agent needs, copied from the snapshot into ``forecast`` where present."""


@dataclass(frozen=True)
class Vote:
    """The outcome of a vote: ``value`` = sum(w c dir) / sum(w); the share of weight on each side of it."""

    value: float
    long_share: float
    short_share: float
    arithmetic: str

    @property
    def opposed_share(self) -> float:
        """Weight that votes against the outcome; of an even vote, the smaller camp."""
        if self.value == 0:
            return min(self.long_share, self.short_share)
        return self.short_share if self.value > 0 else self.long_share

    @property
    def split(self) -> bool:
        """Two directional camps stand against each other."""
        return self.long_share > 0 and self.short_share > 0


class ComposerAgentV1:
    """v = sum(w c dir) / sum(w) over the agents that spoke; one with confidence 0 votes 0.

    Directional where |v| reaches the threshold; confidence = |v| (1 - penalty x opposed weight share). Two camps
    below it: ``spread`` where dealers are long gamma, else ``complex``. Otherwise flat. Order does not matter.
    """

    def __init__(self, weights: Mapping[str, float], config: ComposerConfig) -> None:
        self._weights = dict(weights)
        self._config = config

    def compose(self, snapshot: StandardSnapshot, suggestions: list[Suggestion]) -> Suggestion:
        """The composite stance. Raises :class:`ConfigError` for a layer without a weight."""
        ordered = sorted(suggestions, key=lambda s: (s.layer, s.id))
        vote = self._vote(ordered)
        action = self._action(vote, snapshot)
        return Suggestion(
            id=f"{LAYER}:{snapshot.symbol}",
            layer=LAYER,
            symbol=snapshot.symbol,
            timestamp=snapshot.timestamp,
            action=action,
            confidence=min(1.0, abs(vote.value) * (1 - self._config.opposed_penalty * vote.opposed_share)),
            forecast=self._forecast(snapshot, ordered, vote),
            reasoning=_reasoning(vote, ordered),
            tags=_tags(snapshot, ordered),
        )

    def _vote(self, suggestions: list[Suggestion]) -> Vote:
        total, value, camps, terms = 0.0, 0.0, {1: 0.0, -1: 0.0}, []
        for suggestion in suggestions:
            weight = self._weight(suggestion.layer)
            direction = DIRECTION[suggestion.action]
            total += weight
            value += weight * suggestion.confidence * direction
            if direction and suggestion.confidence > 0:
                camps[direction] += weight
            terms.append(f"{weight:g} x {suggestion.confidence:.2f} x {direction:+d}")
        if total == 0:
            return Vote(0.0, 0.0, 0.0, "nobody voted")
        arithmetic = f"({' + '.join(terms)}) / {total:g} = {value / total:+.3f}"
        return Vote(value / total, camps[1] / total, camps[-1] / total, arithmetic)

    def _weight(self, layer: str) -> float:
        if layer not in self._weights:
            raise ConfigError(f"No weight for layer '{layer}': set composer.weights.{layer}", stage=LAYER)
        return self._weights[layer]

    def _action(self, vote: Vote, snapshot: StandardSnapshot) -> Action:
        if abs(vote.value) >= self._config.direction_threshold:
            return "long" if vote.value > 0 else "short"
        if vote.split:
            return "spread" if snapshot.hedge.get("effective_gex_usd_per_pct", 0.0) > 0 else "complex"
        return "flat"

    def _forecast(self, snapshot: StandardSnapshot, suggestions: list[Suggestion], vote: Vote) -> dict[str, float]:
        sections = {"hedge": snapshot.hedge, "sentiment": snapshot.sentiment, "elasticity": snapshot.elasticity}
        carried = {n: sections[kind][n] for kind, names in CARRIED.items() for n in names if n in sections[kind]}
        horizon = self._horizon(suggestions, vote)
        carried["horizon_days"] = horizon
        if "atm_iv_30d" in carried:
            carried["exp_move_pct"] = carried["atm_iv_30d"] * math.sqrt(horizon / TRADING_DAYS) * 100
        elif "sigma_daily" in carried:
            carried["exp_move_pct"] = carried["sigma_daily"] * math.sqrt(horizon) * 100
        return carried

    def _horizon(self, suggestions: list[Suggestion], vote: Vote) -> float:
        """The weighted mean horizon of those who carry the vote; the configured one where none says."""
        winners = [
            (self._weight(s.layer) * s.confidence, s.forecast["horizon_days"])
            for s in suggestions
            if "horizon_days" in s.forecast and DIRECTION[s.action] * vote.value > 0
        ]
        total = sum(weight for weight, _ in winners)
        if total == 0:
            return self._config.default_horizon_days
        return sum(weight * days for weight, days in winners) / total


def _reasoning(vote: Vote, suggestions: list[Suggestion]) -> str:
    voices = [f"{s.layer.removeprefix('primary_')}: {s.reasoning}" for s in suggestions]
    return " ".join([*voices, f"Vote: {vote.arithmetic}, opposed {vote.opposed_share:.0%}."])


def _tags(snapshot: StandardSnapshot, suggestions: list[Suggestion]) -> list[str]:
    """What the agents tagged, and every engine's regime."""
    regimes = {snapshot.metadata[f"{k}.regime"] for k in ENGINE_KINDS if f"{k}.regime" in snapshot.metadata}
    return sorted(regimes.union(*(s.tags for s in suggestions)))
