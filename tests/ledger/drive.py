"""A writer in a process of its own, killed at its n-th change: ``python -m tests.ledger.drive s3://... N``."""

from __future__ import annotations

import os
import signal
import sys

from gnosis_ray.storage.backend import mount_store
from tests.ledger.samples import manifest, store, write
from tests.support.object_stores import BUCKET, WatchedStore


def main(root: str, last: int) -> None:
    """Write the first batch of the run that was begun there, and die on the way."""
    calls = 0

    def count(*_: str) -> None:
        nonlocal calls
        calls += 1
        if calls == last:
            os.kill(os.getpid(), signal.SIGKILL)

    writer = store(root).resume("latest")
    with mount_store(BUCKET, WatchedStore(BUCKET, count)):
        write(writer, manifest().batches()[0], energy=1.0)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
