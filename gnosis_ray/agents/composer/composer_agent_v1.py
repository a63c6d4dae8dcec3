"""ComposerAgentV1: a weighted vote, reduced by the weight it overrules and adjusted for the market's regimes."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from gnosis_ray.agents.base import engine_confidence
from gnosis_ray.agents.composer.regime_rules import Adjustment, adjustments, regimes_of
from gnosis_ray.agents.composer.strategy_hints import PREFIX, hints, implied_over_realised, volatility_state
from gnosis_ray.agents.composer.vote import Vote, take_vote
from gnosis_ray.config import ComposerConfig
from gnosis_ray.errors import ConfigError
from gnosis_ray.schemas.conventions import TRADING_DAYS_PER_YEAR
from gnosis_ray.schemas.core_schemas import DIRECTION, ENGINE_KINDS, Action, StandardSnapshot, Suggestion

LAYER = "composer"
CARRIED = {
    "hedge": ("spot", "atm_iv_30d", "skew_25d", "sigma_daily", "adv_usd", "hedge_regime_energy"),
    "sentiment": ("sentiment_energy",),
    "elasticity": ("realised_vol_20d", "energy_to_move_1pct_up", "energy_to_move_1pct_down"),
}
"""What a trade agent needs, copied from the snapshot into ``forecast`` where present."""

FALLBACK = {"elasticity": ("sigma_daily", "adv_usd")}
"""From the bars alone, where the hedge engine did not run."""

FORECASTS = ("exp_return_1d", "exp_vol_1d", "p_up_1d")
"""A model's, copied where a primary suggestion carries them: the mean by weight and confidence, if several do."""


@dataclass(frozen=True)
class CompositeStance:
    """The composite action, its confidence in 0..1, and the regime factors applied to it."""

    action: Action
    confidence: float
    adjustments: Sequence[Adjustment]


