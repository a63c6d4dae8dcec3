"""HedgeAgentV3: a stance from what dealers must trade."""

from __future__ import annotations

import math
from dataclasses import dataclass

from gnosis_ray.agents.base import Stance, engine_confidence, engine_regime, no_stance, suggestion_of
from gnosis_ray.config import HedgeAgentConfig
from gnosis_ray.schemas.core_schemas import Action, StandardSnapshot, Suggestion

LAYER = "primary_hedge"
POINTS_PER_VOL = 100.0


@dataclass(frozen=True)
class DealerFlow:
    """What dealers are expected to trade over the horizon, USD; positive buys.

    ``share`` is over the dollar volume of as many days.
    """

    usd: float
    share: float
    iv_change_points: float | None


class HedgeAgentV3:
    """Gamma has no direction. The expected dealer flow gives one: -(CEX x 1 day + VEX x expected IV change).

    Without such flow, and only where dealers are short gamma (they chase), the five-day trend does; else flat.
    Conviction: tanh of flow over scale, or the hedge energy; strong long gamma takes it away.
    Confidence = the engine's confidence x conviction; an engine without confidence votes 0.

    Parameters
    ----------
    config
        ``config.agents.hedge``: scales, the horizon in days and thresholds.

    Examples
    --------
    >>> import gnosis_ray as gr
    >>> config = gr.load_config()
    >>> snapshot = gr.StandardSnapshot(symbol="AAPL", timestamp=config.data.synthetic.as_of)
    >>> stance = gr.HedgeAgentV3(config.agents.hedge).step(snapshot)
    >>> stance.action, stance.confidence, stance.reasoning
    ('flat', 0.0, 'No stance: no hedge measurement.')
    """

    def __init__(self, config: HedgeAgentConfig) -> None:
        self._config = config

    def step(self, snapshot: StandardSnapshot) -> Suggestion:
        """The stance for one snapshot; ``timestamp`` and the final ``id`` are left to the runner."""
        confidence = engine_confidence(snapshot, "hedge")
        net = snapshot.hedge.get("effective_gex_usd_per_pct", snapshot.hedge.get("gex_usd_per_pct"))
        if confidence == 0.0 or net is None:
            return no_stance(LAYER, snapshot, "hedge")
        flow = self._dealer_flow(snapshot.hedge, snapshot.elasticity)
        action, conviction, why = self._stance(snapshot, net, flow)
        energy = snapshot.hedge.get("hedge_regime_energy", 0.0)
        if net > 0 and energy >= self._config.strong_long_gamma_energy:
            conviction *= 1.0 - energy
            why += f"; strong long gamma (energy {energy:.2f}) holds the price"
        forecast = {"horizon_days": self._config.horizon_days}
        if flow is not None:
            forecast |= {"dealer_flow_usd": flow.usd, "dealer_flow_share": flow.share}
        squeezed = engine_regime(snapshot, "hedge") == "gamma_squeeze"
        tags = frozenset({"gamma_squeeze"} if squeezed else ())
        stance = Stance(action, conviction, f"{why}; {_book(net)}.", forecast, tags)
        return suggestion_of(LAYER, snapshot, confidence, stance)

    def _dealer_flow(self, hedge: dict[str, float], elasticity: dict[str, float]) -> DealerFlow | None:
        """Dealers trade minus the change of their exposure; None where dollar volume is unknown."""
        volume = hedge.get("adv_usd")
        if not volume:
            return None
        exposure = hedge["cex_usd_per_day"] * self._config.horizon_days
        implied, realised = hedge.get("atm_iv_30d"), elasticity.get("realised_vol_20d")
        change = None
        if implied is not None and realised is not None:
            speed = self._config.iv_reversion_per_day * self._config.horizon_days
            change = (realised - implied) * POINTS_PER_VOL * speed
            exposure += hedge["vex_usd_per_vol_point"] * change
        return DealerFlow(-exposure, -exposure / (volume * self._config.horizon_days), change)

    def _stance(self, snapshot: StandardSnapshot, net: float, flow: DealerFlow | None) -> tuple[Action, float, str]:
        if flow is not None and abs(flow.share) >= self._config.min_flow:
            daily = _money(abs(flow.usd) / self._config.horizon_days)
            why = f"dealers must {'buy' if flow.usd > 0 else 'sell'} {daily} a day by charm"
            if flow.iv_change_points is not None:
                why += f" and vanna (IV {flow.iv_change_points:+.1f} points)"
            why += f" ({abs(flow.share):.2%} of volume)"
            return ("long" if flow.usd > 0 else "short"), math.tanh(abs(flow.share) / self._config.flow_scale), why
        trend = snapshot.elasticity.get("ret_5d")
        if net < 0 and trend:
            energy = snapshot.hedge.get("hedge_regime_energy", 0.0)
            return ("long" if trend > 0 else "short"), energy, f"short gamma chases the five-day move of {trend:+.1%}"
        return "flat", 0.0, "dealer flow too small for a direction"


def _book(net: float) -> str:
    return f"{'long' if net > 0 else 'short' if net < 0 else 'flat'} gamma {_money(abs(net))} per 1%"


def _money(usd: float) -> str:
    """Dollars as a desk writes them: $1.2bn, $340m, $12k."""
    for size, unit in ((1e9, "bn"), (1e6, "m"), (1e3, "k")):
        if usd >= size:
            return f"${usd / size:.3g}{unit}"
    return f"${usd:.0f}"
