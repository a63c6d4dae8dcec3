"""``gnosis-ray universe``: which symbols a name stands for."""

from __future__ import annotations

from datetime import date, datetime

import click
import polars as pl

from gnosis_ray.cli.console import Format, emit, format_option, talk
from gnosis_ray.data.universe import load_universe, universe_names


@click.group(name="universe")
def command() -> None:
    """Universes: lists of symbols by name."""


@command.command(name="list")
@format_option
def list_(format_: Format) -> None:
    """The names that `scan --universe` knows."""
    rows = [
        (name, len(universe.symbols), universe.note) for name in universe_names() for universe in [load_universe(name)]
    ]
    emit(pl.DataFrame(rows, schema=["universe", "symbols", "note"], orient="row"), format_, "Universes")


@command.command()
@click.argument("name")
@click.option("--as-of", type=click.DateTime(["%Y-%m-%d"]), help="Members of that day, where recorded.")
@format_option
def show(name: str, as_of: datetime | None, format_: Format) -> None:
    """The symbols of universe NAME (a name, a file, or a comma-separated list)."""
    day: date | None = as_of.date() if as_of else None
    universe = load_universe(name, day)
    emit(pl.DataFrame({"symbol": list(universe.symbols)}), format_, f"{universe.name}: {len(universe.symbols)} symbols")
    talk.print(universe.note)
