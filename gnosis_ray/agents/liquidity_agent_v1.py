"""LiquidityAgentV1: whether a move will continue or stop for lack of depth."""

from __future__ import annotations

import math

from gnosis_ray.agents.base import (
    Stance,
    engine_confidence,
    engine_regime,
    move_sigmas,
    no_stance,
    suggestion_of,
)
from gnosis_ray.config import LiquidityAgentConfig
from gnosis_ray.schemas.core_schemas import StandardSnapshot, Suggestion

LAYER = "primary_liquidity"
DEPTH = {"thin_liquidity": "thin", "high_liquidity": "deep"}
"""Depth of the book by the engine's regime; any other regime is a normal one."""


class LiquidityAgentV1:
    """Flow that leads one way goes on, the further the thinner the book; a move into a void that nobody buys is fake.

    Signed flow first: its side, tanh(|ofi| / ofi_scale) by depth, less where the price does not follow it. Without
    such flow a move beyond ``breakout_sigmas`` with a void ahead is leaned against (``fake_breakout``), but only where
    trades show that the flow is missing. Else the nearest heavy price may pull: a small conviction, and it says so.
    Confidence = the engine's confidence x conviction; an engine without confidence votes 0.

    Parameters
    ----------
    config
        ``config.agents.liquidity``: scales, the horizon in days and thresholds.

    Examples
    --------
    >>> import gnosis_ray as gr
    >>> config = gr.load_config()
    >>> snapshot = gr.StandardSnapshot(
    ...     symbol="AAPL",
    ...     timestamp=config.data.synthetic.as_of,
    ...     liquidity={"ofi": 0.6, "liquidity_score": 0.2},
    ...     engines={"liquidity": {"confidence": 0.9}},
    ... )
    >>> gr.LiquidityAgentV1(config.agents.liquidity).step(snapshot).action
    'long'
    """

    def __init__(self, config: LiquidityAgentConfig) -> None:
        self._config = config

    def step(self, snapshot: StandardSnapshot) -> Suggestion:
        """The stance for one snapshot; ``timestamp`` and the final ``id`` are left to the runner."""
        confidence = engine_confidence(snapshot, "liquidity")
        if confidence == 0.0:
            return no_stance(LAYER, snapshot, "liquidity")
        stance = self._stance(snapshot)
        tags = set(stance.tags)
        if engine_regime(snapshot, "liquidity") == "thin_liquidity":
            tags.add("thin_liquidity")
        if "liquidity.one_sided" in snapshot.metadata:
            tags.add("one_sided_flow")
        forecast = {"horizon_days": self._config.horizon_days, **stance.forecast}
        tagged = Stance(stance.action, stance.conviction, f"{stance.why}.", forecast, frozenset(tags))
        return suggestion_of(LAYER, snapshot, confidence, tagged)

    def _stance(self, snapshot: StandardSnapshot) -> Stance:
        ofi = snapshot.liquidity.get("ofi")
        if ofi is not None and abs(ofi) >= self._config.min_ofi:
            return self._continuation(snapshot, ofi)
        if ofi is None:
            return self._pull(snapshot, "no trades seen, so flow is unknown")
        flow = f"flow is two-sided (imbalance {ofi:+.0%})"
        return self._fake_breakout(snapshot, flow) or self._pull(snapshot, flow)

    def _continuation(self, snapshot: StandardSnapshot, ofi: float) -> Stance:
        """One-sided flow goes on: all the way in a thin book, while a deep one absorbs much of it."""
        depth = DEPTH.get(engine_regime(snapshot, "liquidity") or "", "normal")
        passing: float = getattr(self._config.continuation, depth)
        conviction = math.tanh(abs(ofi) / self._config.ofi_scale) * passing
        who = "buyers" if ofi > 0 else "sellers"
        why = f"{who} lead by {abs(ofi):.0%} of signed volume in a {depth} book"
        forecast = {"ofi": ofi}
        impact = snapshot.liquidity.get("kyle_lambda_t")
        if impact is not None and impact < self._config.min_impact_t:
            conviction *= self._config.absorbed_factor
            why += f", but the price does not follow (t {impact:.1f})"
        elif impact is not None:
            why += f" and the price follows (t {impact:.1f})"
        return Stance("long" if ofi > 0 else "short", conviction, why, forecast)

    def _fake_breakout(self, snapshot: StandardSnapshot, flow: str) -> Stance | None:
        """A stance against a large move that runs into a void without flow behind it; None where there is none."""
        moved, score = move_sigmas(snapshot), snapshot.liquidity.get("liquidity_void_score", 0.0)
        if moved is None or abs(moved) < self._config.breakout_sigmas or score < self._config.min_void:
            return None
        level = snapshot.liquidity.get("liquidity_void_above" if moved > 0 else "liquidity_void_below")
        distance = _sigmas_to(snapshot, level)
        if level is None or distance is None or abs(distance) > self._config.void_reach_sigma:
            return None
        why = (
            f"the five-day move of {moved:+.1f} sigma meets a void at {level:,.2f} (score {score:.2f}) and {flow}: "
            "a fake breakout"
        )
        conviction = self._config.fake_breakout_conviction * score
        forecast = {"void_level": level, "move_sigmas": moved}
        return Stance(
            "short" if moved > 0 else "long", conviction, why, forecast, frozenset({"fake_breakout", "contrarian"})
        )

    def _pull(self, snapshot: StandardSnapshot, flow: str) -> Stance:
        """A heavy price close by, but not here, may draw the price: little is staked on it."""
        level, score = (snapshot.liquidity.get(f"volume_magnet_{name}") for name in ("level", "score"))
        distance = _sigmas_to(snapshot, level)
        if level is None or score is None or distance is None:
            return Stance(why=f"{flow}; no volume profile")
        if score < self._config.min_magnet or abs(distance) < self._config.min_pull_sigma:
            return Stance(why=f"{flow}; nothing pulls (heavy price {level:,.2f} is {distance:+.1f} sigma away)")
        conviction = self._config.magnet_conviction * score
        through = " with a void in between" if _void_between(snapshot, level) else ""
        why = f"{flow}; the heavy price {level:,.2f}, {distance:+.1f} sigma away{through}, may pull: a weak lean only"
        return Stance(
            "long" if distance > 0 else "short", conviction, why, {"magnet_level": level, "magnet_sigmas": distance}
        )


def _sigmas_to(snapshot: StandardSnapshot, level: float | None) -> float | None:
    """Distance of ``level`` from the price in daily deviations, positive above; None where unknown."""
    price, sigma = (snapshot.liquidity.get(name) for name in ("last_price", "sigma_daily"))
    return math.log(level / price) / sigma if level and price and sigma else None


def _void_between(snapshot: StandardSnapshot, level: float) -> bool:
    price = snapshot.liquidity["last_price"]
    void = snapshot.liquidity.get("liquidity_void_above" if level > price else "liquidity_void_below")
    return void is not None and min(price, level) < void < max(price, level)
