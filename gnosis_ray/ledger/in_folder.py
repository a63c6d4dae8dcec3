"""The protocol by which a batch is committed to a ledger in a folder, whole and exactly once.

A batch is one part in each table and a commit marker. Any number of attempts, in any number of processes, may
write the same batch, with equal content or not, and any of them may be killed or come back late:

1. **Stage.** An attempt writes all its parts and its receipt, synced, into a folder of its own,
   ``commits/<partition>/.batch-00007.<unique>``.
2. **Claim.** It renames that folder to ``.batch-00007``. Renaming onto a folder that is not empty fails, so exactly
   one attempt ever succeeds; the others delete their stage. The claimed folder keeps one empty file for ever, so
   that an attempt which comes back years later still loses.
3. **Publish.** The parts are renamed out of the claimed folder to their final names, the folders are synced, and the
   receipt is renamed to the marker, ``commits/<partition>/batch-00007``, last. Each step can be repeated by
   anybody: where the winner died, the next attempt (or ``recover``) finishes what the winner began.

Only the claimed folder feeds the published names, so parts of two attempts never mix, and nothing is written once
the marker is there. Readers take the batches that have a marker. Needs a file system whose renames are atomic.
"""

from __future__ import annotations

import errno
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from gnosis_ray.errors import IntegrityError
from gnosis_ray.ledger.partition import COMMITS, RunPartition, receipt_bytes
from gnosis_ray.schemas.run_schemas import BatchReceipt
from gnosis_ray.storage.disk import Disk
from gnosis_ray.storage.files import make_folder, write_synced
from gnosis_ray.storage.folder import FolderBackend

_RECEIPT = "receipt.json"
_CLAIM = "claim"
_TAKEN = {errno.ENOTEMPTY, errno.EEXIST}


@dataclass(frozen=True)
class FolderPartition(RunPartition):
    """One run's partition of a ledger in a folder."""

    backend: FolderBackend

    @property
    def root(self) -> Path:
        """The ledger's folder."""
        return self.backend.root

    @property
    def disk(self) -> Disk:
        """The disk that it is on."""
        return self.backend.disk

    def create(self) -> None:
        """Make the partition's folders."""
        for table in (*self.tables, COMMITS):
            make_folder(self.root / self.folder(table), self.disk)

    def is_claimed(self, index: int) -> bool:
        """True once a stage was renamed to the batch's name."""
        return self.disk.is_folder(self.root / self.claimed(index))

    @contextmanager
    def staged(self, parts: Mapping[str, bytes], index: int | None = None) -> Iterator[str]:
        """Step 1: the parts, synced, in a folder that only this attempt knows."""
        name = self.stage(index)
        stage = self.root / name
        self.disk.make_folder(stage)
        try:
            for table in self.tables:
                write_synced(stage / f"{table}.parquet", parts[table], self.disk)
            with self.disk.create(stage / _CLAIM):
                pass
            yield name
        finally:
            self.discard(name)

    def claim(self, stage: str, receipt: BatchReceipt) -> bool:
        """Step 2: rename the stage to the batch's name."""
        folder = self.root / stage
        write_synced(folder / _RECEIPT, receipt_bytes(receipt), self.disk)
        self.disk.sync_folder(folder)
        try:
            self.disk.rename(folder, self.root / self.claimed(receipt.batch))
        except OSError as error:
            if error.errno not in _TAKEN:
                raise
            return False
        self.disk.sync_folder(self.root / self.folder(COMMITS))
        return True

    def publish(self, index: int) -> None:
        """Step 3: rename the claimed parts to their final names, then the receipt to the marker."""
        if self.is_committed(index):
            self.backend.make_durable(self.folder(COMMITS))  # whoever wrote the marker may have died before its sync
            return
        claimed = self.root / self.claimed(index)
        for table in self.tables:
            self._move(claimed / f"{table}.parquet", self.root / self.part(table, index))
        for table in self.tables:
            self.disk.sync_folder(self.root / self.folder(table))
        self._move(claimed / _RECEIPT, self.root / self.marker(index))
        self.disk.sync_folder(self.root / self.folder(COMMITS))

    def has_lost(self, stage: str, index: int) -> bool:
        """True once another stage was claimed: the winner's was renamed."""
        return stage != self.claimed(index) and self.is_claimed(index)

    def release(self, index: int) -> None:
        """Delete the claimed folder."""
        self.discard(self.claimed(index))
        self.disk.sync_folder(self.root / self.folder(COMMITS))

    def discard(self, stage: str) -> None:
        """Delete a stage; a claimed one no longer has this name."""
        self.disk.remove_tree(self.root / stage)

    def _move(self, source: Path, target: Path) -> None:
        """Rename, unless another process that publishes the same batch has already done so."""
        try:
            self.disk.rename(source, target)
        except FileNotFoundError:
            if not self.disk.is_file(target):
                raise IntegrityError(f"Claimed batch lost its content: neither {source} nor {target} exists") from None
