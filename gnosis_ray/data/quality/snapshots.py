"""Checks of whole chain snapshots against the calendar, the bars, and the previous snapshot."""

from __future__ import annotations

import polars as pl

from gnosis_ray.config import ChainQuality, ImpliedVolConfig
from gnosis_ray.data.quality.checks import Check
from gnosis_ray.data.quality.contracts import TWO_SIDED
from gnosis_ray.market.calendar import SessionCalendar, moments_of, utc_times

_KEY = ["symbol", "event_time"]
_CONTRACT = ["symbol", "expiry", "strike", "type", "settlement"]
_FEW = 10
"""Contracts quoted in both of two snapshots below which nothing is said of whether their quotes moved."""


def snapshot_checks(limits: ChainQuality) -> tuple[Check, ...]:
    """Checks of whole snapshots, counted in contracts; over :func:`snapshots`."""

    def check(name: str, doc: str, when: pl.Expr, *shows: str) -> Check:
        counted = pl.when(when).then("contracts")
        return Check("chains", name, "warning", doc, counted, ("event_time", *shows), pl.col("contracts"))

    share = pl.col("two_sided") / pl.col("contracts")
    per_contract = pl.col("open_interest") / pl.col("contracts")
    low = pl.col("low") * (1 - limits.max_spot_gap)
    high = pl.col("high") * (1 + limits.max_spot_gap)
    return (
        check(
            "thin snapshot", f"fewer than {limits.min_contracts} contracts",
            pl.col("contracts") < limits.min_contracts, "contracts",
        ),
        check(
            "hardly quoted snapshot", f"fewer than {limits.min_two_sided:.0%} of the contracts have a bid and an ask",
            share < limits.min_two_sided, "contracts", "two_sided",
        ),
        check(
            "missing open interest",
            f"less than {limits.min_open_interest_per_contract:g} a contract over the whole snapshot: "
            "the vendor did not have it, it is not small",
            per_contract < limits.min_open_interest_per_contract, "contracts", "open_interest",
        ),
        check(
            "no implied volatilities", "the vendor gives no usable one in the whole snapshot",
            pl.col("implied") == 0, "contracts",
        ),
        check("several spots", "of one symbol in one snapshot", pl.col("spots") > 1, "underlying_price"),
        check(
            "spot off its bar",
            f"more than {limits.max_spot_gap:.0%} outside the range of the session whose quotes these are",
            ~pl.col("underlying_price").is_between(low, high), "underlying_price", "session", "low", "high",
        ),
        check(
            "quotes of an earlier day", "taken a day or more after the open of the session whose quotes these are",
            ~pl.col("on_session"), "session",
        ),
        check(
            "stale quotes", f"{limits.stale_share:.0%} of the quotes are those of the session before",
            (pl.col("seen_again") >= _FEW) & (pl.col("unmoved") >= limits.stale_share * pl.col("seen_again")),
            "seen_again", "unmoved",
        ),
        check(
            "contracts replaced", f"fewer than {limits.min_kept:.0%} of the contracts of the session before are there",
            pl.col("kept") < limits.min_kept * pl.col("earlier"), "earlier", "kept",
        ),
        Check(
            "chains", "sessions without a snapshot", "note", "of the symbol since its snapshot before",
            pl.col("missing"), ("event_time", "missing"), pl.col("missing") + 1,
        ),
    )  # fmt: skip


def snapshots(rows: pl.DataFrame, calendar: SessionCalendar, implied_vol: ImpliedVolConfig) -> pl.DataFrame:
    """One row per snapshot: the number of contracts, and aggregates over them."""
    made = rows.group_by(_KEY).agg(
        contracts=pl.len(),
        two_sided=TWO_SIDED.sum(),
        open_interest=pl.col("open_interest").sum(),
        implied=(pl.col("vendor_iv") >= implied_vol.vendor_min).sum(),
        spots=pl.col("underlying_price").n_unique(),
        underlying_price=pl.col("underlying_price").first(),
    )
    ordered = made.sort(_KEY)
    moments = moments_of(ordered["event_time"])
    return ordered.with_columns(
        utc_times(calendar.standing_close(moments), "session"),
        pl.Series("number", calendar.session_number(moments)),
        pl.Series("on_session", calendar.opened_within_a_day(moments)),
    )


class SessionBefore:
    """The last snapshot of each symbol so far, to compare with the next one of a later session."""

    def __init__(self) -> None:
        self._quotes: pl.DataFrame | None = None

    def compare(self, rows: pl.DataFrame, made: pl.DataFrame) -> pl.DataFrame:
        """``made`` (:func:`snapshots` of ``rows``) with what the snapshot before tells. Side effect: remembers.

        Compared are the last snapshots of a session with those of the session before that has any: ``missing``
        sessions lie between them, ``earlier`` contracts of the one before live on, of which ``kept`` are here;
        ``seen_again`` are quoted on both sides in both, of which ``unmoved`` the same. Null where there is none before.
        """
        lasts = made.group_by("symbol", "number").agg(pl.col("event_time").max())
        quotes = rows.join(lasts, on=_KEY).select(*_CONTRACT, "event_time", "number", "bid", "ask")
        before = quotes.clear() if self._quotes is None else self._quotes
        both = pl.concat([before.join(made.select("symbol").unique(), on="symbol", how="semi"), quotes])
        links = _links(both)
        compared = made.join(_carried_over(both, quotes, links), on=_KEY, how="left", maintain_order="left")
        newest = both.group_by("symbol").agg(pl.col("event_time").max())
        self._quotes = pl.concat([before.join(newest, on="symbol", how="anti"), both.join(newest, on=_KEY, how="semi")])
        return compared.join(links.drop("before"), on=_KEY, how="left", maintain_order="left")


def _links(quotes: pl.DataFrame) -> pl.DataFrame:
    """``symbol, event_time, before, missing``: the snapshot before each, and the sessions between them.

    None of a snapshot that follows one of its own session, which an earlier piece may have ended with.
    """
    moments = quotes.select(*_KEY, "number").unique().sort(_KEY)
    return moments.select(
        *_KEY,
        before=pl.col("event_time").shift(1).over("symbol"),
        missing=pl.col("number") - pl.col("number").shift(1).over("symbol") - 1,
    ).filter(pl.col("missing") >= 0)


def _carried_over(both: pl.DataFrame, quotes: pl.DataFrame, links: pl.DataFrame) -> pl.DataFrame:
    """How the contracts of each snapshot's predecessor are found in it."""
    next_of = links.select("symbol", now="event_time", event_time="before")
    alive = both.join(next_of, on=_KEY).filter(pl.col("expiry") > pl.col("now").dt.date())
    joined = alive.join(
        quotes, left_on=[*_CONTRACT, "now"], right_on=[*_CONTRACT, "event_time"], how="left", suffix="_now"
    )
    quoted = TWO_SIDED & (pl.col("bid_now") > 0) & (pl.col("ask_now") > 0)
    same = (pl.col("bid") == pl.col("bid_now")) & (pl.col("ask") == pl.col("ask_now"))
    return joined.group_by("symbol", event_time="now").agg(
        earlier=pl.len(),
        kept=pl.col("number_now").is_not_null().sum(),
        seen_again=quoted.sum(),
        unmoved=(quoted & same).sum(),
    )
