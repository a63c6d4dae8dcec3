"""What is written to a ledger is what is read from it."""

from __future__ import annotations

import io
import pickle
import tempfile
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from pathlib import Path

import polars as pl
import pyarrow.dataset
import pyarrow.parquet
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from gnosis_ray.errors import IntegrityError, LedgerError
from gnosis_ray.ledger.ledger_store import LedgerStore
from gnosis_ray.ledger.partition import COMMITS
from gnosis_ray.ledger.rows import receipt_of
from gnosis_ray.ledger.tables import PARTITION_COLUMNS, RUNS_TABLE, TABLES, table_schema
from gnosis_ray.schemas.core_schemas import LedgerRecord
from gnosis_ray.storage.backend import open_backend
from tests.ledger.ledger_backends import BucketLedger, FolderLedger, LedgerBackend
from tests.ledger.samples import ENGINE_FEATURES, NOON, SYMBOLS, any_record, manifest, record, run_receipt, store, write

RUN = manifest()


@pytest.fixture
def ledger(backend: LedgerBackend) -> LedgerStore:
    """One whole, sealed run."""
    return sealed(store(backend.root))


def sealed(ledger: LedgerStore) -> LedgerStore:
    """A ledger, now with one whole, sealed run."""
    writer = ledger.begin(RUN)
    for batch in reversed(RUN.batches()):
        write(writer, batch)
    writer.seal(run_receipt(RUN))
    return ledger


@given(st.lists(any_record, min_size=1, max_size=3))
@settings(max_examples=25, deadline=None)
def test_appended_records_come_back_equal(records: list[LedgerRecord]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        for one in records:
            store(Path(folder)).append(one)
        by_day = sorted(records, key=lambda one: one.timestamp.date())
        assert list(LedgerStore(folder).stream()) == by_day


def test_the_stream_is_in_the_order_of_batches_whatever_the_order_of_writes(ledger: LedgerStore) -> None:
    assert list(ledger.stream("latest")) == [record(symbol) for symbol in SYMBOLS]


def test_append_from_many_threads_loses_and_repeats_nothing(backend: LedgerBackend) -> None:
    stores = [store(backend.root), store(backend.root)]
    symbols = [f"S{i}" for i in range(16)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda pair: pair[0].append(record(pair[1])), zip(stores * 8, symbols, strict=True)))
    assert Counter(one.symbol for one in store(backend.root).stream("live")) == Counter(symbols)
    markers = [name for name in backend.files(f"{COMMITS}/run_date=2026-07-12/run_id=live") if "/batch-" in name]
    assert len(markers) == 16


def test_an_appended_record_goes_to_its_own_day(backend: LedgerBackend) -> None:
    ledger = store(backend.root)
    tomorrow = record("AAPL").model_copy(update={"timestamp": NOON + timedelta(days=1)})
    ledger.append(tomorrow)
    ledger.append(record("AAPL"))
    assert list(ledger.stream("live")) == [record("AAPL"), tomorrow]
    assert ledger.read("snapshots")["run_date"].to_list() == [date(2026, 7, 12), date(2026, 7, 13)]


def test_the_same_run_gives_the_same_files(backend: LedgerBackend, ledger: LedgerStore) -> None:
    other = backend.sibling("again")
    writer = store(other.root).begin(RUN)
    for batch in RUN.batches():
        write(writer, batch)
    writer.seal(run_receipt(RUN))
    shown = {name: body for name, body in backend.files().items() if "/." not in name}
    assert shown == {name: body for name, body in other.files().items() if "/." not in name}
    assert len(shown) == 3 * 6 + 4, "parts and markers; the receipt, the manifest and its copy, the seal"


def test_folder_and_bucket_hold_the_same_files(tmp_path: Path, bucket: BucketLedger) -> None:
    folder = FolderLedger(tmp_path / "ledger")
    for one in (folder, bucket):
        sealed(store(one.root))
    shown = [{name: body for name, body in one.files().items() if "/." not in name} for one in (folder, bucket)]
    assert shown[0] == shown[1]
    assert store(bucket.root).read("snapshots").equals(store(folder.root).read("snapshots"))


@pytest.mark.parametrize("table", TABLES)
def test_an_empty_ledger_has_tables_with_their_columns(tmp_path: Path, table: str) -> None:
    columns = ("hedge__pressure", "hedge__energy", "liquidity__depth")
    expected = {**table_schema(table, columns), **PARTITION_COLUMNS}
    assert store(tmp_path / "none").read(table).schema == pl.Schema(expected)
    assert not (tmp_path / "none").exists()
    assert list(store(tmp_path).stream()) == []
    assert store(tmp_path).runs() == []


