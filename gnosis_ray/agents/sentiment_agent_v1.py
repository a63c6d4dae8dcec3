"""SentimentAgentV1: a stance with the mood, as far as the mood has energy."""

from __future__ import annotations

from gnosis_ray.agents.base import Stance, engine_confidence, move_sigmas, no_stance, suggestion_of
from gnosis_ray.config import SentimentAgentConfig
from gnosis_ray.schemas.core_schemas import DIRECTION, Action, StandardSnapshot, Suggestion

LAYER = "primary_sentiment"
CROWD = ("news", "flow")
"""Sources that are people: what they write and what they bet. The technical source is the price itself."""


class SentimentAgentV1:
    """Stands with the fused score; conviction = |score|, so that the confidence is the engine's energy.

    Flat below ``min_energy``. What people say and bet against a clear five-day move is a ``sentiment_divergence``, and
    a stance that goes with them against the price is ``contrarian``. A strong news score from fresh items is a
    ``news_shock``. An engine without confidence votes 0.

    Parameters
    ----------
    config
        ``config.agents.sentiment``: the least energy, the horizon in days and thresholds.

    Examples
    --------
    >>> import gnosis_ray as gr
    >>> config = gr.load_config()
    >>> snapshot = gr.StandardSnapshot(
    ...     symbol="AAPL",
    ...     timestamp=config.data.synthetic.as_of,
    ...     sentiment={"sentiment_score": -0.5},
    ...     engines={"sentiment": {"confidence": 0.8}},
    ... )
    >>> stance = gr.SentimentAgentV1(config.agents.sentiment).step(snapshot)
    >>> stance.action, stance.confidence
    ('short', 0.4)
    """

    def __init__(self, config: SentimentAgentConfig) -> None:
        self._config = config

    def step(self, snapshot: StandardSnapshot) -> Suggestion:
        """The stance for one snapshot; ``timestamp`` and the final ``id`` are left to the runner."""
        confidence, score = engine_confidence(snapshot, "sentiment"), snapshot.sentiment.get("sentiment_score")
        if confidence == 0.0 or score is None:
            return no_stance(LAYER, snapshot, "sentiment")
        energy = confidence * abs(score)
        action: Action = "flat" if energy < self._config.min_energy else "long" if score > 0 else "short"
        shock = self._shock(snapshot)
        against = self._divergence(snapshot)
        tags = {"news_shock"} if shock else set()
        if against:
            tags.add("sentiment_divergence")
            moved = snapshot.elasticity["ret_5d"]
            tags |= {"contrarian"} if DIRECTION[action] * moved < 0 else set()
        mood = f"mood {score:+.2f} with energy {energy:.2f} ({_source_scores(snapshot)})"
        why = "; ".join(filter(None, [mood if action != "flat" else f"{mood}: too faint", shock, against]))
        forecast = {"horizon_days": self._config.horizon_days, "sentiment_score": score, "sentiment_energy": energy}
        conviction = 0.0 if action == "flat" else abs(score)
        return suggestion_of(
            LAYER, snapshot, confidence, Stance(action, conviction, f"{why}.", forecast, frozenset(tags))
        )

    def _shock(self, snapshot: StandardSnapshot) -> str:
        """What the news say, where they are strong and fresh enough to be a shock; else nothing.

        The news source's confidence falls with the age of its items: it is the freshness.
        """
        score = snapshot.sentiment.get("news_sentiment_score", 0.0)
        trust = snapshot.sentiment.get("news_sentiment_confidence", 0.0)
        if abs(score) < self._config.shock_score or trust < self._config.shock_confidence:
            return ""
        return f"news shock {score:+.2f} from {snapshot.sentiment.get('news_items', 1.0):.0f} items"

    def _divergence(self, snapshot: StandardSnapshot) -> str:
        """How people speak and bet against the five-day move, where both are clear; else nothing."""
        score, moved = _crowd_score(snapshot), move_sigmas(snapshot)
        if score is None or moved is None or score * moved >= 0:
            return ""
        if abs(score) < self._config.divergence_score or abs(moved) < self._config.divergence_sigmas:
            return ""
        tone = "bearish" if score < 0 else "bullish"
        course = "rising" if moved > 0 else "falling"
        return (
            f"{tone} talk ({score:+.2f}) against a {course} price ({snapshot.elasticity['ret_5d']:+.1%} in five days)"
        )


def _crowd_score(snapshot: StandardSnapshot) -> float | None:
    """The confidence-weighted mean score of the crowd; None where it has none."""
    scores = [
        (snapshot.sentiment[f"{source}_sentiment_score"], snapshot.sentiment.get(f"{source}_sentiment_confidence", 0.0))
        for source in CROWD
        if f"{source}_sentiment_score" in snapshot.sentiment
    ]
    trust = sum(weight for _, weight in scores)
    return sum(score * weight for score, weight in scores) / trust if trust else None


def _source_scores(snapshot: StandardSnapshot) -> str:
    """The sources that have a score, with it: ``flow +0.40, price -0.12``."""
    names = {"news": "news", "flow": "option flow", "technical": "price"}
    scores = {name: snapshot.sentiment.get(f"{source}_sentiment_score") for source, name in names.items()}
    return ", ".join(f"{name} {score:+.2f}" for name, score in scores.items() if score is not None)
