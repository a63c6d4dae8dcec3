"""Which ledger a verb reads."""

from __future__ import annotations

from gnosis_ray.cli.console import stderr
from gnosis_ray.ledger.default_ledger import ledger_to_read
from gnosis_ray.ledger.run_finder import LATEST
from gnosis_ray.storage.location import Location


def ledger_named_or_found(out: Location | None, run: str = LATEST) -> Location:
    """``--out``; without it the default ledger that has the run, which is printed to stderr."""
    if out is not None:
        return out
    found = ledger_to_read(run)
    stderr.print(f"Reading ./{found}", style="dim")
    return found
