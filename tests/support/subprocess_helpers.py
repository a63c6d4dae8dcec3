"""Calls in processes of their own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

CHECKOUT = Path(__file__).parents[2]


def called_apart(module: str, call: str, cwd: Path, timeout: float, **environment: str) -> dict[str, Any]:
    """What ``call`` of a module prints as JSON, called as by a console script: ``cwd`` is not on its path."""
    code = f"import sys; sys.path.append({str(CHECKOUT)!r}); import {module} as called; called.{call}"
    seen = subprocess.run(
        [sys.executable, "-P", "-c", code],
        cwd=cwd,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )
    assert seen.returncode == 0, seen.stderr[-3000:]
    outcome: dict[str, Any] = json.loads(seen.stdout)
    return outcome
