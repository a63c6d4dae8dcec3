"""Whether the parts of a store are what was written: each read whole and hashed."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from gnosis_ray.data.store.catalog import Catalog
from gnosis_ray.data.store.part_files import (
    Part,
    content_hash,
    content_hash_of,
    file_digest_of,
    list_parts,
    read_index,
    read_part,
)
from gnosis_ray.errors import IntegrityError
from gnosis_ray.market.datasets import STORE_DATASETS, Dataset
from gnosis_ray.schemas.core_schemas import StoreKind
from gnosis_ray.storage.location import Location

OnPart = Callable[[str, int, int], None]
"""Called with the kind and partition, the parts that were read and those in all."""


def damaged_parts(root: Location, kinds: Sequence[StoreKind], on_part: OnPart) -> list[IntegrityError]:
    """What is wrong with the files of a store, one error a part; empty where all are as they were written.

    The bytes of a part are compared with the digest in its name; parts of older versions, which have none there, by
    the hash of their rows. Changes nothing. Raises :class:`NoDataError` where there is no store and
    :class:`ResourceError` where there is no way to it.
    """
    Catalog(root).require_some()
    parts = [(STORE_DATASETS[kind], part) for kind in kinds for part in list_parts(root, STORE_DATASETS[kind])]
    found = []
    for done, (data, part) in enumerate(parts):
        on_part(f"{data.kind} {part.period}", done, len(parts))
        try:
            _require_intact(data, part)
        except IntegrityError as error:
            found.append(error)
    return found


def _require_intact(data: Dataset, part: Part) -> None:
    rows = read_part(part)
    read_index(data, part)
    if file_digest_of(part.path.name) is None and content_hash(rows) != content_hash_of(part.path.name):
        raise IntegrityError(f"{part.path} is not what was written: its rows have another hash than its name")
