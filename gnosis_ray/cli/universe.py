"""``gnosis-ray universe``: which symbols a name stands for."""

from __future__ import annotations

from datetime import datetime

import click
import polars as pl

from gnosis_ray.charts.number_formats import plural
from gnosis_ray.cli.console import emit, stderr
from gnosis_ray.cli.options import DayParam, Format, format_option
from gnosis_ray.data.universe import INDEX_SIZES, SECTORS, Universe, load_universe, sectors_of, universe_names


@click.group(name="universe")
def command() -> None:
    """Universes: lists of symbols by name."""


@command.command(name="list")
@click.option("--sectors", is_flag=True, help="Also every sector of every index.")
@format_option
def list_(sectors: bool, format_: Format) -> None:
    """The names that `scan --universe` knows."""
    known = {name: load_universe(name) for name in universe_names()}
    rows = [(name, len(universe.symbols), universe.note) for name, universe in known.items()]
    if sectors:
        rows += [row for name in INDEX_SIZES for row in _slices(known[name])]
    emit(pl.DataFrame(sorted(rows), schema=["universe", "symbols", "note"], orient="row"), format_, "Universes")
    if not sectors:
        stderr.print("And every sector of an index, such as sp500:energy: see --sectors.", style="dim")


@command.command()
@click.argument("name")
@click.option("--as-of", type=DayParam(), help="Members of that day, where recorded.")
@format_option
def show(name: str, as_of: datetime | None, format_: Format) -> None:
    """The symbols of universe NAME (a name, a sector such as sp500:energy, a file, or a comma-separated list)."""
    universe = load_universe(name, as_of.date() if as_of else None)
    sector = sectors_of(universe.symbols)
    shown = pl.DataFrame(
        {"symbol": list(universe.symbols), "sector": [sector.get(symbol) for symbol in universe.symbols]},
        schema={"symbol": pl.String, "sector": pl.String},
    )
    emit(shown, format_, f"{universe.name}: {plural(len(universe.symbols), 'symbol')}")
    if universe.whole:
        stderr.print(universe.note)
    else:
        stderr.print(f"warning: {universe.note}", style="yellow")


def _slices(index: Universe) -> list[tuple[str, int, str]]:
    """One row for each sector that has members."""
    of_each = list(sectors_of(index.symbols).values())
    return [(f"{index.name}:{key}", of_each.count(key), name) for key, name in SECTORS.items() if key in of_each]
