"""Selects each contract's implied volatility: from mid, vendor, or a smile through last trades, in this order.

Volatilities are those of the out-of-the-money side (relative to the forward), whose price is all time value; it serves
call and put at a strike. Where that side has none the strike has none: an in-the-money mid carries the spread of its
intrinsic value and the early-exercise premium, which would be read as volatility. A symbol whose options are not on the
share that its spot prices has none at all.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import IntEnum

import numpy as np
import numpy.typing as npt

from gnosis_ray.config import ImpliedVolConfig
from gnosis_ray.data.chains.contracts import Contracts
from gnosis_ray.data.chains.report import Mask
from gnosis_ray.options.bsm import Floats
from gnosis_ray.options.implied_vol import ImpliedVols, IvReason, implied_vol
from gnosis_ray.options.quadratic_smile import fit_smiles

_BISECTION_OFFSET = 1e-5
"""Where the vendor's search starts above zero, its midpoints lie this far above 2^-k."""


class IvSource(IntEnum):
    """Where a volatility came from; the order of :data:`SOURCE_NAMES`."""

    MID = 0
    VENDOR = 1
    LAST_SMILE = 2
    NONE = 3


SOURCE_NAMES = ("mid", "vendor", "last_smile", None)


@dataclass(frozen=True)
class Volatilities:
    """Per row ``sigma`` (NaN where none) and ``source`` (int8 of :class:`IvSource`).

    ``refused`` yields the mask of each reason, once, and computes it only then: no load needs it but one with a report.
    """

    sigma: Floats
    source: npt.NDArray[np.int8]
    refused: Iterator[tuple[str, Mask]]


def select_volatility(contracts: Contracts, config: ImpliedVolConfig) -> Volatilities:
    """The volatility of every contract, and why some have none."""
    size = contracts.strike.size
    sigma = np.full(size, np.nan)
    source = np.full(size, IvSource.NONE, dtype=np.int8)
    reason = np.full(size, IvReason.SOLVED, dtype=np.int8)

    candidate = contracts.out_of_money & ~contracts.spot_disagrees
    quoted = np.flatnonzero(candidate & np.isfinite(contracts.mid))
    _take(_invert(contracts, contracts.mid, quoted), quoted, IvSource.MID, sigma, source, reason)
    artefact = _vendor(contracts, config, candidate, sigma, source)
    smile_refused = _last_smile(contracts, config, candidate, sigma, source, reason)

    refused = _refusals(contracts, candidate, source, reason, artefact, smile_refused)
    _share(contracts, sigma, source)
    return Volatilities(sigma, source, refused)


def _refusals(
    contracts: Contracts,
    candidate: Mask,
    source: npt.NDArray[np.int8],
    reason: npt.NDArray[np.int8],
    artefact: Mask,
    smile: Iterable[tuple[str, Mask]],
) -> Iterator[tuple[str, Mask]]:
    yield "spot_disagrees", contracts.spot_disagrees
    yield "below_intrinsic", reason == IvReason.BELOW_INTRINSIC
    yield "above_bound", reason == IvReason.ABOVE_BOUND
    yield "vendor_artefact", artefact
    yield "no_two_sided_quote", candidate & (source == IvSource.NONE) & ~np.isfinite(contracts.mid)
    yield from smile


def is_bisection_artefact(sigma: Floats, tolerance: float) -> Mask:
    """True where a volatility is 2^-k or 2^-k + 1e-5 within ``tolerance``: a search that never finished."""
    with np.errstate(all="ignore"):
        above = sigma - np.exp2(np.rint(np.log2(sigma)))
    return (np.abs(above) <= tolerance) | (np.abs(above - _BISECTION_OFFSET) <= tolerance)


def _invert(contracts: Contracts, prices: Floats, rows: npt.NDArray[np.intp]) -> ImpliedVols:
    return implied_vol(
        prices[rows],
        contracts.w[rows],
        contracts.spot[rows],
        contracts.strike[rows],
        contracts.quote_tau[rows],
        contracts.rate[rows],
        contracts.carry[rows],
    )


def _take(
    found: ImpliedVols,
    rows: npt.NDArray[np.intp],
    of: IvSource,
    sigma: Floats,
    source: npt.NDArray[np.int8],
    reason: npt.NDArray[np.int8],
) -> None:
    sigma[rows] = found.sigma
    reason[rows] = found.reason
    source[rows[found.reason == IvReason.SOLVED]] = of


def _vendor(
    contracts: Contracts, config: ImpliedVolConfig, candidate: Mask, sigma: Floats, source: npt.NDArray[np.int8]
) -> Mask:
    """Fills in the vendor's figure beside a two-sided quote (a crossed one too); returns where it was refused."""
    beside = candidate & (source == IvSource.NONE) & (contracts.bid > 0) & (contracts.ask > 0)
    rows = np.flatnonzero(beside & np.isfinite(contracts.vendor_iv))
    given = contracts.vendor_iv[rows]
    unfinished = (given < config.vendor_min) | is_bisection_artefact(given, config.bisection_tolerance)
    accepted = rows[~unfinished]
    sigma[accepted] = given[~unfinished]
    source[accepted] = IvSource.VENDOR
    refused = np.zeros(sigma.size, dtype=np.bool_)
    refused[rows[unfinished]] = True
    return refused


def _last_smile(
    contracts: Contracts,
    config: ImpliedVolConfig,
    candidate: Mask,
    sigma: Floats,
    source: npt.NDArray[np.int8],
    reason: npt.NDArray[np.int8],
) -> Iterator[tuple[str, Mask]]:
    """Fills in the smile where nobody quotes; returns where there were points and the smile was refused."""
    silent = candidate & (source == IvSource.NONE) & ~(contracts.bid > 0) & ~(contracts.ask > 0)
    traded = np.flatnonzero(silent & (contracts.volume >= config.last_min_volume) & (contracts.last > 0))
    found = _invert(contracts, contracts.last, traded)
    reason[traded] = found.reason
    near = np.abs(contracts.log_moneyness[traded]) <= config.smile_window * np.sqrt(contracts.quote_tau[traded])
    fitted = near & (found.reason == IvReason.SOLVED)
    points = traded[fitted]
    smiles = fit_smiles(contracts.group[points], contracts.log_moneyness[points], found.sigma[fitted], contracts.groups)
    enough = smiles.points >= config.smile_min_points
    close = smiles.residual <= config.smile_max_residual

    rows = np.flatnonzero(silent & (enough & close)[contracts.group])
    value = smiles.at(contracts.group[rows], contracts.log_moneyness[rows])
    sigma[rows] = value
    source[rows[np.isfinite(value)]] = IvSource.LAST_SMILE
    few, poor = (smiles.points > 0) & ~enough, enough & ~close
    return ((name, silent & fits[contracts.group]) for name, fits in (("smile_too_few", few), ("smile_residual", poor)))


def _share(contracts: Contracts, sigma: Floats, source: npt.NDArray[np.int8]) -> None:
    """Assigns the volatility of the out-of-the-money contract to its partner at the strike."""
    rows = np.flatnonzero(~contracts.out_of_money & (contracts.partner >= 0))
    sigma[rows] = sigma[contracts.partner[rows]]
    source[rows] = source[contracts.partner[rows]]
