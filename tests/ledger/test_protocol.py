"""A batch is whole or absent, exactly once, whoever dies while writing it."""

from __future__ import annotations

import errno
import pickle
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from gnosis_ray.errors import IntegrityError, LedgerError, ResourceError
from gnosis_ray.ledger.rows import scan_frames
from gnosis_ray.ledger.run_writer import RunWriter
from gnosis_ray.market.columns import DETAILS
from gnosis_ray.schemas.run_schemas import Batch, BatchReceipt
from gnosis_ray.storage.backend import mount_disk
from tests.ledger.ledger_backends import BucketLedger, FolderLedger, LedgerBackend
from tests.ledger.samples import manifest, record, store, write
from tests.support.disks import PowerCutError, WatchedDisk

RUN = manifest()
FIRST, SECOND, THIRD = RUN.batches()
EVERY_CUT = pytest.mark.parametrize(
    ("backend", "cut"),
    [("folder", cut) for cut in range(1, FolderLedger.cuts + 1)]
    + [("bucket", cut) for cut in BucketLedger.distinct_cuts],
    indirect=["backend"],
)


@pytest.fixture
def writer(backend: LedgerBackend) -> RunWriter:
    return store(backend.root).begin(RUN)


def parts(backend: LedgerBackend) -> dict[str, bytes]:
    """The published files of all tables."""
    return {name: body for table in RUN.tables for name, body in backend.files(table).items()}


def test_a_write_has_as_many_cuts_as_the_test_below_tries(backend: LedgerBackend, writer: RunWriter) -> None:
    with backend.power(tidy=True) as power:
        write(writer, FIRST)
    assert power.calls == backend.cuts


@EVERY_CUT
@pytest.mark.parametrize("tidy", [True, False], ids=["error", "kill"])
def test_a_cut_anywhere_leaves_nothing_or_all_and_a_retry_gives_the_same_bytes(
    backend: LedgerBackend, writer: RunWriter, cut: int, tidy: bool
) -> None:
    other = backend.sibling("reference")
    reference = store(other.root).begin(RUN)
    write(reference, FIRST)
    with backend.power(cut, tidy=tidy), pytest.raises(PowerCutError):
        write(writer, FIRST)

    ledger = store(writer.root)
    seen = list(ledger.stream())
    assert seen in ([], list(store(reference.root).stream()))
    assert len(writer.committed()) == (1 if seen else 0)

    write(writer, FIRST, attempt=2)
    assert parts(backend) == parts(other)
    assert list(writer.committed()) == [0]


@EVERY_CUT
def test_a_retry_with_other_content_never_mixes_with_what_a_dead_attempt_left(
    backend: LedgerBackend, writer: RunWriter, cut: int
) -> None:
    with backend.power(cut, tidy=False), pytest.raises(PowerCutError):
        write(writer, FIRST, energy=1.0)
    write(writer, FIRST, attempt=2, energy=2.0)
    assert_one_attempt(writer, backend)


@EVERY_CUT
def test_resume_finishes_what_was_claimed_and_nothing_else(backend: LedgerBackend, writer: RunWriter, cut: int) -> None:
    with backend.power(cut, tidy=False), pytest.raises(PowerCutError):
        write(writer, SECOND)
    claimed = writer.partition.is_claimed(SECOND.index)
    resumed = store(writer.root).resume(RUN.run_id)
    assert list(resumed.committed()) == ([SECOND.index] if claimed else [])


def test_many_attempts_at_once_leave_one_of_them(backend: LedgerBackend, writer: RunWriter) -> None:
    for batch in (FIRST, SECOND, THIRD):
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(lambda n, b=batch: write(writer, b, n, energy=float(n)), range(1, 9)))
        assert_one_attempt(writer, backend, batch)
    assert sorted(writer.committed()) == [0, 1, 2]
    assert len(list(store(writer.root).stream())) == len(RUN.symbols)
    assert leftovers(writer) == []


def test_a_zombie_changes_nothing(backend: LedgerBackend, writer: RunWriter) -> None:
    write(writer, FIRST)
    before = backend.files()
    write(writer, FIRST, attempt=2, energy=9.0)
    assert backend.files() == before
    assert writer.committed()[0].attempt == 1


def test_a_zombie_that_had_staged_before_the_commit_changes_nothing(
    writer: RunWriter, monkeypatch: pytest.MonkeyPatch
) -> None:
    kind = type(writer.partition)
    real, rivals = kind.claim, iter([True])

    def overtaken(self: Any, stage: str, receipt: BatchReceipt) -> bool:
        if next(rivals, False):
            write(writer, FIRST, attempt=2, energy=2.0)
        return real(self, stage, receipt)

    monkeypatch.setattr(kind, "claim", overtaken)
    write(writer, FIRST, attempt=1, energy=1.0)
    assert writer.committed()[0].attempt == 2
    assert [one.snapshot.hedge["energy"] for one in store(writer.root).stream()] == [2.0, 2.0]
    assert leftovers(writer) == []