@pytest.mark.parametrize("table", [*RUN.tables, RUNS_TABLE])
def test_tables_read_as_they_lie(tmp_path: Path, table: str) -> None:
    ledger = sealed(store(tmp_path))
    pattern = f"{tmp_path}/{table}/**/*.parquet"
    ours = ledger.read(table)
    theirs = pl.read_parquet(pattern, hive_partitioning=True)
    assert_frame_equal(theirs, ours)
    arrow = pyarrow.dataset.dataset(tmp_path / table, partitioning="hive").to_table()
    assert arrow.column("run_id").unique().to_pylist() == [RUN.run_id]
    assert_frame_equal(pl.DataFrame(pl.from_arrow(arrow)).select(ours.columns[0]), ours.select(ours.columns[0]))
    assert arrow.num_rows == ours.height


def test_files_have_statistics_and_zstd(backend: LedgerBackend, ledger: LedgerStore) -> None:
    body = backend.files("snapshots")[f"snapshots/run_date=2026-07-12/run_id={RUN.run_id}/batch-00000.parquet"]
    group = pyarrow.parquet.ParquetFile(io.BytesIO(body)).metadata.row_group(0)
    symbol = group.column(1)
    assert (symbol.path_in_schema, symbol.compression) == ("symbol", "ZSTD")
    assert (symbol.statistics.min, symbol.statistics.max) == ("AAPL", "BRK.B")


def test_features_that_only_some_batches_have_are_null_in_the_others(backend: LedgerBackend) -> None:
    ledger = store(backend.root)
    ledger.append(record("AAPL", zeta=1.0))
    ledger.append(record("MSFT", energy=2.0))
    frame = LedgerStore(backend.root).read("snapshots")
    assert frame.select("symbol", "hedge__zeta", "hedge__energy").rows() == [("AAPL", 1.0, None), ("MSFT", None, 2.0)]
    assert frame.columns[-2:] == ["run_date", "run_id"]


def test_no_batch_table_holds_a_clock_reading(ledger: LedgerStore) -> None:
    for table in TABLES[:-1]:
        moments = ledger.read(table).select(pl.selectors.datetime())
        assert all(set(column.drop_nulls()) <= {NOON} for column in moments)


def test_manifests_and_receipts_come_back_equal(ledger: LedgerStore) -> None:
    assert ledger.manifest("latest") == RUN
    assert ledger.receipt(RUN.run_id) == run_receipt(RUN)
    assert ledger.runs() == [run_receipt(RUN)]
    older = ledger.read("runs").drop("traffic", "universe_note", "content_digest", "sha256")  # before there were any
    assert receipt_of(older) == run_receipt(RUN, traffic=(), universe_note="")


def test_runs_are_listed_newest_first_and_found_by_the_start_of_their_id(ledger: LedgerStore) -> None:
    later = manifest("20260713T120000-aaaa")
    writer = ledger.begin(later)
    for batch in later.batches():
        write(writer, batch)
    writer.seal(run_receipt(later, started_at=NOON + timedelta(days=1), finished_at=NOON + timedelta(days=1)))
    assert [receipt.run_id for receipt in ledger.runs()] == [later.run_id, RUN.run_id]
    assert ledger.manifest("20260712").run_id == RUN.run_id
    assert ledger.manifest("latest").run_id == later.run_id
    assert ledger.read("snapshots", "latest")["run_id"].unique().to_list() == [later.run_id]
    assert ledger.read("snapshots").height == 2 * len(SYMBOLS)
    with pytest.raises(LedgerError, match="fits several runs"):
        ledger.manifest("2026")


def test_an_unknown_run_is_an_error_that_names_the_nearest(ledger: LedgerStore) -> None:
    for ask in (ledger.manifest, ledger.receipt, ledger.resume, ledger.read):
        with pytest.raises(LedgerError, match="Nearest: '20260712T120000-1f3a'") as caught:
            ask(*(["snapshots"] if ask == ledger.read else []), "20260712T120000-1f3b")  # type: ignore[call-arg]
        assert caught.value.exit_code == 2
    with pytest.raises(LedgerError, match="Nearest: '20260712T120000-1f3a'"):
        list(ledger.stream(""))


def test_a_ledger_without_runs_says_so(backend: LedgerBackend) -> None:
    with pytest.raises(LedgerError, match="there is no run in"):
        store(backend.root).receipt("latest")


def test_an_unknown_table_is_an_error_that_names_the_nearest(ledger: LedgerStore) -> None:
    with pytest.raises(LedgerError, match="Nearest: 'snapshots'"):
        ledger.read("snapshot")


