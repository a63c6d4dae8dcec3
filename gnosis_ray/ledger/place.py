"""From where a ledger lies to what it can do there."""

from __future__ import annotations

from pathlib import Path

from gnosis_ray.ledger.in_bucket import BucketPlace
from gnosis_ray.ledger.in_folder import FolderPlace
from gnosis_ray.ledger.partition import Place
from gnosis_ray.storage.location import Location


def open_place(root: Location) -> Place:
    """The place of a ledger; nothing is read or written yet."""
    return FolderPlace(root) if isinstance(root, Path) else BucketPlace(root)
