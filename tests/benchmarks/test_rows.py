"""Every row of the benchmarks measures something, on a market too small to mean anything."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from types import ModuleType
from typing import Any

import polars as pl
import pytest

from benchmarks import (
    cold_scan,
    data,
    engines,
    hedge,
    large_store,
    market,
    panel,
    ray_shard,
    same_bits,
    solver,
    vollib_loop,
    whole_pass,
)
from benchmarks.__main__ import ROWS
from benchmarks.data import Question
from benchmarks.market import Market
from benchmarks.report import Row, show
from gnosis_ray.data.store import StoreWriter
from gnosis_ray.data.synthetic.source import SyntheticSource
from gnosis_ray.market.datasets import VENDOR_GREEKS
from gnosis_ray.market.keys import keys_at

SMALL: Mapping[ModuleType, Mapping[str, Any]] = {
    engines: {"ROUNDS": 1},
    hedge: {"ROUNDS": 1},
    vollib_loop: {"ROUNDS": 1, "SAMPLE": 20},
    solver: {"ROUNDS": 1},
    panel: {"ROUNDS": 1, "SYMBOLS": 2, "DAYS": 4, "SAMPLE": 2, "LIQUIDITY_DAYS": 2, "CUMULATED": 2},
    whole_pass: {"ROUNDS": 1},
    ray_shard: {"ROUNDS": 1, "PASSES": 1},
    cold_scan: {"ROUNDS": 1},
    same_bits: {"THREADS": (1, 2)},
    large_store: {"SYMBOLS": 4, "SESSIONS": 4, "EXPIRIES": 2},
    data: {
        "REALDATA": Path("nowhere"),
        "ROUNDS": 1,
        "READS": 1,
        "SHARD": 2,
        "QUESTIONS": (Question("one symbol, one day", 1, 1), Question("one symbol, 4 days", 1, 4)),
    },
}
"""What makes each module small."""

MEMBERS = 3


@pytest.fixture(scope="module")
def mixed(tmp_path_factory: pytest.TempPathFactory) -> Market:
    """A store in which one file of chains has the vendor's greeks and another has not."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("POLARS_MAX_THREADS", "1")
        patch.setattr(market, "REALDATA", tmp_path_factory.mktemp("nothing") / "nowhere")
        written = market.prepare(tmp_path_factory.mktemp("market"), MEMBERS)
    source = SyntheticSource(written.calendar, written.config.data.synthetic, written.config.market)
    before = source.raw_chains(keys_at(list(written.symbols), written.as_of - timedelta(days=1)))
    with_greeks = before.drop("timestamp").with_columns(pl.lit(0.5).alias(name) for name in VENDOR_GREEKS)
    StoreWriter(written.root).append("chains", with_greeks)
    return written


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Few rounds of little."""
    monkeypatch.setenv("POLARS_MAX_THREADS", "1")
    monkeypatch.setenv(large_store.ROWS_SETTING, "0")
    monkeypatch.setenv("GNOSIS_RAY__RUN__AUTO_ACTORS_PER_CORE", "1")
    for module, names in SMALL.items():
        for name, value in names.items():
            monkeypatch.setattr(module, name, value)


def test_files_of_chains_differ_in_their_columns(mixed: Market) -> None:
    columns = {tuple(pl.read_parquet_schema(part)) for part in mixed.parts("chains")}
    assert len(columns) == 2
    assert mixed.read_and_sum()["vendor_delta"].item() > 0
    assert mixed.scan("chains").collect()["vendor_delta"].null_count() > 0


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("name", ROWS)
def test_every_row_measures(
    name: str, mixed: Market, tmp_path: Path, request: pytest.FixtureRequest, capsys: pytest.CaptureFixture[str]
) -> None:
    if name == "shard":
        request.getfixturevalue("session")  # the Ray that other tests use, too
    _check(list(ROWS[name](mixed, tmp_path / name)), mixed, capsys)


@pytest.mark.realdata
@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("name", ["engines", "hedge", "data"])
def test_rows_measure_the_recorded_market(
    name: str, realdata: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for module in (market, data):
        monkeypatch.setattr(module, "REALDATA", realdata)
    recorded = market.prepare(tmp_path / "market", MEMBERS)
    assert "recorded" in recorded.name
    _check(list(ROWS[name](recorded, tmp_path / name)), recorded, capsys)


def _check(measured: list[Row], of: Market, capsys: pytest.CaptureFixture[str]) -> None:
    assert measured
    assert all(row.seconds is not None or row.note for row in measured)
    assert not [row.note for row in measured if row.note.startswith("NO")]
    show(measured, of)
    assert measured[0].what.split()[0] in capsys.readouterr().out
