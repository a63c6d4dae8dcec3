"""The order in which the runs of a ledger were sealed: numbered files, so that no clock decides which run is the last.

``<root>/seals/00000012`` names the partition of the run that was sealed as the twelfth. Of several runs that are sealed
at the same time each gets a number of its own.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from gnosis_ray.storage.backend import StorageBackend

SEALS = "seals"

_NUMBER = re.compile(r"\d{8,}")


def add_seal(backend: StorageBackend, partition: str) -> None:
    """Give the partition (``run_date=.../run_id=...``) the next number; another one where it has one already."""
    number = 1 + max(map(int, _numbers(backend)), default=0)
    while not backend.put_if_absent(f"{SEALS}/{number:08d}", partition.encode()):
        number += 1


def last_sealed(backend: StorageBackend) -> Iterator[str]:
    """The partitions in the order of their seals, the last one first; read one by one."""
    for name in reversed(_numbers(backend)):
        yield backend.get(f"{SEALS}/{name}").decode(errors="replace")


def _numbers(backend: StorageBackend) -> list[str]:
    return sorted(filter(_NUMBER.fullmatch, backend.children(SEALS)), key=int)
