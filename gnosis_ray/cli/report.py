"""Tables of a run: its title, degradations, failures."""

from __future__ import annotations

import polars as pl

from gnosis_ray.charts.number_formats import plural
from gnosis_ray.config import as_of_text
from gnosis_ray.ledger.tables import FAILURES
from gnosis_ray.schemas.run_schemas import RunReceipt


def title_of(receipt: RunReceipt, what: str) -> str:
    """A title that labels synthetic figures as such."""
    label = "SYNTHETIC market, not real prices: " if receipt.synthetic else ""
    asked = plural(receipt.symbols, "symbol") if receipt.universe == "list" else receipt.universe
    return f"{label}{what} of {asked} as of {as_of_text(receipt.as_of)}"


def degraded_frame(receipt: RunReceipt) -> pl.DataFrame:
    """Reasons, how many symbols each, and which."""
    rows = [(reason, len(symbols), list(symbols)) for reason, symbols in receipt.degraded.items()]
    frame = pl.DataFrame(rows, schema=["reason", "count", "symbols"], orient="row")
    return frame.cast({"symbols": pl.List(pl.String)}).sort(["count", "reason"], descending=[True, False])


def failures_frame(receipt: RunReceipt) -> pl.DataFrame:
    """Symbols without a result, and why."""
    return pl.DataFrame([failure.model_dump() for failure in receipt.failures], schema=FAILURES)
