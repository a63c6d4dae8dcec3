"""A small file in a ledger with unguessable content: whoever reads it sees the same storage as its writer."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager

from gnosis_ray.errors import ClusterError, GnosisError
from gnosis_ray.storage.backend import StorageBackend, open_backend
from gnosis_ray.storage.location import Location, locate

SHARED = "shared, writable"


@contextmanager
def storage_probe(place: Location) -> Iterator[tuple[str, str]]:
    """Write such a file in an existing folder or a bucket until the block ends; yields its name and content.

    Raises :class:`ClusterError` where it cannot be written.
    """
    name, content = f".preflight-{secrets.token_hex(8)}", secrets.token_hex(16)
    backend = open_backend(place)
    try:
        _write(backend, name, content)
    except (OSError, GnosisError) as error:
        raise ClusterError(f"Cannot write in the ledger {place}: {error}") from error
    try:
        yield name, content
    finally:
        backend.delete([name])


def check_shared(place: str, name: str, content: str) -> str:
    """Read a probe and write another file next to it: :data:`SHARED`, or the reason why that failed."""
    try:
        backend, reply = open_backend(locate(place)), f"{name}.{secrets.token_hex(8)}"
        if backend.get(name) != content.encode():
            return f"another {name} in {place}"
        _write(backend, reply, content)
        backend.delete([reply])
    except (OSError, GnosisError) as error:
        return f"{type(error).__name__} in {place}: {error}"
    return SHARED


def _write(backend: StorageBackend, name: str, content: str) -> None:
    if not backend.root_exists():
        raise FileNotFoundError(f"No folder {backend.root}")
    backend.put(name, content.encode())
