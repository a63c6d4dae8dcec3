"""The flow of a run, whatever front end drives it and whatever kind it is."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import FrozenInstanceError, replace
from pathlib import Path

import pytest

from gnosis_ray.api.cluster_options import ClusterOptions
from gnosis_ray.api.observer import Level, SilentObserver, Step
from gnosis_ray.api.recipes import SCAN_RUN
from gnosis_ray.api.run_flow import PreparedRun, prepare, prepare_resumed
from gnosis_ray.app.worker_config import resolved_for_workers
from gnosis_ray.config import Config, load_config
from gnosis_ray.errors import ConfigError
from gnosis_ray.ledger.ledger_store import LedgerStore
from gnosis_ray.runs.kinds import BACKFILL

NOBODY = ClusterOptions(None)
OUT = Path("ledger")


class Listener:
    """Remembers what a run reports."""

    def __init__(self) -> None:
        self.lines: list[tuple[Level, str]] = []
        self.steps: list[tuple[str, int, int]] = []

    def message(self, text: str, level: Level = "info") -> None:
        self.lines.append((level, text))

    @contextmanager
    def progress(self, title: str, total: int) -> Iterator[Step]:
        yield lambda _text, done, total: self.steps.append((title, done, total))


def settings(batch_size: int = 2) -> Config:
    flags = {"run.granularity": "inline", "run.batch_size": batch_size}
    return resolved_for_workers(load_config(flags=flags).config)


def prepared(listener: Listener) -> PreparedRun:
    return prepare(SCAN_RUN, "AAA,BBB,CCC", settings(), OUT, NOBODY, listener)


def test_preparing_fixes_everything_and_writes_nothing(tmp_path: Path) -> None:
    listener = Listener()
    run = prepared(listener)
    assert run.manifest.symbols == ("AAA", "BBB", "CCC")
    assert [batch.symbols for batch in run.manifest.batches()] == [("AAA", "BBB"), ("CCC",)]
    assert listener.lines == [("note", "list: 3 symbols, given as a list")]
    assert list(tmp_path.iterdir()) == []


def test_the_plan_is_of_the_prepared_run_and_cannot_be_changed() -> None:
    run = prepared(Listener())
    plan = run.plan(SilentObserver())
    assert (plan.kind, plan.symbols, plan.batches) == ("scan", run.manifest.symbols, len(run.manifest.batches()))
    with pytest.raises(FrozenInstanceError):
        plan.batches = 3  # type: ignore[misc]


def test_progress_counts_batches_and_the_last_is_the_total() -> None:
    listener = Listener()
    receipt = prepared(listener).execute(listener)
    assert receipt.status == "done"
    assert listener.steps == [("scan", 0, 2), ("scan", 1, 2), ("scan", 2, 2)]


def test_the_seal_waits_for_what_a_kind_does_before_it() -> None:
    run, seen = prepared(Listener()), list[object]()
    recipe = replace(SCAN_RUN, before_seal=lambda own, writer: seen.append((own.manifest, writer.receipt())))
    receipt = replace(run, recipe=recipe).execute(SilentObserver())
    assert seen == [(run.manifest, None)]
    assert run.store.receipt(receipt.run_id) == receipt


def test_a_sealed_run_is_left_as_it_is_by_a_resume() -> None:
    receipt = prepared(Listener()).execute(SilentObserver())
    again = prepare_resumed(SCAN_RUN, receipt.run_id, settings(batch_size=7), OUT, NOBODY)
    assert again.manifest.batch_size == 2
    assert again.execute(SilentObserver()) == receipt


def test_a_run_is_resumed_as_what_it_is() -> None:
    receipt = prepared(Listener()).execute(SilentObserver())
    other = replace(SCAN_RUN, kind=BACKFILL)
    with pytest.raises(ConfigError, match=f"Run {receipt.run_id} is of the kind scan, not backfill"):
        prepare_resumed(other, receipt.run_id, settings(), OUT, NOBODY)


def test_a_store_that_was_moved_is_read_where_it_is_now(tmp_path: Path) -> None:
    run_id = prepared(Listener()).execute(SilentObserver()).run_id
    today = settings().replaced(data={"dir": tmp_path / "moved"})
    kept = prepare_resumed(SCAN_RUN, run_id, today, OUT, NOBODY)
    moved = prepare_resumed(SCAN_RUN, run_id, today, OUT, NOBODY, store_moved=True)
    assert moved.config.data.dir == today.data.dir
    assert kept.config.data.dir == Config.model_validate_json(LedgerStore(OUT).manifest(run_id).config_json).data.dir
