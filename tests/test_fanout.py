"""The Supervisor by example, and the fan-out in this process."""

from __future__ import annotations

from pathlib import Path

import pytest

from gnosis_ray.errors import LedgerError, NoDataError, StageError
from gnosis_ray.fanout import InlineFanout, Supervisor, reason_of
from gnosis_ray.schemas.run_schemas import Batch, BatchReceipt
from tests.actors.toys import ToyJob, batches


def supervisor(count: int, *, window: int = 2, limit: int = 2) -> Supervisor:
    return Supervisor(batches(count), window=window, max_attempts=limit, timeout_s=10.0)


def receipt(index: int) -> BatchReceipt:
    return BatchReceipt(batch=index, attempt=1, snapshots=1, ideas=0)


def test_every_idle_host_gets_work_before_any_gets_a_second_batch() -> None:
    run = supervisor(3)
    run.on_host_ready(1)
    run.on_host_ready(2)
    assert [(a.host, a.batch.index, a.attempt) for a in run.next_assignments()] == [(1, 0, 1), (2, 1, 1), (1, 2, 1)]
    assert run.next_assignments() == []


def test_only_the_batch_at_work_is_blamed_for_the_loss_of_its_host() -> None:
    run = supervisor(2, limit=1)
    run.on_host_ready(1)
    run.next_assignments()
    assert run.on_host_lost(1, "killed") == (0, 1)
    run.on_host_ready(2)
    assert [(a.batch.index, a.attempt, a.give_up) for a in run.next_assignments()] == [(1, 2, None), (0, 2, "killed")]
    assert run.requeued == 2


def test_a_batch_that_fails_goes_behind_those_that_did_not() -> None:
    run = supervisor(3, window=1)
    run.on_host_ready(1)
    run.next_assignments()
    run.on_batch_failed(1, 0, "raised")
    order = []
    while not run.done:
        for assignment in run.next_assignments():
            order.append(assignment.batch.index)
            assert run.on_done(1, assignment.batch.index, receipt(assignment.batch.index))
    assert order == [1, 2, 0]


def test_a_lost_host_is_not_believed() -> None:
    run = supervisor(1)
    run.on_host_ready(1)
    run.next_assignments()
    run.on_host_lost(1, "silent")
    assert not run.on_done(1, 0, receipt(0))
    assert not run.done


def test_a_waiting_batch_is_not_timed() -> None:
    run = supervisor(2)
    run.on_host_ready(1)
    run.next_assignments()
    assert run.overdue(0.0) == ()
    run.on_done(1, 0, receipt(0))
    assert run.overdue(11.0) == ()
    assert [a.batch.index for a in run.overdue(21.5)] == [1]


def test_a_batch_that_cannot_even_be_given_up_ends_the_run_saying_why() -> None:
    run = supervisor(1, limit=1)
    run.on_host_ready(1)
    run.next_assignments()
    run.on_batch_failed(1, 0, "raised")
    assert run.next_assignments()[0].give_up == "raised"
    with pytest.raises(LedgerError, match="batch-00000 could be neither worked nor given up: disk full"):
        run.on_batch_failed(1, 0, "disk full")


def test_nonsense_is_refused() -> None:
    run = supervisor(1)
    run.on_host_ready(1)
    run.next_assignments()
    with pytest.raises(ValueError, match="receipt of batch 0, was of batch 7"):
        run.on_done(1, 0, receipt(7))
    with pytest.raises(ValueError, match="new host number"):
        run.on_host_ready(1)
    with pytest.raises(ValueError, match="distinct"):
        Supervisor([Batch(index=0, symbols=()), Batch(index=0, symbols=())], window=1, max_attempts=1, timeout_s=1.0)
    with pytest.raises(ValueError, match="1 or more"):
        Supervisor([], window=0, max_attempts=1, timeout_s=1.0)


def test_inline_works_every_batch_once_in_order(tmp_path: Path) -> None:
    seen: list[BatchReceipt] = []
    report = InlineFanout(max_attempts=2).run(ToyJob(tmp_path), batches(4), seen.append)
    assert [r.batch for r in seen] == [0, 1, 2, 3]
    assert (report.granularity, report.hosts, report.requeued, report.quarantined) == ("inline", 1, 0, ())


def test_inline_retries_then_quarantines(tmp_path: Path) -> None:
    seen: list[BatchReceipt] = []
    job = ToyJob(tmp_path, raising=frozenset({0, 2}), once=frozenset({2}))
    report = InlineFanout(max_attempts=2).run(job, batches(4), seen.append)
    assert [(r.batch, r.attempt, len(r.failures)) for r in seen] == [(1, 1, 0), (3, 1, 0), (2, 2, 0), (0, 3, 2)]
    assert seen[-1].failures[0].message == "ZeroDivisionError: no luck with batch-00000"
    assert (report.requeued, report.quarantined) == (3, (0,))


def test_inline_opens_nothing_for_no_batches_and_raises_what_opening_raises(tmp_path: Path) -> None:
    job = ToyJob(tmp_path, no_data=True)
    assert InlineFanout(max_attempts=1).run(job, (), lambda _: None).quarantined == ()
    with pytest.raises(NoDataError, match="SPY: nothing known"):
        InlineFanout(max_attempts=1).run(job, batches(1), lambda _: None)


def test_a_reason_is_one_line_and_names_the_kind_of_a_foreign_error() -> None:
    assert reason_of(ValueError("two\n  lines")) == "ValueError: two lines"
    assert reason_of(StageError("no spot", symbol="SPY")) == "SPY: no spot"
