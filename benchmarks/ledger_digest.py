"""Whether two ledgers hold the same rows to the bit.

``python -m benchmarks.ledger_digest LEDGER`` prints a digest of each table of the last run in a ledger folder, over the
values of its part files in their order. The table ``runs`` is left out: it alone holds clock readings and the run's
name. ``python -m benchmarks.ledger_digest LEDGER BEFORE`` compares it with an earlier one and exits with 1 where a
column that the earlier one has differs; columns and tables that were added are named.

It knows no code of the project, so that it compares ledgers of different versions.
"""

from __future__ import annotations

import hashlib
import io
import sys
from pathlib import Path

import polars as pl

NOT_COMPARED = frozenset({"runs", "manifests", "commits"})


def tables(ledger: Path) -> dict[str, pl.DataFrame]:
    """Table -> the rows of the last run, batch by batch; raises FileNotFoundError without a run."""
    runs = sorted(folder.name for folder in ledger.glob("snapshots/*/run_id=*"))
    if not runs:
        raise FileNotFoundError(f"No run in {ledger}: expected snapshots/*/run_id=*")
    found = {}
    for folder in sorted(path.name for path in ledger.iterdir() if path.is_dir() and path.name not in NOT_COMPARED):
        parts = sorted(ledger.glob(f"{folder}/*/{runs[-1]}/*.parquet"), key=lambda part: part.name)
        frames = [
            pl.read_parquet(part, hive_partitioning=False, glob=False).with_columns(part=pl.lit(part.name))
            for part in parts
        ]
        found[folder] = pl.concat(frames, how="diagonal") if frames else pl.DataFrame()
    return found


def digest(frame: pl.DataFrame) -> str:
    """Sixteen hex digits over names, types and values of the columns, and how many rows there are."""
    buffer = io.BytesIO()
    frame.rechunk().write_ipc(buffer, compression="uncompressed")
    return f"{frame.height:7} rows {hashlib.sha256(buffer.getvalue()).hexdigest()[:16]}"


def compared(now: pl.DataFrame, before: pl.DataFrame) -> str:
    """What became of the columns that there were before."""
    if missing := set(before.columns) - set(now.columns):
        return f"LOST {', '.join(sorted(missing))}"
    if digest(now.select(before.columns)) != digest(before):
        return "DIFFERS"
    added = [name for name in now.columns if name not in before.columns]
    return f"same, and {', '.join(added)}" if added else "same"


def main(arguments: list[str]) -> int:
    """Print the digests; 1 where the second ledger's rows are not those of the first."""
    now, *others = [tables(Path(argument)) for argument in arguments]
    before = others[0] if others else {}
    verdicts = {name: compared(now.get(name, pl.DataFrame()), frame) for name, frame in before.items()}
    for name, frame in now.items():
        verdict = verdicts.get(name, "added" if others else "")
        print(f"{name:12} {digest(frame)} {verdict}")
    return int(any(not verdict.startswith("same") for verdict in verdicts.values()))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
