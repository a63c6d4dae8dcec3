"""Faults of our own, put into the code one by one: each has to turn a seed red, or the simulation sees nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest.mock import patch

from actors import host_controller
from gnosis_ray.data.store import part_files
from gnosis_ray.data.store.writer import StoreWriter
from gnosis_ray.fanout import Assignment, Supervisor
from gnosis_ray.ledger import in_folder, partition
from gnosis_ray.ledger.in_bucket import BucketPartition
from gnosis_ray.ledger.in_folder import FolderPartition
from gnosis_ray.ledger.partition import COMMITS, RunPartition, receipt_bytes
from gnosis_ray.schemas.run_schemas import BatchReceipt
from gnosis_ray.storage import files, folder
from gnosis_ray.storage.disk import Disk
from gnosis_ray.storage.folder import FolderBackend


def _write_unsynced(path: Path, body: bytes, disk: Disk) -> None:
    with disk.create(path) as file:
        file.write(body)


def _write_in_place(path: Path, body: bytes, disk: Disk) -> None:
    files.make_folder(path.parent, disk)
    files.write_synced(path, body, disk)
    disk.sync_folder(path.parent)


def _write_without_name(path: Path, body: bytes, disk: Disk) -> None:
    with files._staged(path, body, disk) as temporary:
        disk.replace(temporary, path)


def _make_unsynced(folder: Path, disk: Disk) -> None:
    if not disk.is_folder(folder):
        _make_unsynced(folder.parent, disk)
        disk.make_folder(folder)


def _make_trusting(folder: Path, disk: Disk) -> None:
    if not disk.is_folder(folder):
        _make_trusting(folder.parent, disk)
        disk.make_folder(folder)
        disk.sync_folder(folder.parent)


def _claim_unsynced(self: FolderPartition, stage: str, receipt: BatchReceipt) -> bool:
    folder = self.root / stage
    files.write_synced(folder / in_folder._RECEIPT, receipt_bytes(receipt), self.disk)
    try:
        self.disk.rename(folder, self.root / self.claimed(receipt.batch))
    except OSError as error:
        if error.errno not in in_folder._TAKEN:
            raise
        return False
    self.disk.sync_folder(self.root / self.folder(COMMITS))
    return True


def _move_parts(self: FolderPartition, index: int) -> None:
    for table in self.tables:
        self._move(self.root / self.claimed(index) / f"{table}.parquet", self.root / self.part(table, index))


def _move_marker(self: FolderPartition, index: int) -> None:
    self._move(self.root / self.claimed(index) / in_folder._RECEIPT, self.root / self.marker(index))


def _sync_tables(self: FolderPartition, _: int) -> None:
    for table in self.tables:
        self.disk.sync_folder(self.root / self.folder(table))


def _sync_commits(self: FolderPartition, _: int) -> None:
    self.disk.sync_folder(self.root / self.folder(COMMITS))


def _publish(*steps: Callable[[FolderPartition, int], None]) -> Callable[[FolderPartition, int], None]:
    def publish(self: FolderPartition, index: int) -> None:
        if self.is_committed(index):
            _sync_commits(self, index)
            return
        for step in steps:
            step(self, index)

    return publish


_MARKER_FIRST = _publish(_move_marker, _move_parts, _sync_tables, _sync_commits)
_UNSYNCED_PARTS = _publish(_move_parts, _move_marker, _sync_tables, _sync_commits)
_UNSYNCED_MARKER = _publish(_move_parts, _sync_tables, _move_marker)


def _publish_marker_first(self: BucketPartition, index: int) -> None:
    if not self.is_committed(index):
        claim = self._claim(index)
        self.backend.put(self.marker(index), receipt_bytes(claim.receipt))
        for table in self.tables:
            self.backend.copy(f"{claim.stage}/{table}.parquet", self.part(table, index))
        self.discard(claim.stage)


@contextmanager
def _staged_and_gone(self: BucketPartition, parts: Any, index: int | None = None) -> Iterator[str]:
    stage = self.stage(index)
    try:
        self.backend.map_each(lambda table: self.backend.put(f"{stage}/{table}.parquet", parts[table]), self.tables)
        yield stage
    except BaseException:
        self.discard(stage)
        raise


def _count_every_answer(self: Supervisor, assignment: Assignment, receipt: BatchReceipt | None, now: float) -> bool:
    self._remove(assignment, now)
    state = self._state(assignment)
    state.finished = True
    if receipt is not None:
        self._receipts[receipt.batch] = receipt
    return receipt is not None


def _nearly_done(self: Supervisor) -> bool:
    return len(self._receipts) >= len(self._states) - 1


def _claim_by_looking(self: FolderPartition, stage: str, receipt: BatchReceipt) -> bool:
    """Looks first, renames then: another attempt may be in between, whose folder a rename of today would refuse."""
    claimed = self.root / self.claimed(receipt.batch)
    files.write_synced(self.root / stage / in_folder._RECEIPT, receipt_bytes(receipt), self.disk)
    self.disk.sync_folder(self.root / stage)
    if not self.disk.is_folder(claimed):
        self.disk.make_folder(claimed)
    for name in sorted(self.disk.names(self.root / stage)):
        self.disk.replace(self.root / stage / name, claimed / name)
    self.disk.sync_folder(claimed)
    self.disk.sync_folder(self.root / self.folder(COMMITS))
    return True


@dataclass(frozen=True)
class Mutation:
    """One fault: a function replaced by a worse one, and a seed that shows it."""

    name: str
    seed: int
    target: object
    attribute: str
    worse: Any

    def applied(self) -> AbstractContextManager[object]:
        """While it is in the code."""
        return patch.object(self.target, self.attribute, self.worse)


def _passed_on(_: object) -> AbstractContextManager[None]:
    return nullcontext()


def _nothing(*_: object, **__: object) -> None:
    return None


MUTATIONS: tuple[Mutation, ...] = (
    Mutation("parts of a batch are not synced", 1, in_folder, "write_synced", _write_unsynced),
    Mutation("files of manifests and store are not synced", 1, files, "write_synced", _write_unsynced),
    Mutation("new folders of the store are not synced", 9, files, "make_folder", _make_unsynced),
    Mutation("new folders of the ledger are not synced", 1, in_folder, "make_folder", _make_unsynced),
    Mutation("folders that are seen are taken for durable", 32, files, "make_folder", _make_trusting),
    Mutation("folders of a ledger that are seen are taken for durable", 736, in_folder, "make_folder", _make_trusting),
    Mutation("names that are seen are taken for durable", 291, FolderBackend, "make_durable", _nothing),
    Mutation("rows that are seen are taken for durable", 68, StoreWriter, "_keep", _nothing),
    Mutation("markers that are seen are taken for durable", 790, RunPartition, "make_durable", _nothing),
    Mutation("a new name is not synced", 3, folder, "write_file", _write_without_name),
    Mutation("a file is written in place", 185, folder, "write_file", _write_in_place),
    Mutation("a stage is claimed before it is synced", 190, FolderPartition, "claim", _claim_unsynced),
    Mutation("a claim is no rename", 8, FolderPartition, "claim", _claim_by_looking),
    Mutation("the marker comes before the parts", 18, FolderPartition, "publish", _MARKER_FIRST),
    Mutation("the marker comes before the parts' names are synced", 353, FolderPartition, "publish", _UNSYNCED_PARTS),
    Mutation("the marker's name is not synced", 123, FolderPartition, "publish", _UNSYNCED_MARKER),
    Mutation("the marker comes before the copies, in a bucket", 135, BucketPartition, "publish", _publish_marker_first),
    Mutation("a stage is deleted where the claim's answer was lost", 159, BucketPartition, "staged", _staged_and_gone),
    Mutation("parts of a ledger are not hashed when read", 281, partition, "require_digest", _nothing),
    Mutation("parts of the store are not hashed when read", 848, part_files, "require_file_digests", _nothing),
    Mutation("a run is sealed without its last batch", 1, Supervisor, "done", property(_nearly_done)),
    Mutation("a receipt that comes twice, or late, counts", 111, Supervisor, "on_done", _count_every_answer),
    Mutation("a disk's failure is blamed on symbols", 23, host_controller, "require_no_fault_of_machine", _nothing),
    Mutation("errors of a disk are passed on as they are", 185, part_files, "data_errors", _passed_on),
)
"""Each replaces one function."""
