"""The weighted vote of the primary agents."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from gnosis_ray.schemas.core_schemas import DIRECTION, Suggestion


@dataclass(frozen=True)
class Camp:
    """The agents on one side: their share of all weight, and their pull, sum(w c) / sum of all w."""

    share: float = 0.0
    pull: float = 0.0


@dataclass(frozen=True)
class Vote:
    """``value`` = sum(w c direction) / sum(w), in -1..1, and the two camps."""

    value: float
    long: Camp
    short: Camp
    arithmetic: str

    @property
    def opposed_share(self) -> float:
        """Weight that votes against the outcome; of an even vote, the smaller camp."""
        if self.value == 0:
            return min(self.long.share, self.short.share)
        return self.short.share if self.value > 0 else self.long.share

    @property
    def lesser_pull(self) -> float:
        """Pull of the weaker camp: 0 where nobody disagrees."""
        return min(self.long.pull, self.short.pull)


def take_vote(suggestions: Sequence[Suggestion], weights: Mapping[str, float]) -> Vote:
    """The vote of all suggestions, by the weight of their layers.

    An agent with confidence 0 adds nothing to either camp, whatever its action, but its weight stays in the
    denominator: missing measurements lower the confidence of the rest.
    """
    total = sum(weights[s.layer] for s in suggestions)
    if total == 0:
        return Vote(0.0, Camp(), Camp(), "nobody voted")
    rising, falling = (_camp(suggestions, weights, side, total) for side in (1, -1))
    value = sum(weights[s.layer] * s.confidence * DIRECTION[s.action] for s in suggestions) / total
    terms = [_term(s, weights[s.layer]) for s in suggestions]
    return Vote(value, rising, falling, f"({' + '.join(terms)}) / {total:g} = {value:+.3f}")


def _camp(suggestions: Sequence[Suggestion], weights: Mapping[str, float], side: int, total: float) -> Camp:
    members = [s for s in suggestions if DIRECTION[s.action] == side and s.confidence > 0]
    share = sum(weights[s.layer] for s in members) / total
    return Camp(share, sum(weights[s.layer] * s.confidence for s in members) / total)


def _term(suggestion: Suggestion, weight: float) -> str:
    name = suggestion.layer.removeprefix("primary_")
    return f"{name} {weight:g} x {suggestion.confidence * DIRECTION[suggestion.action] + 0.0:+.2f}"
