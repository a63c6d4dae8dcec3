"""An agent that trades on the variance risk premium: implied less realised variance."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Literal

import gnosis_ray as gr

LAYER = "volatility_premium"

Action = Literal["long", "short", "flat"]


class VolatilityPremiumAgent:
    """Long where implied variance stands far above realised variance, short where far below.

    A high premium pays those who bear risk that others shed (Bollerslev, Tauchen, Zhou, "Expected Stock Returns and
    Variance Risk Premia", Review of Financial Studies 2009). Conviction = tanh(|premium| / scale), premium in variance
    a year; flat below ``min_premium``. Confidence = the hedge engine's x conviction: it measured the implied side.
    """

    def __init__(self, scale: float, min_premium: float) -> None:
        self._scale = scale
        self._min_premium = min_premium

    def step(self, snapshot: gr.StandardSnapshot) -> gr.Suggestion:
        """The stance for one snapshot; ``timestamp`` and the final ``id`` are left to the runner."""
        implied, realised = snapshot.hedge.get("atm_iv_30d"), snapshot.elasticity.get("realised_vol_20d")
        trust = snapshot.engines["hedge"].confidence if "hedge" in snapshot.engines else 0.0
        if implied is None or realised is None or trust == 0.0:
            return self._suggestion(
                snapshot, "flat", 0.0, "No stance: no premium without implied and realised volatility."
            )
        premium = implied * implied - realised * realised
        text = f"options charge {implied:.1%} where the price delivers {realised:.1%}: variance premium {premium:+.3f}"
        if abs(premium) < self._min_premium:
            return self._suggestion(snapshot, "flat", 0.0, f"{text}, too little.")
        action: Action = "long" if premium > 0 else "short"
        return self._suggestion(snapshot, action, trust * math.tanh(abs(premium) / self._scale), f"{text}.")

    @staticmethod
    def _suggestion(snapshot: gr.StandardSnapshot, action: Action, confidence: float, reasoning: str) -> gr.Suggestion:
        return gr.Suggestion(
            id=LAYER,
            layer=LAYER,
            symbol=snapshot.symbol,
            action=action,
            confidence=confidence,
            forecast={"horizon_days": 20.0},
            reasoning=reasoning,
        )


def make(settings: Mapping[str, Any]) -> VolatilityPremiumAgent:
    """``scale`` and ``min_premium``, both in variance a year."""
    return VolatilityPremiumAgent(settings.get("scale", 0.1), settings.get("min_premium", 0.02))
