"""Mending a damaged run as far as that is possible without inventing anything.

* A manifest that was lost is restored from its copy, and a copy from the manifest.
* Of a sealed run the markers that were lost are made anew out of its parts, and kept only where all digests together
  are those with which the run was sealed.
* A receipt that cannot be read is set aside: a resume seals the run anew.
* A batch that is damaged otherwise is set aside, under ``damaged/``, and the run is open again: a resume computes those
  batches anew, and the same data give the same rows.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from gnosis_ray.errors import IntegrityError
from gnosis_ray.ledger.manifests import manifest_copy_name, manifest_name, parse_manifest
from gnosis_ray.ledger.partition import RunPartition, ledger_errors, receipt_bytes
from gnosis_ray.ledger.partitions import open_partition
from gnosis_ray.ledger.rows import failures_of
from gnosis_ray.ledger.run_writer import RunWriter, with_digests
from gnosis_ray.ledger.verify import OnPart, RunVerification, verify_run
from gnosis_ray.ledger.whole_runs import require_whole
from gnosis_ray.schemas.run_schemas import BatchReceipt, RunManifest, RunReceipt
from gnosis_ray.storage.parquet import parquet_frame


@dataclass
class RunRepair:
    """What was mended of a run."""

    restored: list[str] = field(default_factory=list)
    """Files that are there again, by name."""
    set_aside: list[int] = field(default_factory=list)
    """Batches that are to be computed anew by a resume."""
    unsealed: bool = False
    """Whether the receipt could not be read: a resume seals the run anew."""
    after: RunVerification | None = None
    """The run as it is now."""


def repair_run(partition: RunPartition, on_part: OnPart = lambda _name: None) -> RunRepair:
    """Mend a run; nothing is deleted that can be read. Doing it again is harmless.

    Raises :class:`IntegrityError` where neither the manifest nor its copy can be read, :class:`FormatError` for a run
    of a newer format, :class:`LedgerError` where there is no way to the ledger.
    """
    done = RunRepair()
    with ledger_errors(f"repair run {partition.run_id} in {partition.backend.root}"):
        manifest = _restored_manifest(partition, done)
        partition = open_partition(partition.backend.root, partition.run_date, partition.run_id, manifest.tables)
        _set_aside_receipt(partition, manifest, done)
        before = verify_run(partition, on_part)
        for index in sorted(_beyond_repair(partition, manifest, before, done)):
            _set_aside(partition, manifest, before.receipt, index)
            done.set_aside.append(index)
        done.after = verify_run(partition, on_part)
    return done


def _restored_manifest(partition: RunPartition, done: RunRepair) -> RunManifest:
    backend = partition.backend
    found: dict[str, tuple[bytes, RunManifest]] = {}
    for name in (manifest_name(partition), manifest_copy_name(partition)):
        try:
            body = backend.get(name)
            found[name] = body, parse_manifest(partition, body, backend.root / name)
        except (FileNotFoundError, IntegrityError):
            continue  # the other one is asked
    if not found:
        raise IntegrityError(
            f"Run {partition.run_id} in {backend.root}: neither {manifest_name(partition)} nor its copy can be read: "
            f"nothing of it can be mended. Scan anew; what is left lies in the folders {partition.label} of each table",
            stage="ledger",
        )
    body, manifest = next(iter(found.values()))
    for name in (manifest_name(partition), manifest_copy_name(partition)):
        if name not in found:
            backend.put(name, body)
            done.restored.append(name)
    return manifest


def _beyond_repair(partition: RunPartition, manifest: RunManifest, found: RunVerification, done: RunRepair) -> set[int]:
    """The batches that are to be computed anew, once the markers that can be restored are."""
    with_bad_parts = found.damaged_batches & found.receipts.keys()
    with_bad_marker = found.damaged_batches - found.receipts.keys()
    without_marker = {batch.index for batch in manifest.batches()} - found.receipts.keys()
    if found.receipt is None or not found.receipt.ended:
        return with_bad_parts | with_bad_marker | _claims_without_content(partition, without_marker)
    restored = _restored_markers(partition, manifest, found.receipt, found.receipts, without_marker, done)
    return with_bad_parts | (without_marker - restored)


def _claims_without_content(partition: RunPartition, without_marker: set[int]) -> set[int]:
    """Batches that an attempt has won, of which nothing is left to publish."""
    empty = set()
    for index in without_marker.intersection(partition.claimed_batches()):
        try:
            partition.publish(index)
        except (IntegrityError, FileNotFoundError):
            empty.add(index)
    return empty


def _restored_markers(
    partition: RunPartition,
    manifest: RunManifest,
    sealed: RunReceipt,
    intact: Mapping[int, BatchReceipt],
    missing: set[int],
    done: RunRepair,
) -> set[int]:
    """Make the missing markers of a sealed run out of its parts; those of them that are proved to be right."""
    if sealed.content_digest is None:
        return set()
    try:
        rebuilt = {index: _receipt_from_parts(partition, manifest, index) for index in sorted(missing)}
        require_whole(partition, manifest, sealed, {**intact, **rebuilt})
    except (FileNotFoundError, IntegrityError):
        return set()  # all digests together prove them, or nothing does
    for index, receipt in rebuilt.items():
        partition.backend.put(partition.marker(index), receipt_bytes(receipt))
        done.restored.append(partition.marker(index))
    return set(rebuilt)


def _receipt_from_parts(partition: RunPartition, manifest: RunManifest, index: int) -> BatchReceipt:
    """What can be known of a batch without its receipt: its rows, digests and failures."""
    bodies = {table: partition.backend.get(partition.part(table, index)) for table in manifest.tables}
    frames = {table: partition.read_frame(partition.part(table, index)) for table in manifest.tables}
    receipt = BatchReceipt(
        batch=index,
        attempt=1,
        rows={table: frame.height for table, frame in frames.items()},
        failures=tuple(failures_of(parquet_frame(bodies["failures"]))),
    )
    return with_digests(receipt, bodies)


def _set_aside_receipt(partition: RunPartition, manifest: RunManifest, done: RunRepair) -> None:
    """Move a receipt that cannot be read: nothing else knows all of what it held."""
    writer = RunWriter.of(partition.backend.root, manifest)
    try:
        writer.receipt()
    except IntegrityError:
        _move_aside(partition, writer.receipt_name)
        done.unsealed = True


def _move_aside(partition: RunPartition, name: str) -> None:
    """Keep a file under ``damaged/`` instead of where readers look; one that is lost stays so."""
    backend = partition.backend
    if backend.exists(name):
        backend.put(f"damaged/{partition.label}/{name.replace('/', '-')}", backend.get(name))
        backend.delete([name])


def _set_aside(partition: RunPartition, manifest: RunManifest, sealed: RunReceipt | None, index: int) -> None:
    """Take a batch out of the run. Each step leaves a run that says it is not finished, or one that is as before."""
    if sealed is not None and sealed.ended:
        RunWriter.of(partition.backend.root, manifest).unseal(sealed)
    for name in (partition.marker(index), *(partition.part(table, index) for table in manifest.tables)):
        _move_aside(partition, name)
    partition.release(index)
