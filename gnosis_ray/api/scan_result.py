"""What a scan came to, as Polars frames."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import polars as pl

from gnosis_ray.api.explain import symbol_report
from gnosis_ray.charts.number_formats import plural
from gnosis_ray.config import as_of_text
from gnosis_ray.ledger.ledger_store import LedgerStore
from gnosis_ray.report.ranking import ideas_frame
from gnosis_ray.report.symbol_report import SymbolReport
from gnosis_ray.schemas.run_schemas import RunReceipt


@dataclass(frozen=True, eq=False, repr=False)
class ScanResult:
    """What a scan came to: its receipt, and its tables as Polars frames, read from the ledger when first used.

    Parameters
    ----------
    ledger
        The ledger that the run is in.
    receipt
        Counts, durations, degradations and failures of the run.

    Examples
    --------
    >>> import gnosis_ray as gr
    >>> result = gr.scan(symbols=["AAPL", "MSFT"], granularity="inline", out="ledger")
    >>> result.suggestions.height  # three agents and the composer, two symbols
    8
    >>> result.failures.is_empty()
    True
    """

    ledger: LedgerStore
    receipt: RunReceipt

    @property
    def run_id(self) -> str:
        """The name of the run in its ledger."""
        return self.receipt.run_id

    @cached_property
    def ideas(self) -> pl.DataFrame:
        """The trade ideas, best ``score`` first: figures in USD of the whole position, the trade in a line, the legs.

        See :func:`gnosis_ray.report.ranking.ideas_frame` for the columns.
        """
        return ideas_frame(self.ledger.read("trade_ideas", self.run_id), self.receipt)

    @cached_property
    def snapshots(self) -> pl.DataFrame:
        """One row per symbol, one column per feature, such as ``hedge__gamma_pressure``; null where absent."""
        return self.ledger.read("snapshots", self.run_id)

    @cached_property
    def suggestions(self) -> pl.DataFrame:
        """The stances of the agents and of the composer (``composite``), with their reasoning."""
        return self.ledger.read("suggestions", self.run_id)

    @cached_property
    def failures(self) -> pl.DataFrame:
        """The symbols without a result, and what could not be fetched: stage, error and message."""
        return self.ledger.read("failures", self.run_id)

    def explain(self, symbol: str) -> SymbolReport:
        """Explain what the run decided about a symbol, with every number behind it.

        Parameters
        ----------
        symbol
            In any spelling: ``BRK.B``, ``brk-b``.

        Returns
        -------
        SymbolReport
            Measurements, stances, the vote and the trades.

        Raises
        ------
        NoDataError
            Where the run has no result for the symbol; the message says why.
        """
        return symbol_report(self.ledger, self.run_id, symbol)

    def __repr__(self) -> str:
        """One line: what was asked, what came of it."""
        run = self.receipt
        label = "SYNTHETIC, " if run.synthetic else ""
        counts = f"{plural(run.symbols, 'symbol')}, {plural(run.ideas, 'idea')}, {plural(len(run.failures), 'failure')}"
        return f"<ScanResult {run.run_id}: {label}{run.provider} as of {as_of_text(run.as_of)}, {counts}>"
