"""What was skipped, and whether it may be: ``python -m tests.support.skips FILE`` ends the gate.

A test that is always skipped tests nothing. ``pytest --skips FILE`` appends a line for each test skipped, so that the
gate can count over all its runs of pytest.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import pytest

ALLOWED = ("no recorded market data at ", "no right to mount ", "no right to become another user")
"""How the reasons begin for which a test may be skipped: the recorded data and the rights of root are on few machines.
"""


def note(file: Path, reports: Iterable[pytest.TestReport | pytest.CollectReport]) -> None:
    """Append a line for each skipped test or module: its name, a tab, the reason."""
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("a", encoding="utf-8") as opened:
        opened.writelines(f"{report.nodeid}\t{_reason(report)}\n" for report in reports)


def judge(lines: Iterable[str]) -> tuple[str, bool]:
    """The summary, and whether each reason is allowed. A module is noted by each process that would collect it."""
    skipped = [line.split("\t", 1) for line in dict.fromkeys(lines)]
    counts = Counter(reason for _, reason in skipped)
    said = [f"{count} for: {reason}" for reason, count in sorted(counts.items())]
    forbidden = [f"  {name}: {reason}" for name, reason in skipped if not reason.startswith(ALLOWED)]
    summary = [f"Skipped tests: {len(skipped)}" + "".join(f"; {one}" for one in said)]
    if forbidden:
        summary += [f"Not allowed ({len(forbidden)}), install what they need or run them elsewhere:", *forbidden]
    return "\n".join(summary), not forbidden


def _reason(report: pytest.TestReport | pytest.CollectReport) -> str:
    why = report.longrepr
    text = why[2] if isinstance(why, tuple) else str(why)
    return " ".join(text.removeprefix("Skipped: ").split())


def main(file: Path) -> int:
    """Print the summary; 1 where a skip is not allowed."""
    text, allowed = judge(file.read_text(encoding="utf-8").splitlines() if file.exists() else [])
    sys.stdout.write(f"{text}\n")
    return 0 if allowed else 1


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
