"""The kinds of runs as the flow needs them."""

from __future__ import annotations

from gnosis_ray.api.history import publish, with_history
from gnosis_ray.api.run_flow import PreparedRun, RunRecipe
from gnosis_ray.app.jobs.scan import ScanJob, failed_fetches, roles_of
from gnosis_ray.config import Config
from gnosis_ray.ledger.run_writer import RunWriter
from gnosis_ray.runs.kinds import SCAN


def _scan_job(run: PreparedRun, writer: RunWriter) -> ScanJob:
    return ScanJob(run.config, run.calendar, writer, failed_fetches(run.manifest))


def _scan_parts(config: Config) -> int:
    return len(roles_of(config))


SCAN_RUN = RunRecipe(SCAN, _scan_job, _scan_parts, with_history, publish("snapshots"))
"""A pass over a universe at one moment; what its engines measured joins the history of features."""
