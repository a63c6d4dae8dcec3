"""A small file in a ledger with unguessable content: whoever reads it sees the same storage as its writer."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from gnosis_ray.errors import ClusterError, GnosisError
from gnosis_ray.storage.location import Location, locate
from gnosis_ray.storage.object_store import BucketBackend

SHARED = "shared, writable"


@contextmanager
def storage_probe(place: Location) -> Iterator[tuple[str, str]]:
    """Write such a file in an existing folder or a bucket until the block ends; yields its name and content.

    Raises :class:`ClusterError` where it cannot be written.
    """
    name, content = f".preflight-{secrets.token_hex(8)}", secrets.token_hex(16)
    try:
        _write(place, name, content)
    except (OSError, GnosisError) as error:
        raise ClusterError(f"Cannot write in the ledger {place}: {error}") from error
    try:
        yield name, content
    finally:
        _remove(place, name)


def check_shared(place: str, name: str, content: str) -> str:
    """Read a probe and write another file next to it: :data:`SHARED`, or the reason why that failed."""
    try:
        location, reply = locate(place), f"{name}.{secrets.token_hex(8)}"
        if _read(location, name) != content:
            return f"another {name} in {place}"
        _write(location, reply, content)
        _remove(location, reply)
    except (OSError, GnosisError) as error:
        return f"{type(error).__name__} in {place}: {error}"
    return SHARED


def _write(place: Location, name: str, content: str) -> None:
    if isinstance(place, Path):
        (place / name).write_text(content, encoding="ascii")
    else:
        BucketBackend(place).put(name, content.encode())


def _read(place: Location, name: str) -> str:
    body = (place / name).read_bytes() if isinstance(place, Path) else BucketBackend(place).get(name)
    return body.decode(errors="replace")


def _remove(place: Location, name: str) -> None:
    if isinstance(place, Path):
        (place / name).unlink(missing_ok=True)
    else:
        BucketBackend(place).delete([name])
