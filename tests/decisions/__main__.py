"""``python -m tests.decisions``: print which decisions changed, and pin those of now."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from tests.decisions.pinned_day import PINS, decided, differences, pin, pinned


def main() -> int:
    """Re-pin; the exit code is 0."""
    with tempfile.TemporaryDirectory(prefix="gnosis-ray-decisions-") as folder:
        day = decided(Path(folder))
    changed = differences(pinned() if PINS.exists() else {}, day)
    sys.stdout.write("\n".join([*changed, f"{max(len(changed) - 1, 0)} decisions changed; pinned in {PINS}", ""]))
    pin(day)
    return 0


if __name__ == "__main__":
    sys.exit(main())
