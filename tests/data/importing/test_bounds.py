"""Figures that cannot be: their rows are refused by imports, and named where they are in a store."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from gnosis_ray.config import Config
from gnosis_ray.data.quality import verify
from gnosis_ray.data.store import StoreWriter
from gnosis_ray.market.bounds import LARGEST_COUNT, LARGEST_PRICE
from gnosis_ray.schemas.core_schemas import DataKind
from tests.data.importing.sources import (
    CHAIN,
    CHAIN_HEADER,
    CHAIN_ROW,
    GOOD,
    bars_of,
    calendar,
    chain_of,
    refusals,
)
from tests.data.store.frames import MONDAY, bars, chain, quote, trade

CELLS = dict(zip(CHAIN_HEADER.split(","), CHAIN_ROW.split(","), strict=True))


@pytest.mark.parametrize(
    ("target", "value"),
    [("strike", "1e308"), ("underlying_price", "2e9"), ("bid", "1e12"), ("ask", "1e12"), ("last", "1e10"),
     ("volume", "1e22"), ("open_interest", "1e17")],
)  # fmt: skip
def test_a_contract_with_an_impossible_figure_is_refused(tmp_path: Path, target: str, value: str) -> None:
    bad = ",".join((CELLS | {CHAIN[target]: value, "symbol": "BAD"}).values())
    report = chain_of(tmp_path, CHAIN_ROW, bad)
    assert refusals(report) == [(target, "impossibly large", f"{value} in chain.csv, line 3")]
    assert report.rows_written == 1


@pytest.mark.parametrize(("old", "new", "column"), [(",2000", ",1e22", "volume"), (",102.75,", ",1e12,", "high")])
def test_a_bar_with_an_impossible_figure_is_refused(tmp_path: Path, old: str, new: str, column: str) -> None:
    report = bars_of(tmp_path, GOOD.replace(old, new))
    assert refusals(report) == [(column, "impossibly large", f"{new.strip(',')} in bars.csv, line 3")]


@pytest.mark.parametrize(("old", "new"), [(",2000", ",1e14"), (",102.75,", ",8e5,")])
def test_the_largest_true_ones_are_stored(tmp_path: Path, old: str, new: str) -> None:
    """Berkshire's A share, and a day of the cheapest coins."""
    assert bars_of(tmp_path, GOOD.replace(old, new)).rows_written == 2


FRAMES: list[tuple[DataKind, pl.DataFrame, str, float]] = [
    ("chains", chain("AAPL", MONDAY), "strike", 1e308),
    ("chains", chain("AAPL", MONDAY), "bid", LARGEST_PRICE * 1.01),
    ("chains", chain("AAPL", MONDAY), "volume", 1e22),
    ("bars", bars("AAPL", 3), "volume", LARGEST_COUNT * 2),
    ("bars", bars("AAPL", 3), "high", 1e12),
    ("trades", trade("AAPL", MONDAY), "price", 1e12),
    ("trades", trade("AAPL", MONDAY), "size", 1e22),
    ("quotes", quote("AAPL", MONDAY), "ask", 1e12),
    ("quotes", quote("AAPL", MONDAY), "ask_size", 1e22),
]


@pytest.mark.parametrize(("kind", "frame", "column", "value"), FRAMES)
def test_in_a_store_they_are_errors(
    tmp_path: Path, config: Config, kind: DataKind, frame: pl.DataFrame, column: str, value: float
) -> None:
    root = tmp_path / "market"
    one = pl.int_range(pl.len()) == 0
    StoreWriter(root).append(kind, frame.with_columns(pl.when(one).then(pl.lit(value)).otherwise(column).alias(column)))
    found = verify(root, config, calendar(), kinds=[kind]).filter(finding="impossible figure")
    assert found.select("severity", "rows").rows() == [("error", 1)]


def test_a_pair_has_a_bar_each_day_and_none_is_missing(tmp_path: Path, config: Config) -> None:
    header, *_ = GOOD.split("\n")
    days = [f"2026-07-{day:02d}" for day in (*range(1, 11), 13)]
    bars_of(tmp_path, "\n".join([header, *(f"BTC-USD,{day},10,11,9,10,{day[-2:]}" for day in days)]))
    found = verify(tmp_path / "market", config, calendar(), kinds=["bars"])
    about = {row["finding"]: row["rows"] for row in found.iter_rows(named=True)}
    assert about["missing sessions"] == 2  # the 11th and 12th
    assert "not at a session's close" not in about
