"""Opening one run's partition of a ledger, and finding those that a table has."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date

from gnosis_ray.ledger.in_bucket import BucketPartition
from gnosis_ray.ledger.in_folder import FolderPartition
from gnosis_ray.ledger.partition import RunPartition
from gnosis_ray.schemas.run_schemas import FORMAT_1_TABLES
from gnosis_ray.storage.backend import open_backend
from gnosis_ray.storage.folder import FolderBackend
from gnosis_ray.storage.location import Location

_RUN_DATE = re.compile(r"run_date=(\d{4}-\d\d-\d\d)")
_RUN_ID = re.compile(r"run_id=(.+)")


def open_partition(
    root: Location, run_date: date, run_id: str, tables: Sequence[str] = FORMAT_1_TABLES
) -> RunPartition:
    """One run's partition of the ledger under ``root``; nothing is read or written yet.

    ``tables``: those of the run's manifest; only who writes, finishes or deletes a batch needs them.
    """
    backend = open_backend(root)
    if isinstance(backend, FolderBackend):
        return FolderPartition(run_date, run_id, backend, tuple(tables))
    return BucketPartition(run_date, run_id, backend, tuple(tables))


def find_partitions(root: Location, table: str, file: str | None = None) -> list[RunPartition]:
    """The partitions of a table, by run date and run id; with ``file``, those that hold a file of this name."""
    children = open_backend(root).browse(table)
    return [
        open_partition(root, date.fromisoformat(run_date[1]), run_id[1])
        for run_date in filter(None, map(_RUN_DATE.fullmatch, children("")))
        for run_id in filter(None, map(_RUN_ID.fullmatch, children(run_date[0])))
        if file is None or file in children(f"{run_date[0]}/{run_id[0]}")
    ]
