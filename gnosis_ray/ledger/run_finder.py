"""Finding the runs of a ledger: by id, by the start of one, the last one, all of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date

from gnosis_ray.errors import LedgerError, nearest_hint
from gnosis_ray.ledger.manifests import MANIFEST_FILE, MANIFESTS, lost_manifest, manifest_name
from gnosis_ray.ledger.partition import COMMITS, RunPartition, ledger_errors
from gnosis_ray.ledger.partitions import find_partitions
from gnosis_ray.ledger.run_writer import RECEIPT_FILE
from gnosis_ray.ledger.seals import last_sealed
from gnosis_ray.ledger.tables import RUNS_TABLE
from gnosis_ray.ledger.whole_runs import LIVE, WholeRuns
from gnosis_ray.storage.location import Location

LATEST = "latest"
"""Stands for the scan that was sealed last; where there is none, for the run that was, else that was begun last."""


class RunFinder:
    """The partitions of the runs in the ledger under ``root``, listed anew at each call."""

    def __init__(self, root: Location, whole: WholeRuns) -> None:
        self._root = root
        self._whole = whole

    def begun(self) -> list[RunPartition]:
        """The runs that have a manifest, the one that was begun last (by its id) last."""
        with ledger_errors(f"look for runs in {self._root}"):
            found = find_partitions(self._root, MANIFESTS, MANIFEST_FILE)
        return sorted(found, key=_by_id)

    def any(self) -> list[RunPartition]:
        """Those, and runs of which there are commits or a receipt alone."""
        begun = {one.label: one for one in self.begun()}
        with ledger_errors(f"look for runs in {self._root}"):
            found = [*find_partitions(self._root, COMMITS), *find_partitions(self._root, RUNS_TABLE, RECEIPT_FILE)]
        others = {one.label: one for one in found if one.run_id != LIVE}
        return sorted((others | begun).values(), key=_by_id)

    def readable(self, run_id: str | None) -> list[RunPartition]:
        """The partitions of one run, or of all runs and of records without one, by run date and run id."""
        if run_id not in (None, LIVE, LATEST):
            return [self.one(run_id)]
        begun = self.begun()
        if run_id == LATEST and begun:
            return [self._latest(begun)]
        with ledger_errors(f"look for runs in {self._root}"):
            live = [one for one in find_partitions(self._root, COMMITS) if one.run_id == LIVE]
        if run_id is not None and not live:
            self._resolve(run_id, begun)
        runs = self.any() if run_id is None else []
        return sorted([*runs, *live], key=lambda partition: (partition.run_date, partition.run_id))

    def one(self, run_id: str, *, damaged: bool = False) -> RunPartition:
        """The run meant. Raises :class:`LedgerError` for an unknown one, naming those that come nearest.

        One without a manifest is an :class:`IntegrityError`, unless it may be ``damaged``.
        """
        begun = self.begun()
        if run_id == LATEST and begun:
            return self._latest(begun)
        if run_id not in [run.run_id for run in begun]:
            lost = next((one for one in self.any() if one.run_id == run_id), None)
            begun_meanwhile = lost is not None and lost.backend.exists(manifest_name(lost))
            if lost is not None and not damaged and not begun_meanwhile:
                raise lost_manifest(lost)
            if lost is not None:
                return lost
        return self._resolve(run_id, begun)

    def to_resume(self, run_id: str) -> RunPartition:
        """As :meth:`one`, but ``latest`` is the run without an end that was begun last, where there is one."""
        if run_id == LATEST:
            without_end = (one for one in reversed(self.begun()) if not self._whole.sealed(one))
            return next(without_end, None) or self.one(run_id)
        return self.one(run_id)

    def _latest(self, runs: Sequence[RunPartition]) -> RunPartition:
        """Of the runs that were begun the one that ``latest`` stands for."""
        found = None
        for run in self._last_sealed_first(runs):
            if self._whole.sealed(run) is None:
                continue
            manifest = self._whole.manifest(run)
            if manifest is not None and manifest.kind == "scan":
                return run
            found = found or run
        return found or runs[-1]

    def _last_sealed_first(self, runs: Sequence[RunPartition]) -> Iterator[RunPartition]:
        """The runs by their seals, each once, then those without one: sealed by older versions, or not at all."""
        unseen = {run.label: run for run in runs}
        with ledger_errors(f"read the seals of {self._root}"):
            for label in last_sealed(runs[0].backend):
                if label in unseen:
                    yield unseen.pop(label)
        yield from reversed(unseen.values())

    def _resolve(self, wanted: str, runs: Sequence[RunPartition]) -> RunPartition:
        """The run meant, by its id or the start of it; ``runs`` in the order in which they were begun."""
        if not runs:
            none = f"No run '{wanted}': there is no run in {self._root}"
            raise LedgerError(f"{none}. Start one with `gnosis-ray scan --out DIR`")
        named = [run for run in runs if run.run_id == wanted]
        fitting = named or [run for run in runs if wanted and run.run_id.startswith(wanted)]
        names = [run.run_id for run in fitting]
        if len(fitting) == 1:
            return fitting[0]
        if fitting:
            raise LedgerError(f"'{wanted}' fits several runs in {self._root}: {', '.join(names[-5:])}")
        known = [run.run_id for run in reversed(runs)]
        raise LedgerError(f"Unknown run '{wanted}' in {self._root}. {nearest_hint(wanted, known)}")


def _by_id(partition: RunPartition) -> tuple[str, date]:
    """In the order in which runs were begun, as far as their clocks were right."""
    return partition.run_id, partition.run_date
