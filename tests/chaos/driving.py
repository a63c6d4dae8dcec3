"""Calls the drive in a process of its own, and what is expected of any attacked run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.chaos.drive import ATTACKS
from tests.support.subprocess_helpers import called_apart


def drive(call: str, cwd: Path, **environment: str) -> dict[str, Any]:
    """Call the drive in a process of its own."""
    return called_apart("tests.chaos.drive", call, cwd, 500.0, **environment)


def assert_undisturbed_but_for_the_culprits(after: dict[str, Any], name: str) -> None:
    """The ledger of an attacked run is the one of a run that nothing befell; its culprits, and they alone, failed."""
    attack = ATTACKS[name][1]
    assert after["differences"] == []
    assert set(after["reasons"]) == attack.culprits
    assert after["killed"] == [kind for kind, _ in attack.kills]
