"""The contracts of one symbol's chain that can be traded at this moment, as arrays, made once a decision.

Only a two-sided quote (0 < bid <= ask) counts, here and in the smile: volatilities of last trades are for measurement.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from functools import cached_property

import numpy as np
import numpy.typing as npt
import polars as pl

from gnosis_ray.config import TradeConfig
from gnosis_ray.options import bsm
from gnosis_ray.options.bsm import Floats
from gnosis_ray.options.implied_vol import implied_vol
from gnosis_ray.options.smile import Smile
from gnosis_ray.schemas.conventions import DAYS_PER_YEAR, SECONDS_PER_DAY

Mask = npt.NDArray[np.bool_]

SIDES = np.array([[1.0], [-1.0]])
"""Rows of every (2, K) array: calls, puts."""
_PARITY_STRIKES = 3
"""Nearest to spot, whose median names the forward where the chain could not."""
_HALF_CENT = 0.005
_LEAST_VEGA = 1e-300
_SECONDS_PER_YEAR = DAYS_PER_YEAR * SECONDS_PER_DAY


@dataclass(frozen=True, eq=False)
class ExpiryContracts:
    """One expiry. Arrays (2, K): calls and puts at ascending ``strikes`` (K,); NaN where there is no such contract.

    ``bid`` and ``ask`` USD a share; ``depth``: open interest, or the day's volume where the book's open interest is
    unknown; ``tradable``: two-sided, tight and deep enough. ``dte`` and ``tau`` from the as-of moment; the smile stands
    at the moment of the quotes. ``carry`` is the yield that goes with the smile's forward.
    """

    day: date
    dte: float
    tau: float
    rate: float
    carry: float
    spot: float
    strikes: Floats
    bid: Floats
    ask: Floats
    depth: Floats
    tradable: Mask
    smile: Smile

    @cached_property
    def delta(self) -> Floats:
        """(2, K), by the smile."""
        return self.smile.delta(SIDES, self.strikes, self.carry)

    @property
    def forward_gap(self) -> float:
        """How far the forward, without interest, is off spot: a dividend, dear borrowing, or quotes of another time."""
        return abs(self.smile.forward * self.smile.discount / self.spot - 1.0)


@dataclass(frozen=True, eq=False)
class _Rows:
    """The chain's columns, one entry a contract; ``of_expiry`` numbers the moments of expiry, ascending."""

    call: Mask
    strike: Floats
    bid: Floats
    ask: Floats
    depth: Floats
    iv: Floats
    of_expiry: npt.NDArray[np.intp]


@dataclass(frozen=True, eq=False)
class _Expiry:
    """What one moment of expiry has of its own."""

    number: int
    day: date
    dte: float
    tau: float
    rate: float
    carry: float
    carry_assumed: bool


