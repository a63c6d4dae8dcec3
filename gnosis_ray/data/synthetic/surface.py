"""The implied volatility surface: expected variance from the regime in force, SSVI across strikes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from gnosis_ray.data.synthetic.params import SymbolParams
from gnosis_ray.data.synthetic.paths import PricePath

Floats = npt.NDArray[np.float64]

VARIANCE_REVERSION = 8.0
"""Speed, a year, at which expected variance goes from today's to the long run's."""


@dataclass(frozen=True)
class Surface:
    """Planted surface of one symbol at one moment. Free of static arbitrage in every strike and expiry.

    SSVI with theta = atm^2 tau and phi = eta / sqrt(theta (1 + theta)): Gatheral and Jacquier (2014), section 4 and
    remark 4.4; no butterfly or calendar arbitrage while eta (1 + |rho|) <= 2.
    """

    volatility_now: float
    volatility_long_run: float
    premium: float
    """Implied over expected volatility, less one."""
    rho: float
    eta: float

    def atm(self, tau: npt.ArrayLike) -> Floats:
        """At-the-money-forward volatility: root of the mean expected variance (Heston 1993) up to ``tau`` years."""
        decay = VARIANCE_REVERSION * np.asarray(tau, dtype=np.float64)
        excess = self.volatility_now**2 - self.volatility_long_run**2
        mean = self.volatility_long_run**2 - excess * np.expm1(-decay) / decay
        return np.asarray((1.0 + self.premium) * np.sqrt(mean))

    def implied_vol(self, log_moneyness: npt.ArrayLike, tau: npt.ArrayLike) -> Floats:
        """Volatility at ``log_moneyness = ln(strike / forward)`` and ``tau`` years; shapes broadcast."""
        years = np.asarray(tau, dtype=np.float64)
        theta = self.atm(years) ** 2 * years
        x = self.eta / np.sqrt(theta * (1.0 + theta)) * np.asarray(log_moneyness, dtype=np.float64)
        shape = 1.0 + self.rho * x + np.sqrt((x + self.rho) ** 2 + 1.0 - self.rho**2)
        return np.asarray(np.sqrt(0.5 * theta * shape / years))


def surface_at(params: SymbolParams, path: PricePath, session: int) -> Surface:
    """The surface in force during a session and at its close."""
    return Surface(
        volatility_now=float(path.volatility[session]),
        volatility_long_run=params.volatility,
        premium=params.volatility_premium,
        rho=params.skew_rho,
        eta=params.smile_eta,
    )
