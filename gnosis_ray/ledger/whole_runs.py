"""Which batches of a run readers may see: those that are committed, and of a sealed run not one less than all."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Mapping
from datetime import date

from gnosis_ray.errors import IntegrityError
from gnosis_ray.ledger.manifests import read_manifest
from gnosis_ray.ledger.partition import RunPartition, batch_name, ledger_errors
from gnosis_ray.ledger.run_writer import RunWriter
from gnosis_ray.schemas.run_schemas import BatchReceipt, RunManifest, RunReceipt, content_digest

LIVE = "live"
"""The run id of records that are appended one by one: it has no manifest and no end."""

_NAMED = 5
"""Batches that an error names."""


class WholeRuns:
    """Reads what the commits of runs say, and compares sealed runs with their manifest and their receipt.

    Keeps what cannot change: manifests, and the receipts of runs that have ended.
    """

    def __init__(self) -> None:
        self._manifests: dict[tuple[date, str], RunManifest] = {}
        self._ended: dict[tuple[date, str], RunReceipt] = {}

    def receipts(self, partition: RunPartition) -> dict[int, BatchReceipt]:
        """The receipts of the committed batches, by number.

        Raises :class:`IntegrityError` where the run was sealed with others, or has lost its manifest;
        :class:`FormatError` where it has a newer format.
        """
        manifest, sealed = self.manifest(partition), self.sealed(partition)
        with ledger_errors(f"read the commits of run {partition.run_id} in {partition.backend.root}"):
            receipts = partition.receipts()
        if manifest is not None and sealed is not None:
            require_whole(partition, manifest, sealed, receipts)
        return receipts

    def manifest(self, partition: RunPartition) -> RunManifest | None:
        """What the run set out to do; None for records without a run."""
        key = (partition.run_date, partition.run_id)
        if partition.run_id == LIVE:
            return None
        if key not in self._manifests:
            self._manifests[key] = read_manifest(partition)
        return self._manifests[key]

    def sealed(self, partition: RunPartition) -> RunReceipt | None:
        """What the run was sealed with; None where it has no end yet."""
        key, manifest = (partition.run_date, partition.run_id), self.manifest(partition)
        if manifest is not None and key not in self._ended:
            receipt = RunWriter.of(partition.backend.root, manifest).receipt()
            if receipt is None or not receipt.ended:
                return None
            self._ended[key] = receipt
        return self._ended.get(key)


def require_whole(
    partition: RunPartition, manifest: RunManifest, sealed: RunReceipt, receipts: Mapping[int, BatchReceipt]
) -> None:
    """Raise :class:`IntegrityError` unless a sealed run has the commits with which it was sealed."""
    require_all_batches(partition, manifest, receipts)
    for table, rows in sealed.rows.items():
        counted = [receipt.rows.get(table) for receipt in receipts.values()]
        found = sum(filter(None, counted))
        if None not in counted and found != rows:
            raise _differs(partition, f"{rows} rows of {table}, its batches have {found}")
    if sealed.content_digest not in (None, content_digest(list(receipts.values()))):
        raise _differs(partition, "parts of other digests than its batches state")


def require_all_batches(partition: RunPartition, manifest: RunManifest, committed: Iterable[int]) -> None:
    """Raise :class:`IntegrityError` unless all batches of a sealed run, and no others, are ``committed``."""
    expected, found = {batch.index for batch in manifest.batches()}, set(committed)
    if lost := sorted(expected - found):
        raise _differs(partition, f"{len(expected)} batches, found no marker of {_named(lost)}")
    if strange := sorted(found - expected):
        raise _differs(partition, f"{len(expected)} batches, found markers of {_named(strange)}")


def _differs(partition: RunPartition, what: str) -> IntegrityError:
    root = partition.backend.root
    again = f"gnosis-ray runs repair {partition.run_id} --out {shlex.quote(str(root))}"
    return IntegrityError(
        f"Run {partition.run_id} in {root} is not what was sealed: Expected {what}. Mend it with: `{again}`",
        stage="ledger",
    )


def _named(batches: list[int]) -> str:
    more = f" and {len(batches) - _NAMED} more" if len(batches) > _NAMED else ""
    return ", ".join(map(batch_name, batches[:_NAMED])) + more
