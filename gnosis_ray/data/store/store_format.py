"""The format of a market store, in ``format.json`` at its root: ``{"format": 2}``, with a digest of its own.

The file is written once, before the first part of a new store. A store without it has format 1 and stays so: reading
and appending never change a store's format. A store that is still being copied into says ``"complete": false``.
"""

from __future__ import annotations

import json
from dataclasses import dataclass

from gnosis_ray.data.store.part_files import data_errors
from gnosis_ray.errors import ConfigError, DataError, IntegrityError
from gnosis_ray.market.datasets import STORE_DATASETS
from gnosis_ray.schemas.expectations import was
from gnosis_ray.schemas.formats import checked_format
from gnosis_ray.storage.backend import open_backend
from gnosis_ray.storage.digests import with_own_digest, without_own_digest
from gnosis_ray.storage.location import Location

STORE_FORMAT = 2
"""Of stores that this version creates. 1: no file states the format, and there is no kind ``features``."""

FORMAT_FILE = "format.json"

_EXPECTED = 'Expected {"format": NUMBER}'
_REPAIR = "Put the file back from a copy of the store; one that this version made has format 2"


@dataclass(frozen=True)
class StoreFormat:
    """What a store states about itself."""

    number: int
    complete: bool = True
    stated: bool = True
    """Whether there is a file; without one the format is 1, or the store is yet to be created."""


def read_format(root: Location) -> StoreFormat:
    """A store's format, complete or not.

    Raises :class:`FormatError` for a newer one, :class:`IntegrityError` where it is not what was written.
    """
    place = root / FORMAT_FILE
    try:
        with data_errors(root):
            body, _ = without_own_digest(open_backend(root).get(FORMAT_FILE), place)
        found = json.loads(body)
    except (FileNotFoundError, NotADirectoryError):
        return StoreFormat(1, stated=False)
    except ValueError as error:
        raise IntegrityError(f"{place}: {_EXPECTED}, was no JSON. {_REPAIR}", cause=type(error).__name__) from error
    if not isinstance(found, dict):
        raise IntegrityError(f"{place}: {_EXPECTED}, was {was(found)}. {_REPAIR}")
    number = checked_format(found.get("format"), STORE_FORMAT, f"The market store {root}", damaged=IntegrityError)
    return StoreFormat(number, complete=found.get("complete", True) is True)


def require_format(root: Location) -> StoreFormat:
    """A store's format. Raises as :func:`read_format`, and :class:`DataError` for an unfinished copy."""
    found = read_format(root)
    if not found.complete:
        raise DataError(f"The market store {root} is an unfinished copy: repeat `gnosis-ray data upgrade --to {root}`")
    return found


def state_format(root: Location) -> None:
    """Make sure that a store can be appended to; state the format of a new one. Raises as :func:`require_format`.

    Side effect: creates :data:`FORMAT_FILE` where there is neither it nor any part.
    """
    stated = require_format(root).stated
    if stated or holds_parts(root):
        with data_errors(root):
            open_backend(root).make_durable()  # who stated it may have died before the name was durable
        return
    _put_first(root, _body(complete=True))
    require_format(root)  # another process may have been first


def begin_copy(root: Location) -> None:
    """Mark an empty store as an unfinished copy, which readers refuse; one that is marked already stays so.

    Raises :class:`ConfigError` where there is a store already.
    """
    found = read_format(root)
    if (found.stated and found.complete) or (not found.stated and holds_parts(root)):
        raise ConfigError(f"Expected an empty place or an unfinished copy, was a market store in {root}")
    if not found.stated:
        _put_first(root, _body(complete=False))
    if read_format(root).complete:
        raise ConfigError(f"Another process has created a market store in {root} at the same time")


def seal_copy(root: Location) -> None:
    """Mark a copy as finished. Raises :class:`DataError` where an object store refuses."""
    with data_errors(root):
        open_backend(root).put(FORMAT_FILE, _body(complete=True))


def holds_parts(root: Location) -> bool:
    """Whether a store has a folder with anything of any kind."""
    with data_errors(root):
        return any(open_backend(root).children(kind) for kind in STORE_DATASETS)


def _put_first(root: Location, body: bytes) -> None:
    with data_errors(root):
        open_backend(root).put_if_absent(FORMAT_FILE, body)


def _body(*, complete: bool) -> bytes:
    stated = {"format": STORE_FORMAT} if complete else {"format": STORE_FORMAT, "complete": False}
    return with_own_digest(json.dumps(stated).encode())
