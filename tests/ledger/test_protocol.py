"""A batch is whole or absent, exactly once, whoever dies while writing it."""

from __future__ import annotations

import os
import pickle
import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from gnosis_ray.engines.inputs.columns import DETAILS
from gnosis_ray.errors import LedgerError
from gnosis_ray.ledger.partition import COMMITS, Partition
from gnosis_ray.ledger.run_writer import RunWriter
from gnosis_ray.ledger.tables import BATCH_TABLES
from gnosis_ray.schemas.run_schemas import Batch, BatchReceipt
from tests.ledger.samples import manifest, record, store, write

RUN = manifest()
FIRST, SECOND, THIRD = RUN.batches()
CUTS = 21
"""Calls of one write that change the disk: 14 syncs of files and folders, 7 renames."""


class PowerCutError(Exception):
    """The process is gone."""


class Power:
    """Counts the calls that change the disk, and fails at the n-th and at all after it, as death does."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *, tidy: bool) -> None:
        self.calls = 0
        self.last: int | None = None
        for name in ("rename", "replace", "fsync"):
            monkeypatch.setattr(os, name, self._watched(getattr(os, name)))
        if not tidy:
            monkeypatch.setattr(shutil, "rmtree", lambda *args, **kwargs: None)

    def cut_at(self, call: int | None) -> None:
        self.calls, self.last = 0, call

    def _watched(self, real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:
            self.calls += 1
            if self.last is not None and self.calls >= self.last:
                raise PowerCutError
            return real(*args, **kwargs)

        return call


@pytest.fixture
def writer(tmp_path: Path) -> RunWriter:
    return store(tmp_path / "ledger").begin(RUN)


def parts(root: Path) -> dict[str, bytes]:
    """The published files of all tables."""
    found = [path for table in BATCH_TABLES for path in sorted((root / table).rglob("*")) if path.is_file()]
    return {str(path.relative_to(root)): path.read_bytes() for path in found}


def everything(root: Path) -> dict[str, bytes]:
    """Every file there is, hidden ones too."""
    return {str(path.relative_to(root)): path.read_bytes() for path in sorted(root.rglob("*")) if path.is_file()}


def test_a_write_has_as_many_cuts_as_the_test_below_tries(writer: RunWriter, monkeypatch: pytest.MonkeyPatch) -> None:
    power = Power(monkeypatch, tidy=True)
    write(writer, FIRST)
    assert power.calls == CUTS


@pytest.mark.parametrize("tidy", [True, False], ids=["error", "kill"])
@pytest.mark.parametrize("cut", range(1, CUTS + 1))
def test_a_cut_anywhere_leaves_nothing_or_all_and_a_retry_gives_the_same_bytes(
    writer: RunWriter, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cut: int, tidy: bool
) -> None:
    reference = store(tmp_path / "reference").begin(RUN)
    write(reference, FIRST)
    power = Power(monkeypatch, tidy=tidy)
    power.cut_at(cut)
    with pytest.raises(PowerCutError):
        write(writer, FIRST)
    power.cut_at(None)

    ledger = store(writer.root)
    seen = list(ledger.stream())
    assert seen in ([], list(store(reference.root).stream()))
    assert len(writer.committed()) == (1 if seen else 0)

    write(writer, FIRST, attempt=2)
    assert parts(writer.root) == parts(reference.root)
    assert list(writer.committed()) == [0]


@pytest.mark.parametrize("cut", range(1, CUTS + 1))
def test_a_retry_with_other_content_never_mixes_with_what_a_dead_attempt_left(
    writer: RunWriter, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cut: int
) -> None:
    power = Power(monkeypatch, tidy=False)
    power.cut_at(cut)
    with pytest.raises(PowerCutError):
        write(writer, FIRST, energy=1.0)
    power.cut_at(None)
    write(writer, FIRST, attempt=2, energy=2.0)
    assert_one_attempt(writer, tmp_path)


@pytest.mark.parametrize("cut", range(1, CUTS + 1))
def test_resume_finishes_what_was_claimed_and_nothing_else(
    writer: RunWriter, monkeypatch: pytest.MonkeyPatch, cut: int
) -> None:
    power = Power(monkeypatch, tidy=False)
    power.cut_at(cut)
    with pytest.raises(PowerCutError):
        write(writer, SECOND)
    power.cut_at(None)
    claimed = writer.partition.is_claimed(SECOND.index)
    resumed = store(writer.root).resume(RUN.run_id)
    assert list(resumed.committed()) == ([SECOND.index] if claimed else [])


def test_many_attempts_at_once_leave_one_of_them(writer: RunWriter, tmp_path: Path) -> None:
    for batch in (FIRST, SECOND, THIRD):
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(lambda n, b=batch: write(writer, b, n, energy=float(n)), range(1, 9)))
        assert_one_attempt(writer, tmp_path, batch)
    assert sorted(writer.committed()) == [0, 1, 2]
    assert len(list(store(writer.root).stream())) == len(RUN.symbols)
    assert leftovers(writer.partition) == []


def test_a_zombie_changes_nothing(writer: RunWriter) -> None:
    write(writer, FIRST)
    before = everything(writer.root)
    write(writer, FIRST, attempt=2, energy=9.0)
    assert everything(writer.root) == before
    assert writer.committed()[0].attempt == 1


def test_a_zombie_that_had_staged_before_the_commit_changes_nothing(
    writer: RunWriter, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, rivals = Partition.claim, iter([True])

    def overtaken(self: Partition, stage: Path, receipt: BatchReceipt) -> bool:
        if next(rivals, False):
            write(writer, FIRST, attempt=2, energy=2.0)
        return real(self, stage, receipt)

    monkeypatch.setattr(Partition, "claim", overtaken)
    write(writer, FIRST, attempt=1, energy=1.0)
    assert writer.committed()[0].attempt == 2
    assert [one.snapshot.hedge["energy"] for one in store(writer.root).stream()] == [2.0, 2.0]
    assert leftovers(writer.partition) == []


def test_parts_without_a_marker_are_not_read(writer: RunWriter) -> None:
    write(writer, FIRST)
    write(writer, SECOND)
    (writer.partition.folder(COMMITS) / SECOND.name).unlink()
    ledger = store(writer.root)
    assert [one.symbol for one in ledger.stream()] == list(FIRST.symbols)
    for table in ("snapshots", "suggestions", "trade_ideas", "details"):
        assert sorted(set(ledger.read(table)["symbol"])) == list(FIRST.symbols)


def test_a_batch_has_a_part_in_every_table_even_where_it_has_no_rows(writer: RunWriter) -> None:
    receipt = BatchReceipt(batch=0, attempt=1, snapshots=0, ideas=0)
    writer.write_batch(FIRST, 1, [], pl.DataFrame(schema=DETAILS), [], receipt)
    assert all(writer.partition.part(table, 0).is_file() for table in BATCH_TABLES)
    assert list(store(writer.root).stream()) == []
    assert writer.committed() == {0: receipt}


def test_the_writer_travels(writer: RunWriter) -> None:
    copy = pickle.loads(pickle.dumps(writer))  # noqa: S301  our own bytes
    assert copy == writer
    write(copy, THIRD)
    assert list(writer.committed()) == [2]
    assert len(pickle.dumps(writer)) < 1000


def test_a_receipt_of_another_batch_is_refused(writer: RunWriter) -> None:
    with pytest.raises(LedgerError, match="Expected the receipt of batch 1, attempt 1"):
        writer.write_batch(
            SECOND, 1, [record("AAPL")], pl.DataFrame(schema=DETAILS), [],
            BatchReceipt(batch=0, attempt=1, snapshots=1, ideas=1),
        )  # fmt: skip


def test_a_full_disk_is_a_ledger_error_that_can_be_retried(writer: RunWriter, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(LedgerError, match="No space left") as caught:
            write(writer, FIRST)
    assert caught.value.cause == "OSError"
    assert leftovers(writer.partition) == []
    write(writer, FIRST)
    assert list(writer.committed()) == [0]


def test_a_claimed_batch_that_lost_its_parts_says_so(writer: RunWriter) -> None:
    write(writer, FIRST)
    (writer.partition.folder(COMMITS) / FIRST.name).unlink()
    writer.partition.part("snapshots", 0).unlink()
    with pytest.raises(LedgerError, match="lost its content"):
        write(writer, FIRST)


def test_sweeping_spares_those_that_could_still_win(writer: RunWriter) -> None:
    contents = dict.fromkeys(BATCH_TABLES, b"x")
    write(writer, FIRST)
    staged = writer.partition.staged
    with staged(contents, FIRST.index) as loser, staged(contents, SECOND.index) as contender:
        writer.partition.sweep()
        assert not loser.exists()
        assert contender.exists()


def leftovers(partition: Partition) -> list[str]:
    """Stages that were neither claimed nor thrown away."""
    return [path.name for path in partition.folder(COMMITS).iterdir() if path.name.count(".") > 1]


def assert_one_attempt(writer: RunWriter, folder: Path, batch: Batch = FIRST) -> None:
    """The batch is committed, and each of its parts is what the attempt in its receipt would write alone."""
    winner = writer.committed()[batch.index].attempt
    alone = store(folder / f"alone-{batch.index}").begin(RUN)
    write(alone, batch, winner, energy=float(winner))
    for table in BATCH_TABLES:
        found, expected = (one.partition.part(table, batch.index).read_bytes() for one in (writer, alone))
        assert found == expected, table
