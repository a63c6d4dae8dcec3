"""Whether two ledgers hold the same rows to the bit.

``python -m benchmarks.ledger_digest LEDGER`` prints a digest of each table of the last run in a ledger folder, over the
bytes of its part files. The table ``runs`` is left out: it alone holds clock readings and the run's name.
``python -m benchmarks.ledger_digest LEDGER OTHER`` compares two and exits with 1 where a table differs.

It reads files and knows no code of the project, so that it compares ledgers of different versions.
"""

from __future__ import annotations

import hashlib
import sys
from pathlib import Path

TABLES = ("snapshots", "suggestions", "trade_ideas", "details", "failures")


def digests(ledger: Path) -> dict[str, str]:
    """Table -> how many parts, and a hash over their names and bytes; raises FileNotFoundError without a run."""
    runs = sorted(folder.name for folder in ledger.glob("snapshots/*/run_id=*"))
    if not runs:
        raise FileNotFoundError(f"No run in {ledger}: expected snapshots/*/run_id=*")
    found = {}
    for table in TABLES:
        parts = sorted(ledger.glob(f"{table}/*/{runs[-1]}/*.parquet"), key=lambda part: part.name)
        digest = hashlib.sha256()
        for part in parts:
            digest.update(part.name.encode() + b"\0" + hashlib.sha256(part.read_bytes()).digest())
        found[table] = f"{len(parts)} parts {digest.hexdigest()}"
    return found


def main(arguments: list[str]) -> int:
    """Print the digests; 1 where two ledgers differ."""
    first, *others = [digests(Path(argument)) for argument in arguments]
    for table, digest in first.items():
        verdict = "".join(" same" if other[table] == digest else f" DIFFERS: {other[table]}" for other in others)
        print(f"{table:12} {digest}{verdict}")
    return int(any(other != first for other in others))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
