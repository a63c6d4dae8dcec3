"""Option chains: listed strikes, Black-Scholes-Merton prices on the planted surface, quotes, the planted book."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from gnosis_ray.config import RatePoint
from gnosis_ray.data.synthetic.params import SymbolParams
from gnosis_ray.data.synthetic.paths import PricePath
from gnosis_ray.data.synthetic.positioning import ListedContracts, OpenInterest, place_open_interest
from gnosis_ray.data.synthetic.randomness import stream
from gnosis_ray.data.synthetic.surface import Surface, surface_at
from gnosis_ray.data.synthetic.timeline import SLICES, Expiries, Snapshot
from gnosis_ray.options.bsm import greeks
from gnosis_ray.options.forward import zero_rates
from gnosis_ray.schemas.conventions import DAYS_PER_YEAR

Floats = npt.NDArray[np.float64]

STRIKE_SPAN = 0.25
"""Strikes are listed within this fraction of spot, finely within FINE_SPAN."""
FINE_SPAN = 0.06
_STRIKE_STEPS = np.array([0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 25.0, 50.0, 100.0, 250.0])
_FINEST_STEP = 0.02
"""Of spot: at least three strikes lie within 3% of it, which an implied forward needs."""
_SIDES = np.array([1.0, -1.0])
TICK = 0.01


@dataclass(frozen=True)
class SyntheticChain:
    """One snapshot of one symbol. Arrays are (E, K, 2): expiry, strike, call before put."""

    expiries: npt.NDArray[np.datetime64]
    """(E,) days."""
    strikes: Floats
    """(K,) USD."""
    spot: float
    fair: Floats
    """USD a share, before the spread."""
    bid: Floats
    ask: Floats
    last: Floats
    volume: Floats
    open_interest: Floats
    vendor_iv: Floats
    """NaN where the vendor gives none."""
    surface: Surface
    book: OpenInterest

    @property
    def contracts(self) -> int:
        """How many rows."""
        return self.fair.size


def list_strikes(spot: float) -> tuple[Floats, npt.NDArray[np.bool_]]:
    """Sorted strikes of a chain, and which of them are round: fine steps near spot, coarse ones further out."""
    step = max(int(np.searchsorted(_STRIKE_STEPS, _FINEST_STEP * spot, side="right")) - 1, 0)
    fine = _multiples(_STRIKE_STEPS[min(step, _STRIKE_STEPS.size - 3)], spot, FINE_SPAN)
    coarse = _multiples(_STRIKE_STEPS[min(step, _STRIKE_STEPS.size - 3) + 2], spot, STRIKE_SPAN)
    strikes = np.union1d(fine, coarse)
    return strikes, np.isin(strikes, coarse)


def build_chain(
    seed: int,
    params: SymbolParams,
    path: PricePath,
    snapshot: Snapshot,
    expiries: Expiries,
    curve: tuple[RatePoint, ...],
) -> SyntheticChain:
    """The chain of one symbol at one snapshot; ``expiries`` must not be empty."""
    spot = path.spot(snapshot.session, snapshot.mark)
    strikes, round_strikes = list_strikes(spot)
    surface = surface_at(params, path, snapshot.session)
    tau = expiries.tau[:, None]
    rate = zero_rates(tau * DAYS_PER_YEAR, curve)
    forward = spot * np.exp((rate - params.carry) * tau)
    sigma = surface.implied_vol(np.log(strikes / forward), tau)
    values = greeks(_SIDES, spot, strikes[:, None], tau[..., None], rate[..., None], params.carry, sigma[..., None])
    shape = (tau.size, strikes.size, 2)
    random = stream(seed, params.symbol, "chain", snapshot.block)
    noise = random.standard_normal((3, *shape))
    listed = ListedContracts(spot, strikes, round_strikes, expiries.tau, expiries.monthly, values.gamma[..., 0])
    book = place_open_interest(params, listed, surface.volatility_now, np.moveaxis(noise[0], -1, 0))
    interest = np.stack([book.calls, book.puts], axis=-1)
    half = half_spread(values.price)
    return SyntheticChain(
        expiries=expiries.days,
        strikes=strikes,
        spot=spot,
        fair=values.price,
        bid=np.maximum(_to_ticks(np.floor, values.price - half), 0.0),
        ask=_to_ticks(np.ceil, values.price + half),
        last=np.maximum(_to_ticks(np.rint, values.price + half * np.clip(noise[1], -1.0, 1.0)), TICK),
        volume=np.floor(0.15 * interest * np.exp(0.5 * noise[2]) * snapshot.mark / SLICES),
        open_interest=interest,
        vendor_iv=_vendor_iv(params, sigma, shape),
        surface=surface,
        book=book,
    )


def half_spread(premium: Floats) -> Floats:
    """Half the quoted spread before rounding outwards to cents, USD: a cent and a share of the root of the premium."""
    return np.asarray(0.01 + 0.01 * np.sqrt(np.maximum(premium, 0.0)))


def _vendor_iv(params: SymbolParams, sigma: Floats, shape: tuple[int, int, int]) -> Floats:
    """The true volatility to four digits, from a vendor that gives any."""
    if not params.vendor_quotes_iv:
        return np.full(shape, np.nan)
    return np.broadcast_to(np.round(sigma, 4)[..., None], shape)


def _multiples(step: float, spot: float, span: float) -> Floats:
    """Positive multiples of ``step`` within a fraction of spot."""
    first = max(int(np.ceil(spot * (1.0 - span) / step - 1e-9)), 1)
    last = int(np.floor(spot * (1.0 + span) / step + 1e-9))
    return np.round(step * np.arange(first, last + 1), 2)


def _to_ticks(rounding: np.ufunc, prices: Floats) -> Floats:
    """Prices in whole ticks; a figure that floating point put beside a tick stays on it."""
    return np.asarray(rounding(np.round(prices / TICK, 6)) * TICK).round(2)
