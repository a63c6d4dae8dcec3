"""Runs of format 1 are copied whole into another ledger, batch by batch, and sealed last."""

from __future__ import annotations

import json
from pathlib import Path

import polars as pl
import pytest

from gnosis_ray.errors import FormatError, IntegrityError, LedgerError
from gnosis_ray.ledger.ledger_store import LedgerStore
from gnosis_ray.ledger.partition import receipt_bytes
from gnosis_ray.ledger.run_writer import RunWriter
from gnosis_ray.ledger.tables import BATCH_TABLES, ORIGIN, TRADE_IDEAS, table_schema
from gnosis_ray.ledger.upgrade import LedgerUpgrade, UpgradedRun, with_current_columns
from gnosis_ray.schemas.run_schemas import FORMAT_1_TABLES, MANIFEST_FORMAT, BatchReceipt, RunReceipt, content_digest
from tests.ledger.ledger_backends import BucketLedger, FolderLedger, LedgerBackend
from tests.ledger.samples import record, without_digests
from tests.support.recorded import BATCHES, CUT_OFF, FORMAT_1, LEDGER_ROWS, SEALED, files_of, ledger_of_format_1

LEDGER = FORMAT_1 / "ledger"


def _silent(_done: int, _total: int) -> None:
    """Shows nothing."""


def _upgraded(upgrade: LedgerUpgrade, run_id: str) -> UpgradedRun:
    (run,) = (run for run in upgrade.source.overview() if run.run_id == run_id)
    return upgrade.upgrade(run, _silent)


@pytest.fixture(params=["folder", "bucket"])
def target(request: pytest.FixtureRequest, tmp_path: Path) -> LedgerBackend:
    """An empty place."""
    if request.param == "folder":
        return FolderLedger(tmp_path / "copy")
    request.getfixturevalue("s3")
    return BucketLedger.at(tmp_path)


def test_every_value_of_a_sealed_run_is_in_its_copy(target: LedgerBackend) -> None:
    before = files_of(LEDGER)
    done = _upgraded(LedgerUpgrade(LEDGER, target.root), SEALED)
    assert done == UpgradedRun(SEALED, 1, 2, LEDGER_ROWS, sealed=True)
    assert files_of(LEDGER) == before
    source, copy = LedgerStore(LEDGER), LedgerStore(target.root)
    assert list(copy.stream()) == list(source.stream(SEALED))
    for table in FORMAT_1_TABLES:
        old, new = source.read(table, SEALED), copy.read(table)
        recorded = [name for name in old.columns if name not in ORIGIN and old[name].null_count() < old.height]
        assert new.select(recorded).equals(old.select(recorded))
        assert new.select(ORIGIN.names()).unique().rows() == ([("synthetic", True)] if old.height else [])
        others = [name for name in new.columns if name not in recorded and name not in ORIGIN]
        assert all(new[name].null_count() == new.height for name in others)
    parts = [pl.read_parquet(body, hive_partitioning=False) for body in _parts(target, "trade_ideas")]
    assert [part.schema for part in parts] == [table_schema("trade_ideas")] * 2


def _parts(target: LedgerBackend, table: str) -> list[bytes]:
    return [body for name, body in target.files(table).items() if name.endswith(".parquet")]


def test_the_manifest_and_the_receipts_are_converted(target: LedgerBackend) -> None:
    _upgraded(LedgerUpgrade(LEDGER, target.root), SEALED)
    source, copy = LedgerStore(LEDGER), LedgerStore(target.root)
    assert copy.manifest(SEALED) == source.manifest(SEALED).model_copy(update={"format": MANIFEST_FORMAT})
    digest = content_digest(list(RunWriter.of(target.root, copy.manifest(SEALED)).committed().values()))
    written = {"format": MANIFEST_FORMAT, "rows": LEDGER_ROWS, "content_digest": digest}
    assert copy.receipt(SEALED) == source.receipt(SEALED).model_copy(update=written)
    old, new = (RunWriter.of(store.root, store.manifest(SEALED)).committed() for store in (source, copy))
    assert {i: one.model_copy(update={"rows": old[i].rows, "digests": {}}) for i, one in new.items()} == old
    assert digest is not None
    assert sum(receipt.rows["details"] for receipt in new.values()) == LEDGER_ROWS["details"]
    assert copy.entry(SEALED, "XOM").record == source.entry(SEALED, "XOM").record


