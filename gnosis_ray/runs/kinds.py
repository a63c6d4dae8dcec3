"""The kinds of runs, as data: which tables a batch of each writes, and what it is counted by."""

from __future__ import annotations

from dataclasses import dataclass

from gnosis_ray.ledger.tables import BACKFILL_TABLES, SCAN_TABLES, LedgerTable


@dataclass(frozen=True)
class RunKind:
    """A kind of run. What a batch of it does is a pure job beside it (:mod:`gnosis_ray.app.jobs`); there is no base
    class and no hook: a new kind is one more of these and one more job."""

    name: str
    tables: tuple[LedgerTable, ...]
    """In which every batch has a part, if only an empty one."""
    unit: str
    """What a batch is, in the plural, as a plan shows it."""
    counted_by: str
    """The table whose rows are what the run is for: a run without any has found no data."""

    @property
    def table_names(self) -> tuple[str, ...]:
        """The names of the tables, as a manifest keeps them."""
        return tuple(table.name for table in self.tables)


SCAN = RunKind("scan", SCAN_TABLES, "symbols", "snapshots")

BACKFILL = RunKind("backfill", BACKFILL_TABLES, "symbols at moments", "features")

RUN_KINDS: dict[str, RunKind] = {kind.name: kind for kind in (SCAN, BACKFILL)}
"""Every kind, by name."""
