"""Option contracts, one by one."""

from __future__ import annotations

from datetime import timedelta

import polars as pl

from gnosis_ray.config import ChainQuality, ImpliedVolConfig
from gnosis_ray.data.chains.timing import expiry_moments
from gnosis_ray.data.chains.volatility import is_bisection_artefact
from gnosis_ray.data.quality.checks import Check
from gnosis_ray.market.bounds import LARGEST_COUNT, LARGEST_PRICE, beyond
from gnosis_ray.market.calendar import SessionCalendar, moments_of
from gnosis_ray.market.datasets import VENDOR_GREEKS

_BID, _ASK = pl.col("bid").fill_null(0.0), pl.col("ask").fill_null(0.0)
TWO_SIDED = (_BID > 0) & (_ASK > 0)
_FIGURES = ("bid", "ask", "last", "volume", "open_interest", "vendor_iv")
_IMPOSSIBLE = pl.any_horizontal(
    ~pl.col("strike").is_finite().fill_null(value=False),
    ~pl.col("underlying_price").is_finite().fill_null(value=True),
    pl.any_horizontal(pl.col("strike", "underlying_price") <= 0),
    pl.any_horizontal(~pl.col(*_FIGURES).is_finite().fill_null(value=True)),
    pl.any_horizontal((pl.col(*_FIGURES) < 0).fill_null(value=False)),
    beyond(LARGEST_PRICE, "strike", "underlying_price", "bid", "ask", "last"),
    beyond(LARGEST_COUNT, "volume", "open_interest"),
    pl.col("expiry").is_null(),
    ~pl.col("type").is_in(["C", "P"]).fill_null(value=False),
    ~pl.col("settlement").is_in(["AM", "PM"]).fill_null(value=False),
)
_IMPOSSIBLE_GREEKS = pl.any_horizontal(
    pl.col("vendor_delta").abs() > 1,
    pl.col("vendor_delta") * pl.when(pl.col("type") == "C").then(1).otherwise(-1) < 0,
    pl.col("vendor_gamma", "vendor_vega") < 0,
)
_NAMED = ("event_time", "expiry", "strike", "type")


def contract_checks(limits: ChainQuality) -> tuple[Check, ...]:
    """Checks of single contracts; over :func:`contracts`."""
    quoted = (*_NAMED, "bid", "ask")
    implied = (*_NAMED, "bid", "ask", "vendor_iv")
    near = pl.col("expiry") - pl.col("event_time").dt.date() <= timedelta(days=limits.intrinsic_max_days)
    return (
        Check(
            "chains", "impossible figure", "error",
            "no strike, expiry or side, a spot of zero, or a figure that is negative, impossibly large or not finite",
            _IMPOSSIBLE, (*_NAMED, "underlying_price", *_FIGURES),
        ),
        Check(
            "chains", "no spot", "warning",
            "a halt, or a vendor that left it out: nothing is computed from the contract",
            pl.col("underlying_price").is_null(), _NAMED,
        ),
        Check(
            "chains", "expired contract", "warning", "had expired when the snapshot was taken",
            pl.col("expired"), (*_NAMED, "settlement"),
        ),
        Check(
            "chains", "crossed quote", "warning", "the bid is above the ask", TWO_SIDED & (_BID > _ASK), quoted
        ),
        Check("chains", "locked quote", "note", "the bid is the ask", TWO_SIDED & (_BID == _ASK), quoted),
        Check(
            "chains", "one-sided quote", "note", "only a bid or only an ask",
            ((_BID > 0) | (_ASK > 0)) & ~TWO_SIDED, quoted,
        ),
        Check("chains", "no quote", "note", "neither a bid nor an ask", (_BID <= 0) & (_ASK <= 0), quoted),
        Check(
            "chains", "ask below intrinsic value", "warning",
            f"of contracts within {limits.intrinsic_max_days} days, by more than "
            f"{limits.intrinsic_tolerance:.0%} of the spot: a stale quote, or a spot of another moment",
            near & (_ASK > 0) & (_intrinsic() - limits.intrinsic_tolerance * pl.col("underlying_price") > _ASK),
            (*_NAMED, "underlying_price", "bid", "ask"),
        ),
        Check(
            "chains", "unfinished implied volatility", "warning",
            "beside no two-sided quote, at a midpoint 2^-k: the vendor's search never ended",
            pl.col("unfinished") & ~TWO_SIDED, implied,
        ),
        Check(
            "chains", "zero implied volatility", "note", "the vendor gives zero", pl.col("vendor_iv") == 0, implied
        ),
        Check(
            "chains", "implied volatility out of range", "note", f"above {limits.max_implied_vol:g}",
            pl.col("vendor_iv") > limits.max_implied_vol, implied,
        ),
        Check(
            "chains", "no implied volatility", "note", "the vendor gives none", pl.col("vendor_iv").is_null(), implied
        ),
        Check(
            "chains", "no greeks", "note", "the vendor gives none: ours have nothing to be checked against",
            pl.all_horizontal(pl.col(*VENDOR_GREEKS).is_null()), _NAMED,
        ),
        Check(
            "chains", "impossible greeks", "warning",
            "of the vendor: a delta of the wrong sign or beyond 1, a negative gamma or vega",
            _IMPOSSIBLE_GREEKS, (*_NAMED, *VENDOR_GREEKS),
        ),
    )  # fmt: skip


def contracts(rows: pl.DataFrame, calendar: SessionCalendar, implied_vol: ImpliedVolConfig) -> pl.DataFrame:
    """Chain rows with what the checks ask: whether each contract had expired and its volatility is unfinished."""
    given = rows["vendor_iv"].fill_null(float("nan")).to_numpy()
    unfinished = is_bisection_artefact(given, implied_vol.bisection_tolerance) & (given > 0)
    expired = expiry_moments(rows, calendar) <= moments_of(rows["event_time"])  # beyond the calendar: NaT, not expired
    return rows.with_columns(pl.Series("unfinished", unfinished), pl.Series("expired", expired))


def _intrinsic() -> pl.Expr:
    spot, strike = pl.col("underlying_price"), pl.col("strike")
    return pl.when(pl.col("type") == "C").then(spot - strike).otherwise(strike - spot)
