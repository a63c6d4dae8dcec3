"""The command line with a ledger on an object store: the same rows, the same talk."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from gnosis_ray.ledger.ledger_store import LedgerStore
from gnosis_ray.ledger.tables import BATCH_TABLES
from gnosis_ray.storage.location import S3Url
from gnosis_ray.storage.object_store import BucketBackend
from tests.cli.conftest import Call
from tests.support.object_stores import BUCKET, KEY_ID, SECRET

NAMES = ",".join(f"SYN{i:02d}" for i in range(9))
SCAN = ("scan", "--granularity", "inline", "--symbols", NAMES)


@pytest.fixture
def out(s3: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> S3Url:
    """An empty prefix; scans cut their universe into three batches."""
    monkeypatch.setenv("GNOSIS_RAY__RUN__BATCH_SIZE", "3")
    return S3Url(BUCKET, f"desk/{tmp_path.name}")


def tables(ledger: str | S3Url) -> dict[str, pl.DataFrame]:
    """All rows of a ledger's one run, whatever its id."""
    store = LedgerStore(ledger)
    return {table: store.read(table).drop("run_id") for table in BATCH_TABLES}


def assert_same(one: dict[str, pl.DataFrame], other: dict[str, pl.DataFrame]) -> None:
    for table, frame in one.items():
        assert_frame_equal(frame, other[table], check_exact=True)


def test_a_scan_to_an_object_store_writes_the_rows_of_a_local_one(call: Call, out: S3Url) -> None:
    done, local = call(*SCAN, "--out", str(out)), call(*SCAN, "--out", "ledger")
    assert (done.code, done.out.splitlines()[1:]) == (local.code, local.out.splitlines()[1:])
    assert f"ledger: {out}" in done.err
    assert_same(tables(out), tables("ledger"))
    assert tables(out)["snapshots"].height == 9

    listed = call("runs", "list", "--out", str(out), "--format", "json")
    shown = call("runs", "show", "--out", str(out))
    assert (listed.code, shown.code) == (0, 0)
    assert LedgerStore(out).runs()[0].run_id in listed.out
    assert shown.out == done.out
    explained, there = (call("explain", "SYN00", "--out", place) for place in (str(out), "ledger"))
    assert explained.code == there.code == 0
    assert len(explained.out.splitlines()) == len(there.out.splitlines())

    held = b"".join(BucketBackend(out).get(name) for name in BucketBackend(out).names(""))
    said = "".join(outcome.out + outcome.err for outcome in (done, listed, shown, explained)).encode()
    for secret in (KEY_ID, SECRET):
        assert secret.encode() not in held + said


@pytest.mark.parametrize("task", ["put", "put_if_absent", "copy"])
def test_an_interrupted_scan_is_finished_by_a_resume(
    call: Call, out: S3Url, monkeypatch: pytest.MonkeyPatch, task: str
) -> None:
    real: Callable[..., object] = getattr(BucketBackend, task)

    def interrupted(self: BucketBackend, name: str, *rest: object) -> object:
        if ".batch-00001" in name:
            raise KeyboardInterrupt
        return real(self, name, *rest)

    with monkeypatch.context() as patch:
        patch.setattr(BucketBackend, task, interrupted)
        cut = call(*SCAN, "--out", str(out))
    run = LedgerStore(out).manifest("latest").run_id
    assert cut.code == 130
    assert f"gnosis-ray scan --resume {run} --out {out}" in cut.err
    assert tables(out)["snapshots"].height == 3
    assert call("runs", "show", "--out", str(out)).code == 2

    resumed = call("scan", "--granularity", "inline", "--resume", run, "--out", str(out))
    assert resumed.code == 0
    assert call(*SCAN, "--out", "whole").code == 0
    assert_same(tables(out), tables("whole"))


def test_an_empty_prefix_has_no_runs(call: Call, out: S3Url) -> None:
    listed = call("runs", "list", "--out", str(out))
    assert listed.code == 0
    assert f"gnosis-ray scan --out {out}" in listed.err
    assert call("runs", "show", "--out", str(out)).code == 2


def test_a_dry_run_names_the_place_and_writes_nothing(call: Call, out: S3Url) -> None:
    told = call(*SCAN, "--out", str(out), "--dry-run")
    assert (told.code, BucketBackend(out).names("")) == (0, [])
    assert str(out) in told.out


def test_what_stands_in_the_way_is_said_in_a_line(call: Call, s3: str, monkeypatch: pytest.MonkeyPatch) -> None:
    missing = call(*SCAN, "--out", "s3://no-such-bucket/x")
    assert (missing.code, missing.out) == (2, "")
    assert "s3://no-such-bucket" in missing.err
    assert "Traceback" not in missing.err
    other = call(*SCAN, "--out", "gs://bucket/x")
    assert other.code == 2
    assert "Expected a folder or s3://bucket/prefix" in other.err


@pytest.fixture
def remote(s3: str, store: Path, tmp_path: Path) -> S3Url:
    """The market store, copied."""
    url = S3Url(BUCKET, f"market/{tmp_path.name}")
    for path in store.rglob("*.parquet"):
        BucketBackend(url).put(path.relative_to(store).as_posix(), path.read_bytes())
    return url


def test_a_copied_store_is_scanned_as_the_one_it_was_copied_from(call: Call, store: Path, remote: S3Url) -> None:
    scan = ("scan", "--granularity", "inline", "--symbols", "AAPL,MSFT", "--provider", "store")
    assert call(*scan, "--data-dir", store, "--out", "here").code == 0
    there = call(*scan, "--data-dir", str(remote), "--out", "there")
    assert there.code == 0, there.err
    assert_same(tables("there"), tables("here"))
    assert tables("there")["snapshots"].height == 2
    manifest = LedgerStore("there").manifest("latest")
    assert str(remote) in manifest.config_json
    assert manifest.config_hash == LedgerStore("here").manifest("latest").config_hash
    assert call("explain", "AAPL", "--out", "there").code == 0


def test_an_import_there_is_the_import_here(call: Call, s3: str, tmp_path: Path) -> None:
    folder = tmp_path / "vix_daily"
    folder.mkdir()
    (folder / "vix_daily.csv").write_text("DATE,OPEN,HIGH,LOW,CLOSE\n2026-07-09,15.0,16.0,14.5,15.5\n")
    there = f"s3://{BUCKET}/{tmp_path.name}/imported"
    for place in (there, "here"):
        done = call("data", "import", folder, "--data-dir", place)
        assert (done.code, "1 written" in done.err) == (0, True), done.err
    again = call("data", "import", folder, "--data-dir", there)
    assert "0 written, 1 known before" in again.err
    listed = [call("data", "list", "--data-dir", place, "--format", "csv").out for place in (there, "here")]
    assert listed[0] == listed[1]


def test_a_copied_store_is_listed(call: Call, store: Path, remote: S3Url, monkeypatch: pytest.MonkeyPatch) -> None:
    listed, local = (call("data", "list", "--data-dir", place, "--format", "csv") for place in (str(remote), store))
    assert (listed.code, listed.out) == (0, local.out)
    monkeypatch.setenv("GNOSIS_RAY__DATA__DIR", str(remote))
    assert str(remote) in call("config", "show").out
    assert call("data", "list", "--format", "csv").out == local.out
    empty = call("data", "list", "--data-dir", str(remote / "nothing"))
    assert (empty.code, "holds no market data" in empty.err) == (4, True)
    assert call("data", "list", "--data-dir", "gs://bucket/x").code == 2
