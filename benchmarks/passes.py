"""Passes over the universe as a scan makes them, into ledgers of their own."""

from __future__ import annotations

import tempfile
import time
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from benchmarks.market import Market
from gnosis_ray.app.features import feature_specs
from gnosis_ray.app.jobs.scan import ScanJob
from gnosis_ray.fanout import Fanout
from gnosis_ray.ledger.ledger_store import LedgerStore
from gnosis_ray.runs.kinds import SCAN
from gnosis_ray.schemas.run_schemas import MANIFEST_FORMAT, Batch, BatchReceipt, RunManifest


@dataclass(frozen=True)
class Passes:
    """``elapsed``: wall seconds a pass; ``worked``: seconds a pass inside batches, summed over hosts."""

    elapsed: float
    worked: float
    batches: int
    stages: dict[str, float]


def one_pass(market: Market, fanout: Fanout, scratch: Path) -> None:
    """The universe once: sources opened, engines, agents, ledger."""
    job, manifest = job_of(market, scratch)
    fanout.run(job, manifest.batches(), lambda _receipt: None)


def warm_passes(market: Market, fanout: Fanout, scratch: Path, passes: int) -> Passes:
    """The universe ``passes`` times over, in one go on the same hosts, after a pass that warms them up.

    The clock starts with the last receipt of the warming pass and stops with the last of all.
    """
    job, manifest = job_of(market, scratch)
    once = manifest.batches()
    many = [
        Batch(index=batch.index + turn * len(once), symbols=batch.symbols)
        for turn in range(passes + 1)
        for batch in once
    ]
    heard: list[tuple[float, BatchReceipt]] = []
    fanout.run(job, many, lambda receipt: heard.append((time.perf_counter(), receipt)))
    warm = heard[len(once) :]
    stages: dict[str, float] = {}
    for _, receipt in warm:
        for stage, seconds in receipt.seconds.items():
            stages[stage] = stages.get(stage, 0.0) + seconds / passes
    return Passes(
        elapsed=(heard[-1][0] - heard[len(once) - 1][0]) / passes,
        worked=sum(stages.values()),
        batches=len(once),
        stages=stages,
    )


def job_of(market: Market, scratch: Path) -> tuple[ScanJob, RunManifest]:
    """A scan of the market's universe into a new ledger below ``scratch``, begun."""
    scratch.mkdir(parents=True, exist_ok=True)
    store = LedgerStore(Path(tempfile.mkdtemp(dir=scratch)), feature_specs(market.config))
    manifest = RunManifest(
        format=MANIFEST_FORMAT,
        tables=SCAN.table_names,
        run_id="benchmark",
        run_date=market.as_of.date(),
        as_of=market.as_of,
        provider="store",
        synthetic=False,
        universe="sp500",
        symbols=market.symbols,
        batch_size=market.config.run.batch_size,
        config_hash=market.config.decision_hash(),
        config_json=market.config.model_dump_json(),
        version=version("gnosis-ray"),
    )
    return ScanJob(market.config, market.calendar, store.begin(manifest)), manifest
