"""The Supervisor by example, and the fan-out in this process."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from gnosis_ray.errors import IntegrityError, LedgerError, NoDataError, ResourceError, StageError
from gnosis_ray.fanout import Assignment, FanoutLimits, InlineFanout, Supervisor, reason_of
from gnosis_ray.schemas.run_schemas import Batch, BatchReceipt
from tests.actors.fake_job import FakeJob, batches

LIMITS = FanoutLimits(window=2, max_attempts=2, batch_timeout_s=10.0, symbol_timeout_s=4.0, straggler_factor=3.0)


def supervisor(count: int, **limits: int) -> Supervisor:
    return Supervisor(batches(count), replace(LIMITS, **limits))


def receipt(assignment: Assignment) -> BatchReceipt:
    return BatchReceipt(batch=assignment.batch.index, attempt=assignment.attempt, rows={"snapshots": 1})


def outline(assignments: Sequence[Assignment]) -> list[tuple[int, int, str | None, tuple[str, ...]]]:
    quarantined = [tuple(symbol for symbol, _ in a.quarantined) for a in assignments]
    return [
        (a.host, a.batch.index, a.isolated_symbol, symbols) for a, symbols in zip(assignments, quarantined, strict=True)
    ]


def test_every_idle_host_gets_work_before_any_gets_a_second_batch() -> None:
    run = supervisor(3)
    run.on_host_ready(1)
    run.on_host_ready(2)
    assert [(a.host, a.batch.index, a.attempt) for a in run.next_assignments(0.0)] == [(1, 0, 1), (2, 1, 1), (1, 2, 1)]
    assert run.next_assignments(0.0) == []


def test_only_the_running_batch_fails_with_its_host() -> None:
    run = supervisor(2, max_attempts=1)
    run.on_host_ready(1)
    run.next_assignments(0.0)
    assert outline(run.on_host_lost(1, "killed")) == [(1, 0, None, ()), (1, 1, None, ())]
    run.on_host_ready(2)
    assert outline(run.next_assignments(0.0)) == [(2, 1, None, ()), (2, 0, "S0A", ())]


def test_a_batch_that_fails_goes_behind_those_that_did_not() -> None:
    run = supervisor(3, window=1)
    run.on_host_ready(1)
    run.on_failed(run.next_assignments(0.0)[0], "raised", 0.0)
    order = []
    while not run.done:
        for assignment in run.next_assignments(0.0):
            order.append(assignment.batch.index)
            assert run.on_done(assignment, receipt(assignment), 0.0)
    assert order == [1, 2, 0]


def test_a_symbol_is_quarantined_and_not_its_batch() -> None:
    run = supervisor(1, window=1)
    run.on_host_ready(1)
    seen = []
    while not run.done:
        (assignment,) = run.next_assignments(0.0)
        seen += outline([assignment])
        whole_batch = assignment.isolated_symbol is None and not assignment.quarantined
        if whole_batch or assignment.isolated_symbol == "S0B":
            run.on_failed(assignment, "no luck", 0.0)
        else:
            run.on_done(assignment, None if assignment.isolated_symbol else receipt(assignment), 0.0)
    whole, isolated = (1, 0, None, ()), (1, 0, "S0B", ())
    assert seen == [whole, whole, (1, 0, "S0A", ()), isolated, isolated, (1, 0, None, ("S0B",))]
    assert assignment.quarantined == (("S0B", "no luck"),)
    assert run.quarantined == ("S0B",)


def test_a_batch_that_fails_though_its_symbols_do_not_is_given_up_whole() -> None:
    run = supervisor(1, window=1)
    run.on_host_ready(1)
    attempts = 0
    while not run.done:
        (assignment,) = run.next_assignments(0.0)
        attempts += 1
        if assignment.isolated_symbol is None and not assignment.gives_up:
            run.on_failed(assignment, "too much at once", 0.0)
        else:
            run.on_done(assignment, None if assignment.isolated_symbol else receipt(assignment), 0.0)
    assert attempts == 2 + 2 + 2 + 1
    assert assignment.quarantined == (("S0A", "too much at once"), ("S0B", "too much at once"))


def test_a_report_of_a_lost_host_is_ignored() -> None:
    run = supervisor(1)
    run.on_host_ready(1)
    (assignment,) = run.next_assignments(0.0)
    run.on_host_lost(1, "silent")
    assert not run.on_done(assignment, receipt(assignment), 0.0)
    assert not run.done


def test_a_waiting_batch_is_not_timed_and_an_isolation_run_has_less_time() -> None:
    run = supervisor(2, max_attempts=1)
    run.on_host_ready(1)
    first, second = run.next_assignments(0.0)
    run.on_done(first, receipt(first), 9.0)
    assert run.overdue(19.0) == ()
    assert run.overdue(19.5) == ((second, "timed out: at work for more than 10 s"),)
    run.on_host_lost(1, "late")
    run.on_host_ready(2)
    isolation = run.next_assignments(20.0)[0]
    assert run.overdue(24.5) == ((isolation, "timed out: at work for more than 4 s"),)


def test_an_idle_host_copies_a_stragglers_batch_and_the_first_receipt_counts() -> None:
    run = supervisor(3, window=1)
    run.on_host_ready(1)
    run.on_host_ready(2)
    quick, slow = run.next_assignments(0.0)
    assert run.on_done(quick, receipt(quick), 1.0)
    (other,) = run.next_assignments(1.0)
    assert run.on_done(other, receipt(other), 2.0)
    assert run.next_assignments(3.0) == []
    (copy,) = run.next_assignments(3.1)
    assert (copy.host, copy.batch, copy.attempt) == (1, slow.batch, 2)
    assert run.next_assignments(9.0) == []
    assert run.on_done(copy, receipt(copy), 9.0)
    assert run.done
    assert not run.on_done(slow, receipt(slow), 9.5)
    assert [r.attempt for r in run.receipts] == [1, 2, 1]
    assert run.reissued == 1


def test_a_batch_that_cannot_even_be_given_up_ends_the_run_saying_why() -> None:
    run = supervisor(1, max_attempts=1, window=1)
    run.on_host_ready(1)
    (assignment,) = run.next_assignments(0.0)
    while not assignment.gives_up:
        run.on_failed(assignment, "disk full", 0.0)
        (assignment, *_) = run.next_assignments(0.0)
    with pytest.raises(LedgerError, match="batch-00000 could be neither worked nor given up: disk full"):
        run.on_failed(assignment, "disk full", 0.0)


def test_invalid_arguments_are_rejected() -> None:
    run = supervisor(1)
    run.on_host_ready(1)
    (assignment,) = run.next_assignments(0.0)
    with pytest.raises(ValueError, match="receipt of batch 0, was batch=7"):
        run.on_done(assignment, BatchReceipt(batch=7, attempt=1, rows={"snapshots": 1}), 0.0)
    with pytest.raises(ValueError, match="new host number"):
        run.on_host_ready(1)
    with pytest.raises(ValueError, match="distinct"):
        Supervisor([Batch(index=0, symbols=()), Batch(index=0, symbols=())], LIMITS)
    with pytest.raises(ValueError, match="1 or more"):
        replace(LIMITS, window=0)


def test_inline_works_every_batch_once_in_order(tmp_path: Path) -> None:
    seen: list[BatchReceipt] = []
    report = InlineFanout(max_attempts=2).run(FakeJob(tmp_path), batches(4), seen.append)
    assert [r.batch for r in seen] == [0, 1, 2, 3]
    assert (report.granularity, report.hosts, report.requeued, report.quarantined) == ("inline", 1, 0, ())


def test_inline_reattempts_then_isolates_and_quarantines_the_failing_symbol(tmp_path: Path) -> None:
    seen: list[BatchReceipt] = []
    job = FakeJob(tmp_path, raising=frozenset({"S0A", "S2B"}), once=frozenset({"S2B"}))
    report = InlineFanout(max_attempts=2).run(job, batches(4), seen.append)
    assert [(r.batch, r.rows["snapshots"], len(r.failures)) for r in seen] == [
        (1, 2, 0),
        (3, 2, 0),
        (2, 2, 0),
        (0, 1, 1),
    ]
    assert seen[-1].failures[0].message == "ZeroDivisionError: no luck with S0A"
    assert report.quarantined == ("S0A",)
    assert (tmp_path / "batch-00000").read_text() == "S0B"


@pytest.mark.parametrize("error", [LedgerError("refused"), IntegrityError("changed"), OSError(28, "No space left")])
@pytest.mark.parametrize("where", ["compute", "commit"])
def test_inline_ends_at_what_is_no_fault_of_a_symbol(tmp_path: Path, where: str, error: Exception) -> None:
    job = FakeJob(tmp_path)
    worker = job.open()
    calls: list[int] = []

    def refused(batch: Batch, *_: object) -> None:
        calls.append(batch.index)
        raise error

    setattr(worker, where, refused)
    opened = replace(job)
    object.__setattr__(opened, "open", lambda: worker)
    with pytest.raises((LedgerError, IntegrityError, ResourceError)):
        InlineFanout(max_attempts=3).run(opened, batches(3), lambda _: None)
    assert calls == [0], "no second attempt, no isolation"


def test_inline_opens_nothing_for_no_batches_and_raises_what_opening_raises(tmp_path: Path) -> None:
    job = FakeJob(tmp_path, no_data=True)
    assert InlineFanout(max_attempts=1).run(job, (), lambda _: None).quarantined == ()
    with pytest.raises(NoDataError, match="SPY: nothing known"):
        InlineFanout(max_attempts=1).run(job, batches(1), lambda _: None)


def test_a_reason_is_one_line_and_names_the_kind_of_a_foreign_error() -> None:
    assert reason_of(ValueError("two\n  lines")) == "ValueError: two lines"
    assert reason_of(StageError("no spot", symbol="SPY")) == "SPY: no spot"
