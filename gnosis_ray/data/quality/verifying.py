"""Checks a store in chunks of bounded size and reports the findings."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from datetime import date

import polars as pl

from gnosis_ray.config import Config
from gnosis_ray.data.quality.check_runners import check_runner
from gnosis_ray.data.quality.checks import FindingCounter
from gnosis_ray.data.quality.names import name_checks, names
from gnosis_ray.data.quality.partitions import RowSelection, chunks
from gnosis_ray.data.quality.versions import VERSION_CHECKS, latest, revisions
from gnosis_ray.data.store.catalog import Catalog
from gnosis_ray.errors import NoDataError
from gnosis_ray.market.calendar import SessionCalendar
from gnosis_ray.market.columns import BARS
from gnosis_ray.market.datasets import DATASETS
from gnosis_ray.schemas.core_schemas import DATA_KINDS, DataKind
from gnosis_ray.storage.location import Location

OnProgress = Callable[[str, int, int], None]
"""Called with the current partition, the chunks done and the chunks in all."""

_RANGE = pl.Schema({name: BARS[name] for name in ("symbol", "timestamp", "low", "high")})


def verify(
    root: Location,
    config: Config,
    calendar: SessionCalendar,
    *,
    kinds: Sequence[DataKind] = DATA_KINDS,
    symbols: Collection[str] | None = None,
    first: date | None = None,
    last: date | None = None,
    progress: OnProgress | None = None,
) -> pl.DataFrame:
    """The findings in a store's rows: :data:`gnosis_ray.data.quality.FINDINGS`, empty where there are none.

    Rows are checked as they are read now, all corrections applied. ``symbols`` (None: all) and ``first`` to ``last``
    (days of the event time in UTC, inclusive) select rows; ``calendar`` must cover them and their expiries. Reads
    chunks of bounded size: memory does not grow with the store. Raises
    :class:`NoDataError` where there is no store or nothing of it is inside the bounds, :class:`DataError` where a part
    cannot be read.
    """
    catalog, counter = Catalog(root), FindingCounter()
    catalog.require_some()
    selection = RowSelection(None if symbols is None else frozenset(symbols), first, last)
    listings = {kind: selection.of(DATASETS[kind], catalog) for kind in kinds}
    work = [(kind, chunk) for kind, listing in listings.items() for chunk in chunks(listing)]
    if not work:
        raise NoDataError(f"The market store {root} holds nothing of what is to be verified")
    ranges = BarRanges(catalog)
    runners = {kind: check_runner(kind, config, calendar, ranges.add) for kind in kinds}
    for done, (kind, chunk) in enumerate(work):
        if progress:
            progress(f"{kind} {chunk.period}", done, len(work))
        data = DATASETS[kind]
        rows = chunk.read(catalog, data, listings[kind], selection)
        if chunk.has_revisions:
            counter.add(VERSION_CHECKS[kind], revisions(rows, data))
            rows = latest(rows, data)
        runners[kind].run(rows.sort(*data.identity), counter)
    _names(catalog, selection, kinds, config, calendar, counter)
    if progress:
        progress("", len(work), len(work))
    return counter.findings()


def has_errors(findings: pl.DataFrame) -> bool:
    """Whether any finding is an error."""
    return bool((findings["severity"] == "error").any())


class BarRanges:
    """Low and high of sessions, from the store's bars; those of the years in use are kept."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog
        self._years: dict[str, pl.DataFrame] = {}

    def add(self, made: pl.DataFrame) -> pl.DataFrame:
        """``made`` with ``low`` and ``high`` of its symbol's bar at its ``session``; null where there is none."""
        wanted = made["session"].dt.strftime("%Y").drop_nulls().unique().to_list()
        self._years = {year: self._years[year] if year in self._years else self._read(year) for year in sorted(wanted)}
        bars = pl.concat([pl.DataFrame(schema=_RANGE), *self._years.values()])
        return made.join(
            bars, left_on=["symbol", "session"], right_on=["symbol", "timestamp"], how="left", maintain_order="left"
        )

    def _read(self, year: str) -> pl.DataFrame:
        data = DATASETS["bars"]
        listing = self._catalog.listing(data, year, year)
        found = [
            latest(chunk.read(self._catalog, data, listing, RowSelection()), data).select(_RANGE.names())
            for chunk in chunks(listing)
        ]
        return pl.concat([pl.DataFrame(schema=_RANGE), *found])


def _names(
    catalog: Catalog,
    selection: RowSelection,
    kinds: Sequence[DataKind],
    config: Config,
    calendar: SessionCalendar,
    counter: FindingCounter,
) -> None:
    """Checks of the selected symbols over the whole store, whatever days are selected."""
    whole = RowSelection(selection.symbols)
    bars = whole.of(DATASETS["bars"], catalog).index
    for kind, checks in name_checks(config.quality.bars).items():
        if kind in kinds:
            counter.add(checks, names(whole.of(DATASETS[kind], catalog).index, bars, calendar))
