"""Asks one vendor for each bomb, in a process of its own: ``python -m tests.hostile.bomb_child VENDOR URL FOLDER``.

Prints a line of JSON a bomb: what came of it, the seconds, and by how many MiB its memory grew at most (Linux).
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

from gnosis_ray.clock import SystemTime, monotonic_seconds
from gnosis_ray.config import load_config
from tests.hostile.vendors import BOMBS, failure_of, gateway_to, keys_of_all

_STATUS = re.compile(r"VmHWM:\s+(\d+) kB")


def _peak_mib() -> float:
    """The most memory since the last reset; ``ru_maxrss`` would be that of the process that started this one too."""
    found = _STATUS.search(Path("/proc/self/status").read_text())
    assert found, "Expected VmHWM in /proc/self/status"
    return int(found[1]) / 1024


def _reset_peak() -> None:
    Path("/proc/self/clear_refs").write_text("5")


def main(vendor: str, url: str, folder: Path) -> None:
    """Ask; the first request, for nothing, loads the client."""
    config = load_config().config
    quick = {"requests_per_minute": 6000.0}
    with keys_of_all():
        for number, bomb in enumerate([None, *BOMBS]):
            at = f"{url}/{number - 1}"
            gateway = gateway_to(at, config, folder / str(number), SystemTime(), vendor=quick, gateway={"attempts": 1})
            _reset_peak()
            before, began = _peak_mib(), monotonic_seconds()
            failure = failure_of(gateway, vendor)
            took, grown = monotonic_seconds() - began, _peak_mib() - before
            if bomb:
                line = {"bomb": bomb, "message": failure.message, "seconds": round(took, 2), "grown_mib": round(grown)}
                sys.stdout.write(json.dumps(line) + "\n")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], Path(sys.argv[3]))