def test_parts_without_a_marker_are_not_read(backend: LedgerBackend, writer: RunWriter) -> None:
    write(writer, FIRST)
    write(writer, SECOND)
    backend.remove(writer.partition.marker(SECOND.index))
    ledger = store(writer.root)
    assert [one.symbol for one in ledger.stream()] == list(FIRST.symbols)
    for table in ("snapshots", "suggestions", "trade_ideas", "details"):
        assert sorted(set(ledger.read(table)["symbol"])) == list(FIRST.symbols)


def test_a_batch_has_a_part_in_every_table_even_where_it_has_no_rows(writer: RunWriter) -> None:
    receipt = BatchReceipt(batch=0, attempt=1, rows={"snapshots": 0})
    writer.write_batch(FIRST, scan_frames([], pl.DataFrame(schema=DETAILS), [], ()), receipt)
    assert all(writer.partition.backend.exists(writer.partition.part(table, 0)) for table in RUN.tables)
    assert list(store(writer.root).stream()) == []
    assert set(writer.committed()[0].digests) == set(RUN.tables)
    assert writer.committed()[0].model_copy(update={"digests": {}}) == receipt


def test_the_writer_travels(writer: RunWriter) -> None:
    copy = pickle.loads(pickle.dumps(writer))  # noqa: S301  our own bytes
    assert copy == writer
    write(copy, THIRD)
    assert list(writer.committed()) == [2]
    assert len(pickle.dumps(writer)) < 1000


def test_a_receipt_of_another_batch_is_refused(writer: RunWriter) -> None:
    frames = scan_frames([record("AAPL")], pl.DataFrame(schema=DETAILS), [], ())
    with pytest.raises(LedgerError, match="Expected the receipt of batch 1, was 0"):
        writer.write_batch(SECOND, frames, BatchReceipt(batch=0, attempt=1))


def test_a_batch_without_a_table_of_the_run_or_of_other_columns_is_refused(writer: RunWriter) -> None:
    frames = scan_frames([record("AAPL")], pl.DataFrame(schema=DETAILS), [], ())
    receipt = BatchReceipt(batch=0, attempt=1)
    with pytest.raises(LedgerError, match="was none for details"):
        writer.write_batch(FIRST, {name: rows for name, rows in frames.items() if name != "details"}, receipt)
    for wrong in (frames["details"].drop("x"), frames["details"].with_columns(pl.col("x").cast(pl.Float32))):
        with pytest.raises(LedgerError, match="Expected details with columns"):
            writer.write_batch(FIRST, frames | {"details": wrong}, receipt)
    assert writer.committed() == {}


@pytest.mark.parametrize("step", ["create", "write", "sync file", "sync folder", "rename"])
def test_a_full_disk_is_an_error_that_can_be_retried(tmp_path: Path, step: str) -> None:
    writer = store(tmp_path).begin(RUN)

    def full(what: str, place: Path) -> None:
        if what == step:
            raise OSError(errno.ENOSPC, "No space left on device", str(place))

    with mount_disk(tmp_path, WatchedDisk(full)), pytest.raises(ResourceError, match="No space left") as caught:
        write(writer, FIRST)
    assert caught.value.cause == "OSError"
    assert leftovers(writer) == []
    write(writer, FIRST)
    assert list(writer.committed()) == [0]


def test_a_claimed_batch_that_lost_its_parts_says_so(backend: LedgerBackend, writer: RunWriter) -> None:
    write(writer, FIRST)
    backend.remove(writer.partition.marker(FIRST.index))
    if isinstance(backend, FolderLedger):  # a bucket's parts are copied again from the stage, which is gone
        backend.remove(writer.partition.part("snapshots", 0))
    with pytest.raises(IntegrityError, match="lost its content"):
        write(writer, FIRST)


def test_sweeping_spares_those_that_could_still_win(backend: LedgerBackend, writer: RunWriter) -> None:
    contents = dict.fromkeys(RUN.tables, b"x")
    write(writer, FIRST)
    with ExitStack() as stack:
        stages = [stack.enter_context(writer.partition.staged(contents, one.index)) for one in (FIRST, SECOND)]
        writer.partition.sweep()
        assert [len(backend.files(stage)) > 0 for stage in stages] == [False, True]
        write(writer, SECOND)


def leftovers(writer: RunWriter) -> list[str]:
    """Stages that were neither claimed nor thrown away."""
    return [name for name in writer.partition.commit_names() if name.count(".") > 1]


def assert_one_attempt(writer: RunWriter, backend: LedgerBackend, batch: Batch = FIRST) -> None:
    """The batch is committed, and each of its parts is what the attempt in its receipt would write alone."""
    winner = writer.committed()[batch.index].attempt
    alone = store(backend.sibling(f"alone-{batch.index}").root).begin(RUN)
    write(alone, batch, winner, energy=float(winner))
    for table in RUN.tables:
        found, expected = (one.partition.backend.get(one.partition.part(table, batch.index)) for one in (writer, alone))
        assert found == expected, table