def test_a_cut_off_run_is_copied_as_far_as_it_is_committed(target: LedgerBackend) -> None:
    upgrade = LedgerUpgrade(LEDGER, target.root)
    done = _upgraded(upgrade, CUT_OFF)
    assert (done.batches, done.rows["snapshots"], done.sealed) == (1, 2, False)
    ((manifest, receipts),) = LedgerStore(target.root).unsealed()
    assert (manifest.run_id, manifest.format, sorted(receipts)) == (CUT_OFF, MANIFEST_FORMAT, [0])
    assert LedgerStore(target.root).resume(CUT_OFF).committed() == receipts
    with pytest.raises(LedgerError, match=f"holds run {CUT_OFF} already"):
        _upgraded(upgrade, CUT_OFF)


def test_a_copy_that_was_killed_is_finished_by_the_same_call(
    target: LedgerBackend, monkeypatch: pytest.MonkeyPatch
) -> None:
    upgrade = LedgerUpgrade(LEDGER, target.root)
    whole = target.sibling("whole")
    _upgraded(LedgerUpgrade(LEDGER, whole.root), SEALED)

    def killed(done: int, _total: int) -> None:
        raise KeyboardInterrupt

    (run,) = (run for run in upgrade.source.overview() if run.run_id == SEALED)
    with pytest.raises(KeyboardInterrupt):
        upgrade.upgrade(run, killed)
    (half,) = LedgerStore(target.root).overview()
    assert (half.ended, sorted(half.batches)) == (False, [0])
    with monkeypatch.context() as patched:
        patched.setattr(RunWriter, "seal", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            _upgraded(upgrade, SEALED)
    assert not upgrade.is_held(run)
    assert _upgraded(upgrade, SEALED).sealed
    assert {n: b for n, b in target.files().items() if "/." not in n} == {
        n: b for n, b in whole.files().items() if "/." not in n
    }
    assert upgrade.is_held(run)


def test_a_run_that_is_held_current_or_newer_is_refused(tmp_path: Path) -> None:
    upgrade = LedgerUpgrade(LEDGER, tmp_path / "copy")
    for run_id in BATCHES:
        _upgraded(upgrade, run_id)
        before = files_of(tmp_path / "copy")
        with pytest.raises(LedgerError, match=f"holds run {run_id} already"):
            _upgraded(upgrade, run_id)
        assert files_of(tmp_path / "copy") == before
    with pytest.raises(LedgerError, match="has format 2 already: there is nothing to upgrade"):
        _upgraded(LedgerUpgrade(tmp_path / "copy", tmp_path / "another"), SEALED)
    with pytest.raises(LedgerError, match="another ledger to copy into, was the source"):
        LedgerUpgrade(LEDGER, LEDGER.parent / "store" / ".." / "ledger")
    newer = ledger_of_format_1(tmp_path)
    manifest = next((newer / "manifests").glob(f"*/run_id={SEALED}/manifest.json"))
    manifest.write_text(json.dumps({**json.loads(manifest.read_text()), "format": 3}))
    with pytest.raises(FormatError, match="has format 3"):
        _upgraded(LedgerUpgrade(newer, tmp_path / "another"), SEALED)
    assert not (tmp_path / "another").exists()


def test_a_ledger_that_holds_the_run_in_its_older_format_is_refused(tmp_path: Path) -> None:
    older = ledger_of_format_1(tmp_path)
    before = files_of(older)
    with pytest.raises(LedgerError, match=f"holds run {SEALED} already"):
        _upgraded(LedgerUpgrade(LEDGER, older), SEALED)
    next((older / "runs").glob("*/*/receipt.parquet")).unlink()
    with pytest.raises(LedgerError, match="with another manifest"):
        _upgraded(LedgerUpgrade(LEDGER, older), SEALED)
    assert {**files_of(older), **before} == before


def test_a_batch_of_the_copy_that_differs_is_named_and_never_sealed(tmp_path: Path) -> None:
    upgrade = LedgerUpgrade(LEDGER, tmp_path / "copy")
    _upgraded(upgrade, SEALED)
    next((tmp_path / "copy" / "runs").glob("*/*/receipt.parquet")).unlink()
    part = next((tmp_path / "copy" / "trade_ideas").glob("*/*/batch-00001.parquet"))
    kept, body = pl.read_parquet(part, hive_partitioning=False), part.read_bytes()
    part.write_bytes(body[:-1] + b"\0")
    with pytest.raises(IntegrityError, match=r"trade_ideas/.*batch-00001\.parquet is not what was written"):
        _upgraded(upgrade, SEALED)
    without_digests(tmp_path / "copy")
    for changed in (
        kept.with_columns(pl.col("max_loss") + 0.01),
        kept.head(1),
        kept.with_columns(synthetic=pl.lit(value=False)),
        kept.with_columns(synthetic=pl.lit(None, pl.Boolean)),
        kept.with_columns(invented=pl.lit(1.0)),
    ):
        changed.write_parquet(part)
        with pytest.raises(
            IntegrityError, match=f"trade_ideas of batch-00001 of run {SEALED} in .* differs|Expected 2 rows"
        ):
            _upgraded(upgrade, SEALED)
    assert not upgrade.target.overview()[0].ended
    part.write_bytes(body)
    assert _upgraded(upgrade, SEALED).sealed


def test_receipts_that_differ_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    upgrade = LedgerUpgrade(LEDGER, tmp_path / "copy")
    seal = RunWriter.seal

    def altered(writer: RunWriter, receipt: RunReceipt) -> None:
        seal(writer, receipt.model_copy(update={"hosts": 7}))

    monkeypatch.setattr(RunWriter, "seal", altered)
    with pytest.raises(IntegrityError, match=f"The receipt of run {SEALED} in .* differs from the source's"):
        _upgraded(upgrade, SEALED)
    monkeypatch.undo()
    next((tmp_path / "copy" / "runs").glob("*/*/receipt.parquet")).unlink()
    marker = next((tmp_path / "copy" / "commits").glob("*/*/batch-00000"))
    kept = BatchReceipt.model_validate({n: v for n, v in json.loads(marker.read_text()).items() if n != "sha256"})
    marker.write_bytes(receipt_bytes(kept.model_copy(update={"attempt": 9})))
    with pytest.raises(IntegrityError, match=f"The receipt of batch-00000 of run {SEALED} in .* differs from the"):
        _upgraded(upgrade, SEALED)
    assert not upgrade.target.overview()[0].ended


def test_a_source_with_other_rows_than_its_receipt_states_is_refused(tmp_path: Path) -> None:
    source = ledger_of_format_1(tmp_path)
    part = next((source / "trade_ideas").glob(f"*/run_id={SEALED}/batch-00001.parquet"))
    pl.read_parquet(part, hive_partitioning=False).head(1).write_parquet(part)
    with pytest.raises(IntegrityError, match=r"batch-00001\.parquet: Expected 2 rows, as its receipt says, was 1"):
        _upgraded(LedgerUpgrade(source, tmp_path / "copy"), SEALED)


def test_failures_without_a_kind_stay_without_one(tmp_path: Path) -> None:
    source = ledger_of_format_1(tmp_path)
    failure = {"symbol": "XOM", "stage": "engine.hedge", "error": "ChainError", "message": "no strikes"}
    part = next((source / "failures").glob(f"*/run_id={SEALED}/batch-00001.parquet"))
    pl.DataFrame([failure]).write_parquet(part)
    marker = next((source / "commits").glob(f"*/run_id={SEALED}/batch-00001"))
    marker.write_text(json.dumps({**json.loads(marker.read_text()), "failures": [failure]}))
    receipt = next((source / "runs").glob("*/*/receipt.parquet"))
    sealed = pl.read_parquet(receipt, hive_partitioning=False)
    sealed.with_columns(pl.Series("failures", [[failure]])).write_parquet(receipt)
    _upgraded(LedgerUpgrade(source, tmp_path / "copy"), SEALED)
    old, new = LedgerStore(source), LedgerStore(tmp_path / "copy")
    assert new.read("failures").select(*failure, "kind").rows(named=True) == [{**failure, "kind": None}]
    assert new.entry(SEALED, "XOM").failures == old.entry(SEALED, "XOM").failures != ()
    assert new.receipt(SEALED).failures == old.receipt(SEALED).failures != ()


def test_what_an_older_format_lacks_is_null_and_what_this_one_does_not_know_is_refused() -> None:
    table = BATCH_TABLES["trade_ideas"]
    older = pl.DataFrame({"symbol": ["AAPL"]})
    current = with_current_columns(table, older)
    assert current.schema == TRADE_IDEAS
    assert current.null_count().transpose().to_series().sum() == len(TRADE_IDEAS) - 1
    with pytest.raises(LedgerError, match="trade_ideas has columns that this version does not know: alpha, omega"):
        with_current_columns(table, older.with_columns(alpha=1, omega=2))
    features = pl.DataFrame({"symbol": ["AAPL"], "hedge__retired": [0.5]})
    assert with_current_columns(BATCH_TABLES["snapshots"], features)["hedge__retired"].to_list() == [0.5]


def test_records_without_a_run_are_known_to_stay(tmp_path: Path) -> None:
    assert not LedgerUpgrade(LEDGER, tmp_path / "copy").has_records_without_run()
    LedgerStore(tmp_path / "live").append(record("AAPL"))
    assert LedgerUpgrade(tmp_path / "live", tmp_path / "copy").has_records_without_run()
