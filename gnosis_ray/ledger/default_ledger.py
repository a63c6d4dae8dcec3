"""Where ledgers are when nobody says: made-up figures never lie among those of a market."""

from __future__ import annotations

from pathlib import Path

from gnosis_ray.errors import FormatError, IntegrityError, LedgerError
from gnosis_ray.ledger.ledger_store import LedgerStore
from gnosis_ray.ledger.run_finder import LATEST

LEDGER = Path("ledger")
"""Of runs on market data; relative to the working directory, as the other."""

SYNTHETIC_LEDGER = Path("ledger-synthetic")
"""Of runs on the synthetic market, or of a provider that says its data is made up."""


def ledger_to_write(*, synthetic: bool) -> Path:
    """The default ledger of a new run."""
    return SYNTHETIC_LEDGER if synthetic else LEDGER


def ledger_to_read(run: str = LATEST) -> Path:
    """The first default ledger that has ``run``: an id, the start of one, or ``latest``. Without one ``LEDGER``."""
    return next((folder for folder in (LEDGER, SYNTHETIC_LEDGER) if _has(folder, run)), LEDGER)


def _has(folder: Path, run: str) -> bool:
    try:
        LedgerStore(folder).manifest(run)
    except (FormatError, IntegrityError):
        return True  # of a newer version, or damaged: whoever reads it says so
    except LedgerError:
        return False
    return True