class ComposerAgentV1:
    """v = sum(w c direction) / sum(w) over the agents that spoke; one with confidence 0 votes 0.

    Directional where |v| reaches the threshold; confidence = |v| (1 - penalty x opposed weight share), times the
    regimes' factors, at most 1. Two camps of ``min_camp`` or more below the threshold: ``spread`` where dealers are
    long gamma, else ``complex``. Otherwise flat. Order does not matter.

    Of a stance with a side: raising the confidence of an agent on that side, turning an agent to it, or adding one
    with a confidence of at least |v| never lowers the confidence. An agent less sure than |v| does: sum(w) counts it.

    Parameters
    ----------
    weights
        By layer, as the agents name theirs; ``config.composer.weights``.
    config
        ``config.composer``: the threshold, the penalty and the regimes' factors.

    Examples
    --------
    >>> import gnosis_ray as gr
    >>> config = gr.load_config()
    >>> now = config.data.synthetic.as_of
    >>> votes = [
    ...     gr.Suggestion(id=layer, layer=layer, symbol="AAPL", action="long", confidence=0.8, reasoning="")
    ...     for layer in ("primary_hedge", "primary_liquidity")
    ... ]
    >>> composer = gr.ComposerAgentV1(config.composer.weights, config.composer)
    >>> composer.compose(gr.StandardSnapshot(symbol="AAPL", timestamp=now), votes).action
    'long'
    """

    def __init__(self, weights: Mapping[str, float], config: ComposerConfig) -> None:
        self._weights = dict(weights)
        self._config = config

    def compose(self, snapshot: StandardSnapshot, suggestions: list[Suggestion]) -> Suggestion:
        """The composite stance. Raises :class:`ConfigError` for a layer without a weight."""
        ordered = sorted(suggestions, key=lambda s: (s.layer, s.id, s.action, s.confidence))
        for suggestion in ordered:
            self._require_weight(suggestion.layer)
        vote = take_vote(ordered, self._weights)
        stance = self._stance(vote, snapshot)
        ratio = implied_over_realised(snapshot)
        return Suggestion(
            id=f"{LAYER}:{snapshot.symbol}",
            layer=LAYER,
            symbol=snapshot.symbol,
            timestamp=snapshot.timestamp,
            action=stance.action,
            confidence=stance.confidence,
            forecast=self._forecast(snapshot, ordered, vote),
            reasoning=" ".join([*_reasonings(ordered), self._arithmetic(vote, stance), *self._cost_of_options(ratio)]),
            tags=self._tags(snapshot, ordered, stance.action, ratio),
        )

    def _require_weight(self, layer: str) -> None:
        if layer not in self._weights:
            raise ConfigError(f"No weight for layer '{layer}': set composer.weights.{layer}", stage=LAYER)

    def _stance(self, vote: Vote, snapshot: StandardSnapshot) -> CompositeStance:
        sure = abs(vote.value) * (1 - self._config.opposed_penalty * vote.opposed_share)
        if abs(vote.value) < self._config.direction_threshold:
            return CompositeStance(self._without_a_side(vote, snapshot), min(1.0, sure), ())
        side = 1 if vote.value > 0 else -1
        adjusted = adjustments(snapshot, side, self._config.regime_adjustments)
        confidence = sure * math.prod(a.factor for a in adjusted)
        return CompositeStance("long" if side > 0 else "short", min(1.0, confidence), adjusted)

    def _without_a_side(self, vote: Vote, snapshot: StandardSnapshot) -> Action:
        if vote.lesser_pull == 0 or vote.lesser_pull < self._config.min_camp:
            return "flat"
        return "spread" if snapshot.hedge.get("effective_gex_usd_per_pct", 0.0) > 0 else "complex"

    def _forecast(self, snapshot: StandardSnapshot, suggestions: list[Suggestion], vote: Vote) -> dict[str, float]:
        carried = {**_copied(snapshot, FALLBACK), **_copied(snapshot, CARRIED)}
        for name in FORECASTS:
            forecast = self._mean(name, suggestions)
            if forecast is not None:
                carried[name] = forecast
        carried["data_trust"] = self._data_trust(snapshot, suggestions)
        winners = [s for s in suggestions if DIRECTION[s.action] * vote.value > 0]
        horizon = self._mean("horizon_days", winners) or self._config.default_horizon_days
        carried["horizon_days"] = horizon
        if "atm_iv_30d" in carried:
            carried["exp_move_pct"] = carried["atm_iv_30d"] * math.sqrt(horizon / TRADING_DAYS_PER_YEAR) * 100
        elif "sigma_daily" in carried:
            carried["exp_move_pct"] = carried["sigma_daily"] * math.sqrt(horizon) * 100
        return carried

    def _mean(self, name: str, suggestions: Sequence[Suggestion]) -> float | None:
        """The mean of the forecasts of ``name``, by weight and confidence; None where none with a confidence does."""
        named = [(self._weights[s.layer] * s.confidence, s.forecast[name]) for s in suggestions if name in s.forecast]
        total = sum(weight for weight, _ in named)
        return sum(weight * value for weight, value in named) / total if total else None

    def _data_trust(self, snapshot: StandardSnapshot, suggestions: Sequence[Suggestion]) -> float:
        """Weighted mean confidence of the engines behind the agents that spoke; 0 for one that is absent.

        An agent of another layer than ``primary_{engine}`` stands on no engine in particular and is left out.
        """
        engines = {f"primary_{kind}": kind for kind in ENGINE_KINDS}
        known = [(self._weights[s.layer], engines[s.layer]) for s in suggestions if s.layer in engines]
        total = sum(weight for weight, _ in known)
        return sum(weight * engine_confidence(snapshot, kind) for weight, kind in known) / total if total else 0.0

    def _arithmetic(self, vote: Vote, stance: CompositeStance) -> str:
        """How the confidence was computed, in a line that can be checked by hand."""
        steps = f"Vote: {vote.arithmetic}, opposed {vote.opposed_share:.0%}"
        if stance.action not in ("long", "short"):
            least = self._config.direction_threshold
            return f"{steps}: {stance.action}, {least:g} would be a side; confidence {stance.confidence:.2f}."
        for adjustment in stance.adjustments:
            steps += f"; x {adjustment.factor:g}, {adjustment.why}"
        return f"{steps}: {stance.action}, confidence {stance.confidence:.2f}."

    def _cost_of_options(self, ratio: float | None) -> list[str]:
        state = volatility_state(ratio, self._config.volatility)
        return [] if ratio is None else [f"Options are {state}: implied {ratio:.2f} of realised volatility."]

    def _tags(
        self, snapshot: StandardSnapshot, suggestions: Sequence[Suggestion], action: Action, ratio: float | None
    ) -> list[str]:
        """Regimes, what the agents tagged and what options cost, sorted; then ``use_<strategy>``, best first."""
        regimes = regimes_of(snapshot)
        state = volatility_state(ratio, self._config.volatility)
        of_volatility = set() if state is None else {f"vol_{state}"}
        tags = sorted(regimes.union(of_volatility, *(s.tags for s in suggestions)))
        trend = snapshot.elasticity.get("ret_5d", 0.0)
        return tags + [f"{PREFIX}{name}" for name in hints(action, state, regimes, trend)]


def _copied(snapshot: StandardSnapshot, wanted: Mapping[str, Sequence[str]]) -> dict[str, float]:
    sections = {"hedge": snapshot.hedge, "sentiment": snapshot.sentiment, "elasticity": snapshot.elasticity}
    return {n: sections[kind][n] for kind, names in wanted.items() for n in names if n in sections[kind]}


def _reasonings(suggestions: Sequence[Suggestion]) -> list[str]:
    return [f"{s.layer.removeprefix('primary_')}: {s.reasoning}" for s in suggestions]
