"""The planted parameters of a symbol, from a hash of seed and symbol."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from gnosis_ray.data.synthetic.randomness import stream
from gnosis_ray.schemas.conventions import TRADING_DAYS_PER_YEAR

Positioning = Literal["long_gamma", "short_gamma", "balanced", "squeeze"]

MARKET_VOL = 0.15
"""Annual volatility of the market factor, before its regime."""
JUMPS_PER_YEAR = 5.0
JUMP_SIGMAS = 3.0
"""Standard deviation of a jump, in daily standard deviations of the symbol."""

_POSITIONINGS: tuple[tuple[float, Positioning], ...] = (
    (0.35, "long_gamma"),
    (0.60, "short_gamma"),
    (0.85, "balanced"),
    (1.00, "squeeze"),
)
_LARGEST_MARKET_SHARE = 0.7
"""Of the volatility that the market factor may explain: the rest is the symbol's own."""


@dataclass(frozen=True)
class SymbolParams:
    """Constants of one symbol. USD, fractions, a year."""

    symbol: str
    price_level: float
    """Where the price reverts to."""
    volatility: float
    """Long-run annual volatility: market, own and jump part together, between regimes."""
    beta: float
    own_volatility: float
    """Annual, of the part that neither market nor jumps explain."""
    dollar_volume: float
    """A day's usual turnover."""
    spread_bps: float
    """Quoted bid-ask spread of the stock."""
    impact_share: float
    """Share of a trade's price variance that signed flow explains, at the long-run volatility."""
    carry: float
    """Continuously compounded yield q."""
    skew_rho: float
    smile_eta: float
    volatility_premium: float
    """Implied over expected volatility, less one."""
    positioning: Positioning
    gross_energy: float
    """Gross gamma traded on a one-sigma day, over the day's turnover."""
    call_wall_distance: float
    """Fraction above spot that the call wall aims at; the listed strike nearest to it carries the wall."""
    put_wall_distance: float
    """The same below spot."""
    vendor_quotes_iv: bool


def symbol_params(seed: int, symbol: str) -> SymbolParams:
    """The parameters of any symbol string; a function of the two arguments alone."""
    u: list[float] = stream(seed, symbol, "params").random(15).tolist()
    volatility = _log_between(0.12, 0.60, u[1])
    dollar_volume = _log_between(50e6, 15e9, u[2])
    beta = min(0.4 + 1.2 * u[3], _LARGEST_MARKET_SHARE * volatility / MARKET_VOL)
    jump_variance = JUMPS_PER_YEAR * (JUMP_SIGMAS * volatility) ** 2 / TRADING_DAYS_PER_YEAR
    return SymbolParams(
        symbol=symbol,
        price_level=_log_between(20.0, 800.0, u[0]),
        volatility=volatility,
        beta=beta,
        own_volatility=math.sqrt(volatility**2 - (beta * MARKET_VOL) ** 2 - jump_variance),
        dollar_volume=dollar_volume,
        spread_bps=1.0 + 12.0 * (dollar_volume / 50e6) ** -0.4 * (0.7 + 0.6 * u[4]),
        impact_share=0.15 + 0.20 * u[5],
        carry=0.03 * u[6],
        skew_rho=-0.2 - 0.4 * u[7],
        smile_eta=0.3 + 0.5 * u[8],
        volatility_premium=0.15 * u[9],
        positioning=next(name for limit, name in _POSITIONINGS if u[10] < limit),
        gross_energy=_log_between(0.03, 0.30, u[11]),
        call_wall_distance=0.015 + 0.02 * u[12],
        put_wall_distance=0.015 + 0.02 * u[13],
        vendor_quotes_iv=u[14] < 0.5,
    )


def _log_between(low: float, high: float, u: float) -> float:
    """The value at share ``u`` of the way from ``low`` to ``high`` on a log scale."""
    return float(low * (high / low) ** u)
