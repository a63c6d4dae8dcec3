"""One symbol of one run, out of its batch alone."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from gnosis_ray.errors import IntegrityError
from gnosis_ray.ledger.ledger_store import LedgerStore
from gnosis_ray.schemas.run_schemas import RunManifest
from tests.ledger.samples import manifest, record, run_receipt, store, without_digests, write


@pytest.fixture
def run(tmp_path: Path) -> RunManifest:
    """A run of three batches, the last one not written."""
    begun = manifest()
    writer = store(tmp_path).begin(begun)
    for batch in begun.batches()[:2]:
        write(writer, batch)
    return begun


def test_a_symbol_is_its_record_and_details(tmp_path: Path, run: RunManifest) -> None:
    entry = store(tmp_path).entry("latest", "MSFT")
    assert entry.committed
    assert (entry.manifest, entry.record) == (run, record("MSFT"))
    assert entry.details["symbol"].to_list() == ["MSFT", "MSFT"]


def test_no_other_batch_is_read(tmp_path: Path, run: RunManifest) -> None:
    for part in tmp_path.glob("*/*/*/batch-00000.parquet"):
        part.write_bytes(b"rubbish")
    assert LedgerStore(tmp_path).entry(run.run_id, "NVDA").record == record("NVDA")
    with pytest.raises(IntegrityError, match="is not what was written"):
        LedgerStore(tmp_path).entry(run.run_id, "AAPL")


def test_a_symbol_not_got_to_and_one_not_asked_for_have_nothing(tmp_path: Path, run: RunManifest) -> None:
    for symbol in ("XOM", "IBM"):
        entry = LedgerStore(tmp_path).entry(run.run_id, symbol)
        assert (entry.record, entry.failures, entry.committed) == (None, (), False)
        assert entry.details.is_empty()


def test_a_failure_is_the_symbols_own(tmp_path: Path, run: RunManifest) -> None:
    begun = manifest("20260713T120000-2b4c", ("AAPL", "ZZZ"))
    write(store(tmp_path).begin(begun), begun.batches()[0], energy=0.5)
    entry = LedgerStore(tmp_path).entry("latest", "ZZZ")
    assert [failure.error for failure in entry.failures] == ["ChainError"]
    assert LedgerStore(tmp_path).entry("latest", "AAPL").failures == ()


def test_failures_of_a_ledger_without_kinds_get_theirs(tmp_path: Path) -> None:
    begun, later = (manifest(name, ("AAPL", "ZZZ")) for name in ("20260713T120000-2b4c", "20260714T120000-2b4c"))
    for run in (begun, later):
        writer = store(tmp_path).begin(run)
        write(writer, run.batches()[0], energy=0.5)
        writer.seal(run_receipt(run, rows={"snapshots": 2, "trade_ideas": 2}))
    without_digests(tmp_path)
    for part in tmp_path.glob(f"failures/*/run_id={begun.run_id}/*.parquet"):
        pl.read_parquet(part, hive_partitioning=False).drop("kind").write_parquet(part)
    (sealed,) = tmp_path.glob(f"runs/*/run_id={begun.run_id}/*.parquet")
    fields = pl.element().struct.field("symbol", "stage", "error", "message")
    rows = pl.read_parquet(sealed, hive_partitioning=False)
    rows.with_columns(pl.col("failures").list.eval(pl.struct(fields))).write_parquet(sealed)
    ledger = LedgerStore(tmp_path)
    assert [failure.kind for failure in ledger.entry(begun.run_id, "ZZZ").failures] == ["bad_data"]
    assert ledger.receipt(begun.run_id).failures == ledger.receipt(later.run_id).failures
    assert {failure.kind for receipt in ledger.runs() for failure in receipt.failures} == {"bad_data"}
    assert ledger.read("failures")["kind"].to_list() == [None, "bad_data"]