class ContractBook:
    """Expiries of a chain, each arranged when first asked for.

    ``chain``: ``columns.CHAIN`` of one symbol at one moment, not empty. ``interest_unknown``: too few contracts near
    spot have open interest for the rest to be believed; volume then takes its place.
    """

    def __init__(self, chain: pl.DataFrame, config: TradeConfig) -> None:
        self._config = config
        self.spot = float(chain["underlying_price"][0])
        self._waited = (chain["timestamp"][0] - chain["quote_time"][0]).total_seconds() / _SECONDS_PER_YEAR
        strike = chain["strike"].to_numpy()
        interest = chain["open_interest"].to_numpy()
        self.interest_unknown = self._is_unknown(strike, interest)
        _, first, of_expiry = np.unique(chain["tau"].to_numpy(), return_index=True, return_inverse=True)
        self._rows = _Rows(
            call=(chain["type"] == "C").to_numpy(),
            strike=strike,
            bid=chain["bid"].to_numpy(),
            ask=chain["ask"].to_numpy(),
            depth=chain["volume"].to_numpy() if self.interest_unknown else interest,
            iv=chain["iv"].to_numpy(),
            of_expiry=of_expiry,
        )
        heads = chain[first].select("expiry", "dte", "tau", "rate", "carry", "carry_assumed").rows()
        # An index may settle one day's expiry both at the open and at the close: the later moment, which trades more.
        days = {head[0]: _Expiry(number, *head) for number, head in enumerate(heads)}
        self._expiries = [expiry for expiry in days.values() if expiry.tau > 0]
        self._made: dict[int, ExpiryContracts | None] = {}

    def near(self) -> Iterator[ExpiryContracts]:
        """Usable expiries of the main window, nearest to the target first, the earlier of two equals."""
        low, high = self._config.min_dte, self._config.max_dte
        inside = [e for e in self._expiries if low <= e.dte <= high]
        return self._usable(sorted(inside, key=lambda e: (abs(e.dte - self._config.target_dte), e.dte)))

    def far(self, after: ExpiryContracts) -> Iterator[ExpiryContracts]:
        """Usable expiries of the far window, later than ``after``, the earliest first."""
        low, high = max(self._config.far_min_dte, after.dte + 1), self._config.far_max_dte
        return self._usable([e for e in self._expiries if low <= e.dte <= high])

    @cached_property
    def front_over_back(self) -> float | None:
        """The highest at-the-money volatility of the main window over that of the expiry that ends it or follows it.

        The back is the first usable expiry of the far window, else the last one. None with fewer than two.
        """
        front = list(self.near())
        last = max(front, key=lambda e: e.dte, default=None)
        if last is None:
            return None
        back = next(self.far(last), last)
        others = [e for e in front if e is not back]
        return max(e.smile.atm_vol for e in others) / back.smile.atm_vol if others else None

    def _usable(self, expiries: list[_Expiry]) -> Iterator[ExpiryContracts]:
        for expiry in expiries:
            made = self._arranged(expiry)
            if made is not None and made.forward_gap <= self._config.max_forward_gap:
                yield made

    def _arranged(self, expiry: _Expiry) -> ExpiryContracts | None:
        if expiry.number not in self._made:
            self._made[expiry.number] = self._arrange(expiry)
        return self._made[expiry.number]

    def _arrange(self, expiry: _Expiry) -> ExpiryContracts | None:
        rows = np.flatnonzero(self._rows.of_expiry == expiry.number)
        strikes, column = np.unique(self._rows.strike[rows], return_inverse=True)
        row = np.where(self._rows.call[rows], 0, 1)

        def table(values: Floats) -> Floats:
            filled = np.full((2, strikes.size), np.nan)
            filled[row, column] = values[rows]
            return filled

        bid, ask, depth = table(self._rows.bid), table(self._rows.ask), table(self._rows.depth)
        quoted = (bid > 0) & (bid <= ask) & np.isfinite(ask)
        mid = np.where(quoted, 0.5 * (bid + ask), np.nan)
        spread = ask - bid
        years = expiry.tau + self._waited
        forward = self._forward(expiry, years, strikes, mid)
        smile = self._smile(expiry, forward, years, strikes, mid, spread, table(self._rows.iv))
        if smile is None:
            return None
        floor = self._config.min_volume if self.interest_unknown else self._config.min_open_interest
        tight = spread <= np.maximum(self._config.max_spread_share * mid, self._config.max_spread_usd)
        return ExpiryContracts(
            day=expiry.day,
            dte=expiry.dte,
            tau=expiry.tau,
            rate=expiry.rate,
            carry=expiry.rate - np.log(forward / self.spot) / years,
            spot=self.spot,
            strikes=strikes,
            bid=bid,
            ask=ask,
            depth=depth,
            tradable=quoted & tight & (depth >= floor) & (depth > 0),
            smile=smile,
        )

    def _forward(self, expiry: _Expiry, years: float, strikes: Floats, mid: Floats) -> float:
        """The chain's own, else of the pairs nearest to spot, else spot with interest.

        K + e^{r tau} (C - P) names it at each pair; a chain that assumed no carry would put a dividend, or quotes and
        spot of different moments, into the volatilities, as a jump between puts and calls.
        """
        if not expiry.carry_assumed:
            return float(self.spot * np.exp((expiry.rate - expiry.carry) * years))
        pairs = np.flatnonzero(np.isfinite(mid[0] - mid[1]))
        if pairs.size == 0:
            return float(self.spot * np.exp(expiry.rate * years))
        nearest = pairs[np.argsort(np.abs(strikes[pairs] - self.spot), kind="stable")[:_PARITY_STRIKES]]
        implied = strikes[nearest] + np.exp(expiry.rate * years) * (mid[0, nearest] - mid[1, nearest])
        return max(float(np.median(implied)), 0.01)

    def _smile(
        self, expiry: _Expiry, forward: float, years: float, strikes: Floats, mid: Floats, spread: Floats, iv: Floats
    ) -> Smile | None:
        """Volatilities of the out-of-the-money mids whose quotes are tight enough to mean one."""
        out = np.where(strikes >= forward, 0, 1)
        places = np.arange(strikes.size)
        price = mid[out, places]
        believable = spread[out, places] <= self._config.smile_max_spread_share * price
        vols = np.where(believable, self._out_of_money_vols(expiry, forward, years, strikes, price, out, iv), np.nan)
        kept = np.flatnonzero(np.isfinite(vols) & (vols > 0))
        if kept.size < self._config.smile_min_strikes:
            return None
        errors = self._vol_errors(expiry, forward, years, strikes[kept], spread[out, places][kept], vols[kept])
        return Smile(forward, years, expiry.rate, np.log(strikes[kept] / forward), vols[kept], errors)

    def _vol_errors(
        self, expiry: _Expiry, forward: float, years: float, strikes: Floats, spread: Floats, vols: Floats
    ) -> Floats:
        """Half the spread, and no less than half a cent, in volatility; at most the volatility itself; (K,)."""
        spot = forward * np.exp(-expiry.rate * years)
        vega = bsm.greeks(1.0, spot, strikes, years, expiry.rate, 0.0, vols).vega
        half = np.maximum(0.5 * spread, _HALF_CENT)
        return np.where(vega * vols > half, half / np.maximum(vega, _LEAST_VEGA), vols)

    def _out_of_money_vols(
        self,
        expiry: _Expiry,
        forward: float,
        years: float,
        strikes: Floats,
        price: Floats,
        out: npt.NDArray[np.intp],
        iv: Floats,
    ) -> Floats:
        """The chain's own where it stands on the same forward, else inverted anew; (K,)."""
        if not expiry.carry_assumed:
            return iv[out, np.arange(strikes.size)]
        spot = forward * np.exp(-expiry.rate * years)
        return implied_vol(price, SIDES[out, 0], spot, strikes, years, expiry.rate, 0.0).sigma

    def _is_unknown(self, strike: Floats, interest: Floats) -> bool:
        """Whether less than the configured share of the contracts near spot has open interest."""
        near = np.abs(strike / self.spot - 1.0) <= self._config.open_interest_window
        known = np.count_nonzero(interest[near] > 0)
        return bool(known < self._config.min_open_interest_coverage * max(int(np.count_nonzero(near)), 1))
