"""A market store on an object store: what lies there, the footers of its parts, and a part put there whole.

Parts are immutable and named by their content, so a store that is copied there part by part is a store at each moment.
"""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO

from gnosis_ray.errors import DataError
from gnosis_ray.storage.location import S3Url
from gnosis_ray.storage.object_store import BucketBackend, ObjectStoreError

TAIL_BYTES = 512 * 1024
"""Fetched of a part at first: the footers of a few hundred symbols fit."""

_PARQUET_END = 8
"""The footer's length and the magic number."""


def list_names(folder: S3Url) -> list[tuple[str, str]]:
    """``(partition, file)`` of everything in a dataset's folder, in path order."""
    found = (name.partition("/") for name in BucketBackend(folder).names(""))
    return [(partition, file) for partition, _, file in found if file]


def sizes(folder: S3Url) -> dict[S3Url, int]:
    """The bytes of every object of a dataset's folder."""
    return {folder / name: size for name, size in BucketBackend(folder).sizes("").items()}


def footer(part: S3Url) -> BytesIO:
    """The end of a part, with its whole footer: Parquet readers look no further for a schema or metadata.

    Raises :class:`OSError` where it cannot be read.
    """
    objects = BucketBackend(part.parent)
    tail = objects.tail(part.name, TAIL_BYTES)
    needed = int.from_bytes(tail[-_PARQUET_END:-4], "little") + _PARQUET_END
    return BytesIO(tail if needed <= len(tail) else objects.tail(part.name, needed))


def put_once(part: S3Url, content: Callable[[], bytes]) -> bool:
    """Write a part in one request; False where it is there already, its content not asked for.

    Raises :class:`DataError` where the object store refuses.
    """
    objects = BucketBackend(part.parent)
    try:
        if objects.exists(part.name):
            return False
        objects.put(part.name, content())
    except ObjectStoreError as error:
        raise DataError(str(error), cause=type(error).__name__) from error
    return True
