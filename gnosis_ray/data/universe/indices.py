"""Members of indices, offline: dated from index-constitution, undated from pytickersymbols for one more index."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from importlib.metadata import version
from typing import Any

from gnosis_ray.data.universe.universe import named_few

INDEX_SIZES = {"dow30": 30, "nasdaq100": 100, "sp100": 100, "sp500": 500}
"""Indices, and the least number of members that a complete record of a day has."""

_UNDATED = {"sp100": "S&P 100"}
"""Indices with a present list only, and their name in pytickersymbols."""

RENAMES_NAMED = 5
"""How many renamed members a note names; it counts the rest."""


@dataclass(frozen=True)
class Members:
    """Members of an index: present symbol -> the symbol of the day, under which data of that day are stored."""

    symbols_then: dict[str, str]
    note: str
    whole: bool


def index_members(name: str, as_of: date | None) -> Members:
    """The members of an index of :data:`INDEX_SIZES` on a day, or at present."""
    if name in _UNDATED:
        return _undated(name, as_of)
    import index_constitution  # imports pandas: only where an index is requested

    today = index_constitution.latest(name)["symbol"]
    history = index_constitution.history(name)
    recorded_to = max(history["opt-in"].max(), history["opt-out"].max()).date()
    if as_of is None:
        return Members(_as_they_are(today), f"members recorded up to {recorded_to} (index-constitution)", whole=True)
    members = index_constitution.constituents_at(name, as_of.isoformat())["symbol"]
    if members.empty:
        note = f"no members recorded on {as_of}: those of {recorded_to} stand in (survivorship and look-ahead bias)"
        return Members(_as_they_are(today), note, whole=False)
    missing = _missing(name, as_of, members.nunique(), history)
    note = f"members on {as_of} (index-constitution)"
    if as_of > recorded_to:
        note += f"; changes are recorded up to {recorded_to} only"
    return _spelled_on(as_of, set(members), index_constitution.events(name), note + missing, whole=not missing)


def renamed_to_present(symbols: set[str]) -> dict[str, str]:
    """Symbol -> the symbol that it became last, for those renamed by the S&P 500's record and no members today."""
    import index_constitution

    present = set(index_constitution.latest("sp500")["symbol"])
    changes = index_constitution.events("sp500")
    changes = changes[changes["event_type"] == "ticker_change"].sort_values("event_date")
    became = {symbol: symbol for symbol in sorted(symbols - present)}
    for change in changes.itertuples():
        became |= {symbol: change.new_symbol for symbol, now in became.items() if now == change.old_symbol}
    return {symbol: now for symbol, now in became.items() if symbol != now}


def _as_they_are(symbols: Any) -> dict[str, str]:
    return {symbol: symbol for symbol in symbols}


def _undated(name: str, as_of: date | None) -> Members:
    import index_constitution
    from pytickersymbols import PyTickerSymbols

    listed = {stock["symbol"] for stock in PyTickerSymbols().get_stocks_by_index(_UNDATED[name])}
    renamed = renamed_to_present(listed)
    present = {renamed.get(symbol, symbol) for symbol in listed}
    source = f"pytickersymbols {version('pytickersymbols')}, which keeps no dates"
    if as_of is None:
        return Members(_as_they_are(present), f"the present list ({source})", whole=True)
    note = (
        f"no membership of {name} is recorded by day: the present list ({source}) stands in for {as_of} "
        "(survivorship and look-ahead bias)"
    )
    return _spelled_on(as_of, present, index_constitution.events("sp500"), note, whole=False)


def _missing(name: str, as_of: date, members: int, history: Any) -> str:
    """A note on members of a past day that the record lacks."""
    if as_of < history["opt-out"].min().date():
        return "; no removal is recorded before that day: survivors only (survivorship bias)"
    if members < INDEX_SIZES[name]:
        return (
            f"; {members} of at least {INDEX_SIZES[name]} are recorded: some that left are missing (survivorship bias)"
        )
    return ""


def _spelled_on(as_of: date, members: set[str], events: Any, note: str, *, whole: bool) -> Members:
    """Members under the symbols that they had on ``as_of``; the note names those that have another one today."""
    changes = events[(events["event_type"] == "ticker_change") & (events["event_date"].dt.date > as_of)]
    then = {symbol: symbol for symbol in sorted(members)}
    for change in changes.sort_values("event_date", ascending=False).itertuples():
        for now, was in then.items():
            if was == change.new_symbol:
                then[now] = change.old_symbol
    renamed = [f"{was} is {now} today" for now, was in then.items() if now != was]
    if renamed:
        note += f"; spelled as on that day, as far as renames are recorded: {named_few(renamed, RENAMES_NAMED)}"
    return Members(then, note, whole)
