"""Whether a run is what was written: every file of it read and hashed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal, TypeVar

from gnosis_ray.errors import FormatError, IntegrityError, LedgerError
from gnosis_ray.ledger.manifests import manifest_copy_name, parse_manifest, read_manifest
from gnosis_ray.ledger.partition import RunPartition, ledger_errors
from gnosis_ray.ledger.run_writer import RunWriter
from gnosis_ray.ledger.whole_runs import require_whole
from gnosis_ray.schemas.run_schemas import BatchReceipt, RunManifest, RunReceipt

T = TypeVar("T")

VerifiedAs = Literal["whole", "cut off", "unverified", "damaged"]
"""``unverified``: there is nothing wrong, but some of its parts are of a version that kept no digests."""

OnPart = Callable[[str], None]
"""Called with the name of each part before it is read."""


@dataclass
class RunVerification:
    """What the files of one run are worth."""

    partition: RunPartition
    manifest: RunManifest | None = None
    receipt: RunReceipt | None = None
    receipts: dict[int, BatchReceipt] = field(default_factory=dict)
    """Of the committed batches whose marker can be read."""
    parts: int = 0
    """Parts that were read."""
    unverified: int = 0
    """Of these, parts without a digest: they can be read and have the rows that their receipt states."""
    errors: list[IntegrityError | LedgerError | FormatError] = field(default_factory=list)
    damaged_batches: set[int] = field(default_factory=set)
    """Batches with a part, or a marker, that is not what was written."""

    @property
    def status(self) -> VerifiedAs:
        """All of it in a word."""
        if self.errors:
            return "damaged"
        if self.unverified:
            return "unverified"
        return "whole" if self.receipt is not None and self.receipt.ended else "cut off"


def verify_run(partition: RunPartition, on_part: OnPart = lambda _name: None) -> RunVerification:
    """Read every file of a run and compare it with the digests that were kept; changes nothing.

    What is wrong is in the result. Raises :class:`LedgerError` where there is no way to the ledger.
    """
    found = RunVerification(partition)
    with ledger_errors(f"verify run {partition.run_id} in {partition.backend.root}"):
        _read_manifest(found)
        if found.manifest is not None:
            found.receipt = _attempt(found, RunWriter.of(partition.backend.root, found.manifest).receipt)
        for index in partition.committed_batches():
            _verify_batch(found, index, on_part)
        if found.manifest is not None and found.receipt is not None and found.receipt.ended and not found.errors:
            manifest, receipt = found.manifest, found.receipt
            _attempt(found, lambda: require_whole(partition, manifest, receipt, found.receipts))
    return found


def _read_manifest(found: RunVerification) -> None:
    partition = found.partition
    found.manifest = _attempt(found, lambda: read_manifest(partition))
    name = manifest_copy_name(partition)
    if partition.backend.exists(name):  # runs of older versions have none
        body, place = partition.backend.get(name), partition.backend.root / name
        _attempt(found, lambda: parse_manifest(partition, body, place))


def _verify_batch(found: RunVerification, index: int, on_part: OnPart) -> None:
    """Read a batch's marker and parts."""
    partition = found.partition
    receipt = _attempt(found, lambda: partition.receipt(index))
    if receipt is None:
        found.damaged_batches.add(index)
        return
    found.receipts[index] = receipt
    for table in () if found.manifest is None else found.manifest.tables:
        on_part(partition.part(table, index))
        found.parts += 1
        found.unverified += table not in receipt.digests
        if _attempt(found, lambda name=table: partition.frame(name, receipt)) is None:  # type: ignore[misc]
            found.damaged_batches.add(index)


def _attempt(found: RunVerification, read: Callable[[], T]) -> T | None:
    try:
        return read()
    except (FormatError, IntegrityError, LedgerError) as error:
        found.errors.append(error)
        return None
