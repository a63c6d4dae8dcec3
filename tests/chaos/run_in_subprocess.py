"""Calls fault_runs.py in a process of its own, and what is expected of every run with faults."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.chaos.fault_runs import FAULT_PLANS
from tests.support.subprocess_helpers import called_apart


def run_in_subprocess(call: str, cwd: Path, **environment: str) -> dict[str, Any]:
    """The outcome of a call of ``tests.chaos.fault_runs`` in a process of its own."""
    return called_apart("tests.chaos.fault_runs", call, cwd, 500.0, **environment)


def assert_undisturbed_except_failing_symbols(after: dict[str, Any], name: str) -> None:
    """The ledger of a run with faults equals that of an undisturbed run; exactly its failing symbols failed."""
    plan = FAULT_PLANS[name][1]
    assert after["differences"] == []
    assert set(after["reasons"]) == plan.failing_symbols
    assert after["killed"] == [kind for kind, _ in plan.kills]
