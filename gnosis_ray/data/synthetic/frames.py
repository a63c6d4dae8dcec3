"""Arrays of the planted market as tables of the column contracts."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import numpy as np
import numpy.typing as npt
import polars as pl

from gnosis_ray.data.synthetic.chains import SyntheticChain
from gnosis_ray.data.synthetic.headlines import SyntheticHeadline
from gnosis_ray.data.synthetic.tape import Tape
from gnosis_ray.data.synthetic.timeline import Snapshot
from gnosis_ray.market.calendar import Moments, utc_times
from gnosis_ray.market.columns import BARS, NEWS, QUOTES, RAW_CHAIN, TRADES, UTC_TIME

Floats = npt.NDArray[np.float64]

CHAIN_SCHEMA = pl.Schema({**RAW_CHAIN, "timestamp": UTC_TIME})
"""``RAW_CHAIN`` and the moment that asked."""


def chain_frame(rows: Sequence[tuple[str, np.datetime64, Snapshot, SyntheticChain]]) -> pl.DataFrame:
    """Chains in the order given, contracts by expiry, strike, type."""
    if not rows:
        return pl.DataFrame(schema=CHAIN_SCHEMA)
    chains = [chain for _, _, _, chain in rows]
    counts = np.array([chain.contracts for chain in chains])
    taken = utc_times(np.repeat([snapshot.moment for _, _, snapshot, _ in rows], counts))
    expiries = [np.repeat(chain.expiries, chain.strikes.size * 2) for chain in chains]
    strikes = [np.tile(np.repeat(chain.strikes, 2), chain.expiries.size) for chain in chains]
    frame = pl.DataFrame(
        {
            "symbol": _names([symbol for symbol, _, _, _ in rows], counts),
            "event_time": taken,
            "known_at": taken,
            "underlying_price": np.repeat([chain.spot for chain in chains], counts),
            "expiry": pl.Series(np.concatenate(expiries).astype("datetime64[D]")),
            "strike": np.concatenate(strikes),
            "type": _names(["C", "P"], np.ones(2, dtype=np.int64), repeat=int(counts.sum()) // 2),
            "settlement": _names(["PM"], counts.sum(keepdims=True)),
            "bid": _flat(chain.bid for chain in chains),
            "ask": _flat(chain.ask for chain in chains),
            "last": _flat(chain.last for chain in chains),
            "volume": _flat(chain.volume for chain in chains),
            "open_interest": _flat(chain.open_interest for chain in chains),
            "vendor_iv": pl.Series(_flat(chain.vendor_iv for chain in chains)).fill_nan(None),
            "timestamp": utc_times(np.repeat([moment for _, moment, _, _ in rows], counts)),
        }
    )
    return frame.match_to_schema(CHAIN_SCHEMA)


def bar_frame(rows: Sequence[tuple[str, Moments, Floats, Floats]]) -> pl.DataFrame:
    """Bars from (symbol, closes, (rows, 4) prices, volumes)."""
    if not rows:
        return pl.DataFrame(schema=BARS)
    prices = np.concatenate([ohlc for _, _, ohlc, _ in rows])
    times = utc_times(np.concatenate([closes for _, closes, _, _ in rows]))
    columns: dict[str, object] = {
        "symbol": _names([symbol for symbol, _, _, _ in rows], np.array([closes.size for _, closes, _, _ in rows])),
        "timestamp": times,
        "known_at": times,
    }
    columns |= {name: prices[:, i].copy() for i, name in enumerate(("open", "high", "low", "close"))}
    columns["volume"] = np.concatenate([volume for _, _, _, volume in rows])
    columns["adjusted_close"] = columns["close"]  # nothing is split or paid out here
    return pl.DataFrame(columns).match_to_schema(BARS)


def trade_frame(tapes: Iterable[tuple[str, Tape, Moments, Moments]]) -> pl.DataFrame:
    """Trades inside of the windows."""
    symbols, kept = _inside(tapes, lambda tape: tape.times)
    if not kept:
        return pl.DataFrame(schema=TRADES)
    times = utc_times(np.concatenate([tape.times[mask] for tape, mask in kept]))
    signed = _join((tape.signed_sizes, mask) for tape, mask in kept)
    known = np.concatenate([tape.side_known[mask] for tape, mask in kept])
    side = pl.when(pl.col("known")).then(pl.when(pl.col("size") > 0).then(pl.lit("buy")).otherwise(pl.lit("sell")))
    frame = pl.DataFrame(
        {
            "symbol": symbols,
            "timestamp": times,
            "known_at": times,
            "price": _join((tape.prices, mask) for tape, mask in kept),
            "size": signed,
            "known": known,
        }
    )
    return frame.with_columns(pl.col("size").abs(), side=side).drop("known").match_to_schema(TRADES)


def quote_frame(tapes: Iterable[tuple[str, Tape, Moments, Moments]]) -> pl.DataFrame:
    """Quotes inside of the windows."""
    symbols, kept = _inside(tapes, lambda tape: tape.quote_times)
    if not kept:
        return pl.DataFrame(schema=QUOTES)
    times = utc_times(np.concatenate([tape.quote_times[mask] for tape, mask in kept]))
    return pl.DataFrame(
        {
            "symbol": symbols,
            "timestamp": times,
            "known_at": times,
            "bid": _join((tape.bid, mask) for tape, mask in kept),
            "bid_size": _join((tape.bid_size, mask) for tape, mask in kept),
            "ask": _join((tape.ask, mask) for tape, mask in kept),
            "ask_size": _join((tape.ask_size, mask) for tape, mask in kept),
        }
    ).match_to_schema(QUOTES)


def news_frame(rows: Sequence[tuple[str, SyntheticHeadline]]) -> pl.DataFrame:
    """News items in the order given."""
    return pl.DataFrame(
        [(symbol, i.published, i.published, i.text, i.body, i.source) for symbol, i in rows],
        schema=NEWS,
        orient="row",
    )


def _inside(
    tapes: Iterable[tuple[str, Tape, Moments, Moments]], clock: Callable[[Tape], Moments]
) -> tuple[pl.Series, list[tuple[Tape, npt.NDArray[np.bool_]]]]:
    """Tapes with the mask of rows in any window (start, end]; windows are sorted and of one length."""
    names, kept = [], []
    for symbol, tape, starts, ends in tapes:
        times = clock(tape)
        nearest = np.minimum(np.searchsorted(ends, times, side="left"), ends.size - 1)
        mask = (times > starts[nearest]) & (times <= ends[nearest])
        names.append(symbol)
        kept.append((tape, mask))
    return _names(names, np.array([mask.sum() for _, mask in kept], dtype=np.int64)), kept


def _join(parts: Iterable[tuple[Floats, npt.NDArray[np.bool_]]]) -> Floats:
    return np.concatenate([values[mask] for values, mask in parts])


def _flat(parts: Iterable[Floats]) -> Floats:
    return np.concatenate([part.ravel() for part in parts])


def _names(names: Sequence[str], counts: npt.NDArray[np.int64], repeat: int = 1) -> pl.Series:
    """Each name as often as its count, the whole ``repeat`` times."""
    return pl.Series(names, dtype=pl.String).gather(np.tile(np.repeat(np.arange(len(names)), counts), repeat))