def test_live_records_are_not_the_latest_run(ledger: LedgerStore) -> None:
    ledger.append(record("TSLA"))
    assert [one.symbol for one in ledger.stream("latest")] == list(SYMBOLS)
    assert [one.symbol for one in ledger.stream("live")] == ["TSLA"]
    assert len(list(ledger.stream())) == len(SYMBOLS) + 1


def test_a_run_that_is_not_sealed_has_no_receipt_yet(backend: LedgerBackend) -> None:
    ledger = store(backend.root)
    ledger.begin(RUN)
    with pytest.raises(LedgerError, match="has not finished"):
        ledger.receipt("latest")


def test_resume_is_manifest_minus_commits(backend: LedgerBackend) -> None:
    first, second, third = RUN.batches()
    write(store(backend.root).begin(RUN), second)
    writer = store(backend.root).resume("latest")
    left = [
        batch for batch in store(backend.root).manifest("latest").batches() if batch.index not in writer.committed()
    ]
    assert left == [first, third]
    for batch in left:
        write(writer, batch)
    assert [one.symbol for one in store(backend.root).stream()] == list(SYMBOLS)


def test_a_run_is_sealed_once_unless_it_was_interrupted(backend: LedgerBackend) -> None:
    ledger = store(backend.root)
    writer = ledger.begin(RUN)
    writer.seal(run_receipt(RUN, status="interrupted"))
    writer.seal(run_receipt(RUN, status="done"))
    writer.seal(run_receipt(RUN, status="done", hosts=9))
    assert ledger.runs() == [run_receipt(RUN, status="done")]


def test_a_run_id_has_one_manifest(backend: LedgerBackend) -> None:
    ledger = store(backend.root)
    assert ledger.begin(RUN) == ledger.begin(RUN)
    with pytest.raises(LedgerError, match="another manifest"):
        ledger.begin(RUN.model_copy(update={"symbols": ("A",)}))
    with pytest.raises(LedgerError, match="another manifest"):
        ledger.begin(RUN.model_copy(update={"run_date": date(2026, 7, 13)}))


@pytest.mark.parametrize("run_id", ["", "a/b", "..", "live", "latest", "a b", "run=1"])
def test_a_run_id_must_name_a_folder(tmp_path: Path, run_id: str) -> None:
    with pytest.raises(LedgerError, match="Expected a run id"):
        store(tmp_path).begin(manifest(run_id))


@pytest.mark.parametrize(
    ("name", "root"),
    [("ledger.parquet", "."), ("out/ledger.JSONL", "out"), ("out", "out"), ("results.v2", "results.v2")],
)
def test_a_file_name_stands_for_its_folder(tmp_path: Path, name: str, root: str) -> None:
    assert LedgerStore(tmp_path / name).root == tmp_path / root


def test_an_existing_path_is_what_it_is(tmp_path: Path) -> None:
    (tmp_path / "strange.parquet").mkdir()
    (tmp_path / "notes").touch()
    assert LedgerStore(tmp_path / "strange.parquet").root == tmp_path / "strange.parquet"
    assert LedgerStore(tmp_path / "notes").root == tmp_path


def test_the_store_travels_and_its_path_is_absolute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    ledger = pickle.loads(pickle.dumps(LedgerStore("here", ENGINE_FEATURES)))  # noqa: S301  our own bytes
    monkeypatch.chdir("/")
    ledger.append(record("AAPL"))
    assert list(LedgerStore(tmp_path / "here").stream()) == [record("AAPL")]


def test_a_folder_name_is_no_pattern(tmp_path: Path) -> None:
    inner = tmp_path / "a[bc]*?"
    assert sealed(store(inner)).read("runs").height == 1
    assert list(store(inner).stream()) == list(sealed(store(tmp_path / "ab")).stream())
    assert store(tmp_path / "*").read("runs").is_empty()


def test_foreign_files_in_a_ledger_are_passed_over(backend: LedgerBackend, ledger: LedgerStore) -> None:
    before = list(ledger.stream())
    for name in (
        "commits/.DS_Store",
        "commits/run_date=2026-07-12/notes",
        "manifests/run_date=x/run_id=y/manifest.json",
    ):
        open_backend(backend.root).put(name, b"x")
    assert list(store(backend.root).stream()) == before
    assert len(store(backend.root).runs()) == 1


def test_a_damaged_file_is_an_error_that_names_it(backend: LedgerBackend, ledger: LedgerStore) -> None:
    backend.corrupt(next(name for name in backend.files("snapshots") if "batch-00001" in name), b"not parquet")
    with pytest.raises(IntegrityError, match="batch-00001"):
        list(ledger.stream())
    backend.corrupt(next(iter(backend.files("manifests"))), b"{}")
    with pytest.raises(IntegrityError, match=r"manifest\.json"):
        ledger.manifest("latest")
