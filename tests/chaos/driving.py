"""Calls the drive in a process of its own, and what is expected of any attacked run."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.chaos.drive import ATTACKS

CHECKOUT = Path(__file__).parents[2]


def drive(call: str, cwd: Path, **environment: str) -> dict[str, Any]:
    """Call the drive in a process of its own, as a console script would: the working folder is not on its path."""
    code = f"import sys; sys.path.append({str(CHECKOUT)!r}); from tests.chaos import drive; drive.{call}"
    seen = subprocess.run(
        [sys.executable, "-P", "-c", code],
        cwd=cwd,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        timeout=500,
        check=False,
    )
    assert seen.returncode == 0, seen.stderr[-3000:]
    outcome: dict[str, Any] = json.loads(seen.stdout)
    return outcome


def assert_undisturbed_but_for_the_culprits(after: dict[str, Any], name: str) -> None:
    """The ledger of an attacked run is the one of a run that nothing befell; its culprits, and they alone, failed."""
    attack = ATTACKS[name][1]
    assert after["differences"] == []
    assert set(after["reasons"]) == attack.culprits
    assert after["killed"] == [kind for kind, _ in attack.kills]
