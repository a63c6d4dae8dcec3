"""A cleaned chain as arrays: strikes paired, mids, rates, carry, and which side is out of the money."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from gnosis_ray.config import ForwardConfig, MarketConfig
from gnosis_ray.data.chains.report import Mask
from gnosis_ray.market.run_length_join import run_lengths, run_starts
from gnosis_ray.options.bsm import Floats
from gnosis_ray.options.forward import implied_carry, spot_disagreements, zero_rates


@dataclass(frozen=True)
class Contracts:
    """One entry a contract, sorted by symbol, timestamp, expiry, settlement, strike, type. NaN where unknown.

    ``w`` +1 call, -1 put; prices in USD per share; ``tau`` (from the as-of moment) and ``quote_tau`` (from the quotes)
    in years; ``rate`` and ``carry`` a year; ``log_moneyness`` ln(K/F) at quote time; ``partner`` the row of the other
    type at the strike, -1 where there is none; ``group`` numbers the expiries, ``groups`` of them; ``spot_disagrees``
    where the symbol's options are not on the share that ``spot`` prices.
    """

    w: Floats
    spot: Floats
    strike: Floats
    tau: Floats
    quote_tau: Floats
    bid: Floats
    ask: Floats
    mid: Floats
    last: Floats
    volume: Floats
    vendor_iv: Floats
    rate: Floats
    carry: Floats
    carry_assumed: Mask
    spot_disagrees: Mask
    log_moneyness: Floats
    out_of_money: Mask
    partner: npt.NDArray[np.intp]
    group: npt.NDArray[np.intp]
    groups: int


def arrange(rows: pl.DataFrame, config: MarketConfig) -> Contracts:
    """Arrays of a cleaned and timed chain (:func:`~gnosis_ray.data.chains.timing.add_times`)."""
    spot, strike, tau, quote_tau = (_floats(rows, n) for n in ("underlying_price", "strike", "tau", "quote_tau"))
    bid, ask = _floats(rows, "bid"), _floats(rows, "ask")
    call = (rows["type"] == "C").to_numpy()
    starts = run_starts(rows["symbol"], rows["timestamp"], rows["expiry"], rows["settlement"])
    group = np.repeat(np.arange(starts.size), run_lengths(starts, rows.height))
    partner = _partners(call, strike, group)
    mid = np.where((bid > 0) & (bid <= ask), 0.5 * (bid + ask), np.nan)
    rate = zero_rates(_floats(rows, "dte"), config.risk_free_curve)
    pairs = np.flatnonzero(call & (partner >= 0))
    pairs = pairs[np.isfinite(mid[pairs]) & np.isfinite(mid[partner[pairs]])]
    snapshots = run_starts(rows["symbol"], rows["timestamp"])
    snapshot = np.repeat(np.arange(snapshots.size), run_lengths(snapshots, rows.height))
    strikes = pl.DataFrame(
        {
            "group": group[pairs],
            "snapshot": snapshot[pairs],
            "spot": spot[pairs],
            "strike": strike[pairs],
            "call_mid": mid[pairs],
            "put_mid": mid[partner[pairs]],
            "rate": rate[pairs],
            "tau": quote_tau[pairs],
        }
    )
    carry, assumed = _carry(strikes, group, starts.size, config.forward)
    disagreeing = spot_disagreements(strikes, ["snapshot"], config.forward)["snapshot"].to_numpy()
    log_moneyness = np.log(strike / spot) - (rate - carry) * quote_tau
    return Contracts(
        w=np.where(call, 1.0, -1.0),
        spot=spot,
        strike=strike,
        tau=tau,
        quote_tau=quote_tau,
        bid=bid,
        ask=ask,
        mid=mid,
        last=_floats(rows, "last"),
        volume=_floats(rows, "volume"),
        vendor_iv=_floats(rows, "vendor_iv"),
        rate=rate,
        carry=carry,
        carry_assumed=assumed,
        spot_disagrees=np.isin(snapshot, disagreeing),
        log_moneyness=log_moneyness,
        out_of_money=call == (log_moneyness >= 0),
        partner=partner,
        group=group,
        groups=starts.size,
    )


def _floats(rows: pl.DataFrame, name: str) -> Floats:
    return rows[name].to_numpy()


def _partners(call: Mask, strike: Floats, group: npt.NDArray[np.intp]) -> npt.NDArray[np.intp]:
    """Rows are sorted by strike and type: a pair is a call and the put right after it."""
    partner = np.full(call.size, -1, dtype=np.intp)
    paired = call[:-1] & ~call[1:] & (strike[:-1] == strike[1:]) & (group[:-1] == group[1:])
    calls = np.flatnonzero(paired)
    partner[calls] = calls + 1
    partner[calls + 1] = calls
    return partner


def _carry(
    strikes: pl.DataFrame, group: npt.NDArray[np.intp], groups: int, config: ForwardConfig
) -> tuple[Floats, Mask]:
    """Carry a year for every row, and whether it is assumed to be zero."""
    implied = implied_carry(strikes, ["group"], config)
    carry, assumed = np.zeros(groups), np.ones(groups, dtype=np.bool_)
    known = implied["group"].to_numpy()
    carry[known] = implied["carry"].to_numpy()
    assumed[known] = False
    return carry[group], assumed[group]
