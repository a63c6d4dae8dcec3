"""Planted dealer positioning: open interest with known walls and a known sign of net gamma.

Under the naive convention (dealers long calls, short puts: SqueezeMetrics 2016) the book of each symbol is one of
- ``long_gamma``: calls carry 60% of gross gamma, a call wall above spot;
- ``short_gamma``: puts carry 60%, a put wall below spot;
- ``balanced``: calls and puts carry the same;
- ``squeeze``: out-of-the-money calls up to 5% above spot carry 65% of gross.
Both walls stand in every book: the largest gamma times open interest of its side.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from gnosis_ray.data.synthetic.params import SymbolParams
from gnosis_ray.schemas.conventions import DAYS_PER_YEAR, SHARES_PER_CONTRACT, TRADING_DAYS_PER_YEAR

Floats = npt.NDArray[np.float64]

CALL_SHARE = {"long_gamma": 0.60, "short_gamma": 0.40, "balanced": 0.5}
SQUEEZE_WINDOW = 0.05
SQUEEZE_SHARE = 0.65
GAMMA_SIGN = {"long_gamma": 1, "short_gamma": -1, "balanced": 0, "squeeze": 1}
"""Planted sign of the dealers' net gamma; 0 is a net below a twentieth of gross."""

_CENTRE, _WIDTH = 0.055, 0.06
"""Calls lie around this far above spot, puts as far below: gamma changes its sign within a few percent of spot."""
_WALL_LEAD = 1.5
"""A wall's gamma over that of the next strike."""
_WALL_MIN_TAU = 14.0 / DAYS_PER_YEAR
_SMALLEST_MEAN_INTEREST = 25.0
"""Contracts: below it, rounding to whole ones would blur the plan."""


@dataclass(frozen=True)
class OpenInterest:
    """Open interest in whole contracts, (expiries, strikes) each, and the planted walls."""

    calls: Floats
    puts: Floats
    call_wall: float
    put_wall: float


@dataclass(frozen=True)
class ListedContracts:
    """Where open interest can lie: (K,) strikes and round ones, (E,) tau and months, (E, K) gamma per share."""

    spot: float
    strikes: Floats
    round_strikes: npt.NDArray[np.bool_]
    tau: Floats
    monthly: npt.NDArray[np.bool_]
    gamma: Floats


def place_open_interest(
    params: SymbolParams, listed: ListedContracts, volatility: float, noise: Floats
) -> OpenInterest:
    """The open interest of one snapshot. ``noise``: standard normals (2, E, K); ``volatility`` in force, a year."""
    moneyness = listed.strikes / listed.spot - 1.0
    call_wall = _wall(moneyness, params.call_wall_distance)
    put_wall = _wall(moneyness, -params.put_wall_distance)
    common = _expiry_weights(listed)[:, None] * np.where(listed.round_strikes, 2.0, 1.0)
    calls = common * np.exp(-0.5 * ((moneyness - _CENTRE) / _WIDTH) ** 2 + 0.25 * noise[0])
    puts = common * np.exp(-0.5 * ((moneyness + _CENTRE) / _WIDTH) ** 2 + 0.25 * noise[1])
    _raise_wall(calls, listed, call_wall)
    _raise_wall(puts, listed, put_wall)
    if params.positioning == "squeeze":
        calls, puts = _squeeze(calls, puts, listed, moneyness)
    else:
        share = CALL_SHARE[params.positioning]
        calls *= share / _total(calls, listed)
        puts *= (1.0 - share) / _total(puts, listed)
    scale = _contracts(params, listed, volatility, calls, puts)
    return OpenInterest(
        calls=np.rint(calls * scale),
        puts=np.rint(puts * scale),
        call_wall=float(listed.strikes[call_wall]),
        put_wall=float(listed.strikes[put_wall]),
    )


def _wall(moneyness: Floats, target: float) -> int:
    """The listed strike nearest to the target, on the target's side of spot."""
    outside = moneyness * np.sign(target) > 0.004
    return int(np.argmin(np.where(outside, np.abs(moneyness - target), np.inf)))


def _expiry_weights(listed: ListedContracts) -> Floats:
    """Months over weeks, near over far; the last days get less, for their gamma grows as their time goes."""
    nearness = np.sqrt(np.minimum(listed.tau * DAYS_PER_YEAR / 30.0, 1.0)) * np.exp(-listed.tau / 0.35)
    return np.asarray(np.where(listed.monthly, 3.0, 1.0) * nearness)


def _total(interest: Floats, listed: ListedContracts) -> float:
    """Gamma of a side."""
    return float((interest * listed.gamma).sum())


def _raise_wall(interest: Floats, listed: ListedContracts, wall: int) -> None:
    """Adds open interest at the wall, in the first monthly expiry a fortnight away, until it leads its side."""
    by_strike = (interest * listed.gamma).sum(axis=0)
    rest = np.delete(by_strike, wall)
    away = np.flatnonzero(listed.monthly & (listed.tau >= _WALL_MIN_TAU))
    expiry = int(away[0]) if away.size else listed.tau.size - 1
    lacking = max(0.0, _WALL_LEAD * float(rest.max()) - float(by_strike[wall]))
    interest[expiry, wall] += lacking / listed.gamma[expiry, wall]


def _squeeze(calls: Floats, puts: Floats, listed: ListedContracts, moneyness: Floats) -> tuple[Floats, Floats]:
    """Puts as heavy as the calls outside of the window, and calls in it at SQUEEZE_SHARE of gross or more."""
    window = (moneyness > 0.0) & (moneyness <= SQUEEZE_WINDOW)
    outside = _total(np.where(window, 0.0, calls), listed)
    inside = _total(np.where(window, calls, 0.0), listed)
    puts = puts * (outside / _total(puts, listed))
    wanted = SQUEEZE_SHARE / (1.0 - SQUEEZE_SHARE) * 2.0 * outside
    return np.where(window, calls * max(1.0, wanted / inside), calls), puts


def _contracts(params: SymbolParams, listed: ListedContracts, volatility: float, calls: Floats, puts: Floats) -> float:
    """The factor that makes gross gamma worth ``gross_energy`` of a day's turnover on a one-sigma day."""
    gross = _total(calls, listed) + _total(puts, listed)
    usd_per_unit_move = gross * SHARES_PER_CONTRACT * listed.spot**2
    wanted = params.gross_energy * params.dollar_volume / (volatility / np.sqrt(TRADING_DAYS_PER_YEAR))
    mean = 0.5 * (calls.mean() + puts.mean())
    return float(max(wanted / usd_per_unit_move, _SMALLEST_MEAN_INTEREST / mean))
