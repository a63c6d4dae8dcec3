"""The protocol by which a batch is committed to a ledger on an object store, whole and exactly once.

An object store writes an object whole or not at all and shows it at once, but it cannot rename. Any number of
attempts, in any number of processes, may write the same batch, and any of them may be killed or come back:

1. **Stage.** An attempt writes each part with one PUT, under keys that nobody else uses,
   ``commits/<partition>/.batch-00007.<unique>/<table>.parquet``.
2. **Claim.** It creates ``.batch-00007`` with a PUT that the store refuses where the object exists
   (``If-None-Match: *``), so exactly one attempt ever succeeds. The claim names the winner's stage and holds its
   receipt; it is never changed or deleted: an attempt that comes back years later still loses. An attempt
   that is refused reads the claim, since a repeated request may have met its own object. An attempt that gets no
   answer keeps its stage, for it may have won.
3. **Publish.** The store copies the parts of the stage that the claim names to their final names; the marker, the
   receipt out of the claim, is written to ``commits/<partition>/batch-00007`` last; then the stage is deleted. Each
   step can be repeated by any process: where the winner died, the next attempt (or ``recover``) finishes what the
   winner began. Where a copy finds no stage, another process has written the marker.

Only the stage that the claim names feeds the published keys, so parts of two attempts never mix. A publisher that
wakes up late can only write the same bytes again. Readers take the batches that have a marker. Stages of dead attempts
are deleted when the run is sealed.

The store must have read-after-write consistency and refuse a second conditional PUT. The second is checked at the
start of every run, on the manifest: a store that ignores the condition is refused before anything is computed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from pydantic import BaseModel, ValidationError

from gnosis_ray.errors import IntegrityError
from gnosis_ray.ledger.partition import RunPartition, receipt_bytes
from gnosis_ray.schemas.run_schemas import BatchReceipt
from gnosis_ray.storage.digests import with_own_digest, without_own_digest
from gnosis_ray.storage.object_store import BucketBackend, ObjectStoreError


class Claim(BaseModel, frozen=True, extra="forbid"):
    """The winner of a batch."""

    stage: str
    """The name of the winner's stage, relative to the ledger's root."""
    receipt: BatchReceipt


@dataclass(frozen=True)
class BucketPartition(RunPartition):
    """One run's partition of a ledger on an object store."""

    backend: BucketBackend

    def create(self) -> None:
        """There are no folders to make."""

    def is_claimed(self, index: int) -> bool:
        """True once there is a claim."""
        return self.backend.exists(self.claimed(index))

    @contextmanager
    def staged(self, parts: Mapping[str, bytes], index: int | None = None) -> Iterator[str]:
        """Step 1: the parts, each in one PUT, under a name that only this attempt knows.

        Thrown away where it has lost. Where an error leaves that open it stays: it may be what the claim names.
        """
        stage, backend = self.stage(index), self.backend
        try:
            backend.map_each(lambda table: backend.put(f"{stage}/{table}.parquet", parts[table]), self.tables)
        except BaseException:
            self.discard(stage)
            raise
        yield stage
        if index is not None and self._claim(index).stage != stage:
            self.discard(stage)

    def claim(self, stage: str, receipt: BatchReceipt) -> bool:
        """Step 2: create the claim."""
        body = with_own_digest(Claim(stage=stage, receipt=receipt).model_dump_json().encode())
        return self.backend.put_if_absent(self.claimed(receipt.batch), body)

    def publish(self, index: int) -> None:
        """Step 3: copy the parts that the claim names to their final names, then write the marker."""
        if self.is_committed(index):
            return
        claim, backend = self._claim(index), self.backend
        try:
            backend.map_each(
                lambda table: backend.copy(f"{claim.stage}/{table}.parquet", self.part(table, index)), self.tables
            )
        except FileNotFoundError as error:
            if self.is_committed(index):
                return
            raise IntegrityError(
                f"Claimed batch lost its content: {error}, and no marker {self.marker(index)}"
            ) from None
        backend.put(self.marker(index), receipt_bytes(claim.receipt))
        self.discard(claim.stage)

    def has_lost(self, stage: str, index: int) -> bool:
        """True once the batch is committed, or the claim names another stage."""
        return self.is_claimed(index) and (self.is_committed(index) or self._claim(index).stage != stage)

    def release(self, index: int) -> None:
        """Delete the claim."""
        self.backend.delete([self.claimed(index)])

    def discard(self, stage: str) -> None:
        """Delete a stage's objects."""
        with suppress(ObjectStoreError):
            self.backend.delete([f"{stage}/{table}.parquet" for table in self.tables])

    def _claim(self, index: int) -> Claim:
        name = self.claimed(index)
        body, _ = without_own_digest(self.backend.get(name), self.backend.root / name)
        try:
            return Claim.model_validate_json(body)
        except ValidationError as error:
            raise self.damaged(name, "it holds no claim") from error
