"""A ledger of format 1 is read whole, row by row, as it was recorded."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

from gnosis_ray.errors import FormatError, IntegrityError
from gnosis_ray.ledger.ledger_store import LedgerStore
from gnosis_ray.ledger.tables import ORIGIN, RUNS, table_schema
from gnosis_ray.schemas.run_schemas import FORMAT_1_TABLES, MANIFEST_FORMAT
from tests.support.recorded import (
    BATCHES,
    CUT_OFF,
    FORMAT_1,
    LEDGER_ROWS,
    SEALED,
    digest_of,
    files_of,
    ledger_of_format_1,
)

LEDGER = FORMAT_1 / "ledger"


def _recorded(table: str, run_id: str) -> pl.DataFrame:
    """The rows that lie in the files."""
    parts = sorted((LEDGER / table).glob(f"*/run_id={run_id}/*.parquet"))
    return pl.concat(pl.read_parquet(part, hive_partitioning=False) for part in parts)


def _manifest(root: Path, run_id: str) -> Path:
    return next((root / "manifests").glob(f"*/run_id={run_id}/manifest.json"))


def _set_format(root: Path, run_id: str, found: object) -> None:
    path = _manifest(root, run_id)
    path.write_text(json.dumps({**json.loads(path.read_text()), "format": found, "of_the_future": 1}))


def test_the_recorded_ledger_is_never_rewritten() -> None:
    assert digest_of(LEDGER) == "2ea1480ff82aca8c"


def test_reading_changes_no_file(tmp_path: Path) -> None:
    root = ledger_of_format_1(tmp_path)
    before = files_of(root)
    store = LedgerStore(root)
    read = (list(store.stream()), store.overview(), store.read("runs").rows(), store.unsealed())
    assert all(len(found) > 0 for found in read)
    assert files_of(root) == before


@pytest.mark.parametrize("run_id", BATCHES)
@pytest.mark.parametrize("table", FORMAT_1_TABLES)
def test_every_recorded_row_is_read(table: str, run_id: str) -> None:
    recorded, read = _recorded(table, run_id), LedgerStore(LEDGER).read(table, run_id)
    if run_id == SEALED:
        assert recorded.height == LEDGER_ROWS[table]
    assert read.select(recorded.columns).equals(recorded)
    added = set(table_schema(table)) - set(recorded.columns)
    assert added >= set(ORIGIN)
    assert all(read[name].null_count() == read.height for name in added)


def test_every_record_comes_back() -> None:
    store = LedgerStore(LEDGER)
    records = list(store.stream(SEALED))
    assert [record.symbol for record in records] == ["AAPL", "JPM", "NOPE", "XOM"]
    assert sum(len(record.trade_ideas) for record in records) == LEDGER_ROWS["trade_ideas"]
    assert sum(len(record.primary_suggestions) + 1 for record in records) == LEDGER_ROWS["suggestions"]
    features = _recorded("snapshots", SEALED).row(0, named=True)
    assert records[0].snapshot.hedge["gamma_pressure"] == features["hedge__gamma_pressure"]
    assert list(store.stream(CUT_OFF)) == records[:2]
    assert list(store.stream()) == records[:2] + records


def test_a_symbol_s_entry_is_read() -> None:
    store = LedgerStore(LEDGER)
    entry = store.entry(SEALED, "XOM")
    assert entry.record == list(store.stream(SEALED))[3]
    assert entry.details.height == _recorded("details", SEALED).filter(symbol="XOM").height > 0
    assert (entry.committed, entry.failures) == (True, ())
    assert not store.entry(CUT_OFF, "XOM").committed


def test_the_receipt_and_the_manifest_are_read() -> None:
    (receipt,) = LedgerStore(LEDGER).runs()
    manifest = LedgerStore(LEDGER).manifest(SEALED)
    assert (receipt.format, receipt.kind, receipt.status, receipt.symbols) == (1, "scan", "done", 4)
    assert (receipt.snapshots, receipt.ideas, receipt.rows) == (4, 3, {"snapshots": 4, "trade_ideas": 3})
    assert (manifest.format, manifest.kind, manifest.tables) == (1, "scan", FORMAT_1_TABLES)
    assert [batch.symbols for batch in manifest.batches()] == [("AAPL", "JPM"), ("NOPE", "XOM")]
    recorded = _recorded("runs", SEALED)
    assert LedgerStore(LEDGER).read("runs").select(recorded.columns).equals(recorded)
    assert set(RUNS) - set(recorded.columns) == {"format", "kind", "rows", "content_digest", "sha256"}


def test_the_run_that_was_cut_off_is_known_with_its_whole_batch() -> None:
    ((manifest, receipts),) = LedgerStore(LEDGER).unsealed()
    assert (manifest.run_id, sorted(receipts)) == (CUT_OFF, [0])
    assert receipts[0].rows == {"snapshots": 2, "trade_ideas": 1}


def test_a_newer_run_is_refused_by_name_and_hides_no_other(tmp_path: Path) -> None:
    root = ledger_of_format_1(tmp_path)
    _set_format(root, SEALED, 3)
    store = LedgerStore(root)
    expected = (
        rf"Run {SEALED} in .* has format {MANIFEST_FORMAT + 1}; .* reads formats 1 to {MANIFEST_FORMAT}\. Read it"
    )
    for read in (store.manifest, store.receipt, store.resume, lambda run: store.read("snapshots", run)):
        with pytest.raises(FormatError, match=expected):
            read(SEALED)
    for everything in (store.stream, lambda: iter(store.read("trade_ideas").rows())):
        with pytest.raises(FormatError, match=expected):
            list(everything())
    newer, older = store.overview()
    assert (newer.run_id, newer.manifest, newer.receipt) == (SEALED, None, None)
    assert isinstance(newer.error, FormatError)
    assert (older.run_id, older.error, sorted(older.batches)) == (CUT_OFF, None, [0])
    assert store.read("snapshots", CUT_OFF).height == 2
    assert [manifest.run_id for manifest, _ in store.unsealed()] == [CUT_OFF]


@pytest.mark.parametrize("found", [0, -1, "3", 2.0, True, None])
def test_what_is_no_format_is_refused(tmp_path: Path, found: object) -> None:
    root = ledger_of_format_1(tmp_path)
    _set_format(root, SEALED, found)
    with pytest.raises(IntegrityError, match=f"Expected a format, a whole number such as 1, was {found!r}"):
        LedgerStore(root).manifest(SEALED)


def test_a_damaged_manifest_receipt_or_marker_hides_no_other(tmp_path: Path) -> None:
    root = ledger_of_format_1(tmp_path)
    marker = next((root / "commits").glob(f"*/run_id={CUT_OFF}/batch-00000"))
    receipt = next((root / "runs").glob("*/*/receipt.parquet"))
    for path, body, said in (
        (marker, b"{", "batch-00000: it holds no receipt"),
        (receipt, b"PAR1", "Cannot read .*receipt.parquet"),
        (_manifest(root, CUT_OFF), b"{", "manifest.json: it is not JSON"),
        (_manifest(root, SEALED), b'{"format": 1}', "manifest.json: run_id: Expected a value, was"),
    ):
        path.write_bytes(body)
        damaged = next(run for run in LedgerStore(root).overview() if run.run_id in path.as_posix())
        assert isinstance(damaged.error, IntegrityError)
        with pytest.raises(IntegrityError, match=said):
            raise damaged.error
    assert [run.run_id for run in LedgerStore(root).overview()] == [SEALED, CUT_OFF]
    assert LedgerStore(root).runs() == []


@pytest.mark.parametrize(
    "damage",
    [lambda row: row.clear(), lambda row: row.drop("status"), lambda row: row.with_columns(seconds=None)],
    ids=["no row", "no status", "no seconds"],
)
def test_a_file_that_holds_no_receipt_is_named(tmp_path: Path, damage: Callable[[pl.DataFrame], pl.DataFrame]) -> None:
    root = ledger_of_format_1(tmp_path)
    path = next((root / "runs").glob("*/*/receipt.parquet"))
    damage(pl.read_parquet(path, hive_partitioning=False)).write_parquet(path)
    with pytest.raises(IntegrityError, match=r"Cannot read .*receipt\.parquet: it holds no receipt"):
        LedgerStore(root).receipt(SEALED)


def test_a_receipt_of_a_newer_format_is_refused_by_name(tmp_path: Path) -> None:
    root = ledger_of_format_1(tmp_path)
    path = next((root / "runs").glob("*/*/receipt.parquet"))
    frame = pl.read_parquet(path, hive_partitioning=False).with_columns(format=pl.lit(MANIFEST_FORMAT + 1))
    frame.write_parquet(path)
    with pytest.raises(FormatError, match=f"The receipt of run {SEALED} has format"):
        LedgerStore(root).receipt(SEALED)
