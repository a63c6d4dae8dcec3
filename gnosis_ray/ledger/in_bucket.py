"""A ledger on an object store, and the protocol by which a batch enters it whole, exactly once.

An object store writes an object whole or not at all and shows it at once, but it cannot rename. Any number of
attempts, in any number of processes, may write the same batch, and any of them may be killed or come back:

1. **Stage.** An attempt writes each part with one PUT, under keys that nobody else uses,
   ``commits/<partition>/.batch-00007.<unique>/<table>.parquet``.
2. **Claim.** It creates ``.batch-00007`` with a PUT that the store refuses where the object exists
   (``If-None-Match: *``), so exactly one attempt ever succeeds. The claim names the winner's stage and holds its
   receipt; it is never changed or deleted: a zombie that comes years later still loses. An attempt that is refused
   reads the claim: a request repeated on the way may have met itself. An attempt that does not learn the answer
   leaves its stage as it is, for it may have won.
3. **Publish.** The store copies the parts of the stage that the claim names to their places; the marker, the receipt
   out of the claim, is written to ``commits/<partition>/batch-00007`` last; then the stage is deleted. Each step can
   be repeated by anybody: where the winner died, the next attempt (or ``recover``) finishes what the winner began.
   Where a copy finds no stage, somebody else has written the marker.

Only the stage that the claim names feeds the published keys, so parts of two attempts never mix. A publisher that
wakes up late can only write the same bytes again. Readers take the batches that have a marker. Stages of the dead are
swept when the run is sealed.

The store has to show what was written at once, and to refuse the second conditional PUT. That it does is tried at the
start of every run, on the manifest: a store that ignores the condition is refused before anything is computed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import date
from io import BytesIO

import polars as pl
from pydantic import BaseModel

from gnosis_ray.errors import LedgerError
from gnosis_ray.ledger.partition import COMMITS, STAGED, Place, R, RunPartition, T, parse_folder
from gnosis_ray.ledger.tables import BATCH_TABLES
from gnosis_ray.schemas.run_schemas import BatchReceipt
from gnosis_ray.storage.files import read_parquet
from gnosis_ray.storage.location import S3Url
from gnosis_ray.storage.object_store import BucketBackend, ObjectStoreError, side_by_side

_FOLDER = re.compile(r"(run_date=\d{4}-\d\d-\d\d/run_id=[^/]+)/([^/]+).*")


class Claim(BaseModel, frozen=True, extra="forbid"):
    """Who has won a batch."""

    stage: str
    """The name of the winner's stage, relative to the ledger's root."""
    receipt: BatchReceipt


@dataclass(frozen=True)
class BucketPlace(Place):
    """A ledger under a prefix of a bucket."""

    root: S3Url

    @property
    def objects(self) -> BucketBackend:
        """The objects under the prefix."""
        return BucketBackend(self.root)

    def partition(self, run_date: date, run_id: str) -> BucketPartition:
        """One run's part of this prefix."""
        return BucketPartition(run_date, run_id, self.root)

    def partitions(self, table: str, file: str | None = None) -> list[RunPartition]:
        """The partitions of a table, out of one listing of its keys."""
        found = filter(None, map(_FOLDER.fullmatch, self.objects.names(table)))
        folders = {match[1] for match in found if file is None or match[2] == file}
        return [self.partition(*parse_folder(folder)) for folder in folders]

    def exists(self, name: str) -> bool:
        """Whether there is such an object."""
        return self.objects.exists(name)

    def read(self, name: str) -> bytes:
        """An object's bytes."""
        return self.objects.get(name)

    def frame(self, name: str) -> pl.DataFrame:
        """A Parquet object."""
        return read_parquet(BytesIO(self.read(name)), str(self.root / name))

    def replace(self, name: str, body: bytes) -> None:
        """Give an object new content with one PUT."""
        self.objects.put(name, body)

    def establish(self, name: str, body: bytes) -> bytes:
        """Create an object unless it is there; what it then holds.

        Raises :class:`ObjectStoreError` where the store would have created it a second time.
        """
        standing = body if self.objects.create(name, body) else self.read(name)
        if not self.objects.refuses_second(name, standing):
            raise ObjectStoreError(
                f"{self.root} ignores If-None-Match: two attempts could both win a batch. Use a store that honours it"
            )
        return standing

    def each(self, function: Callable[[T], R], items: Iterable[T]) -> list[R]:
        """At once, as far as the store is to be asked at once."""
        return side_by_side(function, items)


@dataclass(frozen=True)
class BucketPartition(RunPartition):
    """One run's part of a ledger on an object store."""

    root: S3Url

    @property
    def place(self) -> BucketPlace:
        """The ledger's prefix."""
        return BucketPlace(self.root)

    def create(self) -> None:
        """There are no folders to make."""

    def is_claimed(self, index: int) -> bool:
        """True once there is a claim."""
        return self.place.exists(self.claimed(index))

    @contextmanager
    def staged(self, parts: Mapping[str, bytes], index: int | None = None) -> Iterator[str]:
        """Step 1: the parts, each in one PUT, under a name that only this attempt knows.

        Thrown away where it has lost. Where an error leaves that open it stays: it may be what the claim names.
        """
        stage, objects = self.stage(index), self.place.objects
        try:
            self.place.each(lambda table: objects.put(f"{stage}/{table}.parquet", parts[table]), BATCH_TABLES)
        except BaseException:
            self._discard(stage)
            raise
        yield stage
        if index is not None and self._claim(index).stage != stage:
            self._discard(stage)

    def claim(self, stage: str, receipt: BatchReceipt) -> bool:
        """Step 2: create the claim."""
        body = Claim(stage=stage, receipt=receipt).model_dump_json().encode()
        return self.place.objects.create(self.claimed(receipt.batch), body)

    def publish(self, index: int) -> None:
        """Step 3: copy the parts that the claim names to their places, then write the marker."""
        if self.is_committed(index):
            return
        claim, objects = self._claim(index), self.place.objects
        try:
            self.place.each(
                lambda table: objects.copy(f"{claim.stage}/{table}.parquet", self.part(table, index)), BATCH_TABLES
            )
        except FileNotFoundError as error:
            if self.is_committed(index):
                return
            raise LedgerError(f"Claimed batch lost its content: {error}, and no marker {self.marker(index)}") from None
        objects.put(self.marker(index), claim.receipt.model_dump_json().encode())
        self._discard(claim.stage)

    def sweep(self) -> None:
        """Throw away the stages of attempts that have lost, and of batches that are whole."""
        for name in self.commit_names():
            staged = STAGED.fullmatch(name)
            if staged and self._is_done(f"{self.folder(COMMITS)}/{name}", int(staged[1])):
                self._discard(f"{self.folder(COMMITS)}/{name}")

    def commit_names(self) -> list[str]:
        """The names in the folder of commits, stages too."""
        return self.place.objects.children(self.folder(COMMITS))

    def _claim(self, index: int) -> Claim:
        return Claim.model_validate_json(self.place.read(self.claimed(index)))

    def _is_done(self, stage: str, index: int) -> bool:
        return self.is_claimed(index) and (self.is_committed(index) or self._claim(index).stage != stage)

    def _discard(self, stage: str) -> None:
        """Throw a stage away. Rubbish that resists does no harm."""
        with suppress(ObjectStoreError):
            self.place.objects.delete([f"{stage}/{table}.parquet" for table in BATCH_TABLES])
