"""What was written is what is read: digests of files, and JSON documents that carry their own.

SHA-256 in hexadecimal digits. A digest shows a flipped bit, a torn or exchanged file; it is no protection against who
may write here, who can write a digest too.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from pathlib import Path

from gnosis_ray.errors import IntegrityError
from gnosis_ray.storage.disk import OS_DISK, Disk
from gnosis_ray.storage.location import Location

_OWN_DIGEST = re.compile(rb',"sha256":"([0-9a-f]{64})"}\n\Z')

_FileKey = tuple[str, str, int, int, int]
"""Path, digest, size, time of change and inode."""

_unchanged: set[_FileKey] = set()
"""The files that this process has compared."""


def digest_of(body: bytes) -> str:
    """The digest of a file's content."""
    return hashlib.sha256(body).hexdigest()


def require_digest(body: bytes, expected: str, place: Location) -> None:
    """Raise :class:`IntegrityError`, naming ``place``, where its content is not what was written.

    ``expected``: the digest at the time of writing, or its beginning.
    """
    found = digest_of(body)
    if not found.startswith(expected):
        raise _changed(place, expected, found)


def require_file_digests(files: Sequence[tuple[Path, str]], disk: Disk = OS_DISK) -> None:
    """As :func:`require_digest`, of files, each of which this process reads for it once, unless it changes.

    Raises :class:`OSError` where one cannot be read.
    """
    keys = [(str(path), expected, *disk.version(path)) for path, expected in files]
    new = [(key, path) for key, (path, _) in zip(keys, files, strict=True) if key not in _unchanged]
    if new:
        disk.map_waiting(lambda one: _compare(disk, *one), new)  # hashing releases the interpreter's lock


def forget_files() -> None:
    """Compare every file anew, as a new process does."""
    _unchanged.clear()


def _compare(disk: Disk, key: _FileKey, path: Path) -> None:
    found = disk.digest(path)
    if not found.startswith(key[1]):
        raise _changed(path, key[1], found)
    _unchanged.add(key)


def with_own_digest(document: bytes) -> bytes:
    """A JSON object with one more field at its end: ``sha256``, the digest of all that stands before it."""
    head = document.rstrip().removesuffix(b"}").rstrip()
    return head + b',"sha256":"' + digest_of(head).encode() + b'"}\n'


def without_own_digest(document: bytes, place: Location) -> tuple[bytes, bool]:
    """A JSON object without that field, and whether it had one: those of older versions have none.

    Raises :class:`IntegrityError`, naming ``place``, where the object is not what was written.
    """
    found = _OWN_DIGEST.search(document)
    if found is None:
        return document, False
    head = document[: found.start()]
    require_digest(head, found[1].decode(), place)
    return head + b"}", True


def _changed(place: Location, expected: str, found: str) -> IntegrityError:
    return IntegrityError(f"{place} is not what was written: Expected SHA-256 {expected[:16]}..., was {found[:16]}...")
