"""What earlier versions wrote: recorded once, never rewritten."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path

FORMAT_1 = Path(__file__).parents[1] / "fixtures" / "format_1"
SEALED = "20261201T150412810-9bdc"
CUT_OFF = "20261201T150309000-0c0f"

BATCHES = {SEALED: (0, 1), CUT_OFF: (0,)}
"""Run -> its committed batches."""

LEDGER_ROWS = {"snapshots": 4, "suggestions": 16, "trade_ideas": 3, "details": 1147, "failures": 0}
"""Of the sealed run."""

STORE_ROWS = {"chains": 92, "bars": 40, "trades": 5, "quotes": 5, "news": 3}


def ledger_of_format_1(folder: Path) -> Path:
    """A copy that a test may write to."""
    return Path(shutil.copytree(FORMAT_1 / "ledger", folder / "format-1-ledger"))


def store_of_format_1(folder: Path) -> Path:
    """A copy that a test may write to."""
    return Path(shutil.copytree(FORMAT_1 / "store", folder / "format-1-store"))


def files_of(folder: Path) -> dict[str, bytes]:
    """Every file below a folder, hidden ones too, by name."""
    found = sorted(path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in found}


def digest_of(folder: Path) -> str:
    """Sixteen hex digits over the names and bytes of all files."""
    digest = hashlib.sha256()
    for name, body in files_of(folder).items():
        digest.update(f"{name}\n{len(body)}\n".encode())
        digest.update(body)
    return digest.hexdigest()[:16]
