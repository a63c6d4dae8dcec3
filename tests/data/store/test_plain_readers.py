"""Polars, DuckDB and pyarrow read a store by the calls of the document, optional columns included."""

from __future__ import annotations

import re
from pathlib import Path

import duckdb
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from gnosis_ray.data.store import StoreSource, StoreWriter
from gnosis_ray.market.columns import BARS
from tests.data.store.frames import DAY, MONDAY, bar, bars, chain, keys

DOCUMENT = Path(__file__).parents[3] / "docs" / "store.md"


def asked(query: str) -> duckdb.DuckDBPyRelation:
    """The answer of DuckDB."""
    found = duckdb.sql(query)
    assert found is not None
    return found


def shown(language: str) -> str:
    """The block of the document in that language, with a Python block only from *Read by others*."""
    section = DOCUMENT.read_text(encoding="utf-8").split("## Read by others", 1)[1].split("\n## ", 1)[0]
    (block,) = re.findall(rf"^```{language}\n(.*?)^```$", section, re.MULTILINE | re.DOTALL)
    return str(block)


@pytest.fixture(params=[True, False], ids=["unknown first", "known first"])
def market(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> StoreSource:
    """A store whose parts differ in their columns, in the working folder."""
    writer = StoreWriter(tmp_path / "market")
    told = bar("AAPL", -400, adjusted=50.0) if request.param else bar("AAPL", 400, adjusted=50.0)
    writer.append("bars", told)
    writer.append("bars", bars("AAPL", 3))
    writer.append("chains", chain("AAPL", MONDAY))
    writer.append("chains", chain("AAPL", MONDAY + DAY).with_columns(vendor_delta=pl.lit(0.5)))
    monkeypatch.chdir(tmp_path)
    return StoreSource(writer.root)


def test_polars_and_pyarrow_read_every_row_and_column(market: StoreSource) -> None:
    names: dict[str, pl.DataFrame] = {}
    exec(shown("python"), names)  # noqa: S102 - our own document
    everything = market.bars(keys(("AAPL", MONDAY + 500 * DAY)), 99)
    by_time = ["symbol", "timestamp"]
    assert_frame_equal(names["bars"].sort(by_time), everything)
    table = pl.from_arrow(names["table"])
    assert isinstance(table, pl.DataFrame)
    assert_frame_equal(table.cast(pl.Schema(BARS)).sort(by_time), everything)
    assert everything["adjusted_close"].drop_nulls().to_list() == [50.0]


def test_duckdb_reads_every_row_and_column(market: StoreSource) -> None:
    first, second = (text for text in shown("sql").split(";\n") if text)
    found = asked(first).fetchall()
    assert len(found) == 4
    assert [row[3] for row in found if row[3] is not None] == [50.0]
    assert asked(second).fetchall() == [(6,)]
    assert market.name == "store"


def test_plain_calls_fail_or_leave_columns_out(market: StoreSource) -> None:
    """What the document warns of; once it is no longer so, the warning can go."""
    files = sorted(Path("market/bars").rglob("*.parquet"))
    told = "adjusted_close" in pl.read_parquet_schema(files[0])
    if not told:
        with pytest.raises(pl.exceptions.SchemaError):
            pl.read_parquet("market/bars/**/*.parquet")
    assert ("adjusted_close" in asked("SELECT * FROM 'market/bars/**/*.parquet'").columns) == told
