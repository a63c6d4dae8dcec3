"""A writer in a process of its own, killed at its n-th change: ``python -m tests.ledger.drive s3://... N``."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from typing import Any

from gnosis_ray.storage.object_store import BucketBackend
from tests.ledger.samples import manifest, store, write


def main(root: str, last: int) -> None:
    """Write the first batch of the run that was begun there, and die on the way."""
    writer = store(root).resume("latest")
    calls = 0

    def deadly(real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:
            nonlocal calls
            calls += 1
            if calls == last:
                os.kill(os.getpid(), signal.SIGKILL)
            return real(*args, **kwargs)

        return call

    for name in ("put", "put_if_absent", "copy", "delete"):
        setattr(BucketBackend, name, deadly(getattr(BucketBackend, name)))
    write(writer, manifest().batches()[0], energy=1.0)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
