"""The foreman against a crew that fails by script: no Ray, no waiting."""

from __future__ import annotations

import logging
import math
from collections import deque
from collections.abc import Callable

import pytest

from actors.host_controller import Foreman, Staffing
from actors.restarts import LONGEST_DELAY_S, Restarts
from actors.worker_pool import Event
from gnosis_ray.errors import ClusterError, NoDataError
from gnosis_ray.fanout import Assignment, Limits
from gnosis_ray.schemas.run_schemas import BatchReceipt
from tests.actors.fake_job import batches

Answer = Callable[["ScriptedCrew", Assignment], list[Event]]


def done(crew: ScriptedCrew, assignment: Assignment) -> list[Event]:
    if assignment.probe is not None:
        return [Event("done", assignment.host, assignment)]
    receipt = BatchReceipt(batch=assignment.batch.index, attempt=assignment.attempt, snapshots=1, ideas=0)
    return [Event("done", assignment.host, assignment, receipt=receipt)]


class ScriptedCrew:
    """Answers every call at its next ``wait``; time passes only while nothing happens."""

    def __init__(self, answer: Answer = done, starts: Callable[[int], list[Event]] | None = None) -> None:
        self.answer = answer
        self.starts = starts or (lambda host: [Event("ready", host)])
        self.now = 0.0
        self.events: deque[Event] = deque()
        self.alive: set[int] = set()
        self.log: list[str] = []
        self.closed = False
        self.deaf: set[int] = set()

    def clock(self) -> float:
        return self.now

    def start(self, host: int) -> None:
        self.log.append(f"start {host}")
        self.alive.add(host)
        self.events.extend(self.starts(host))

    def hand(self, assignment: Assignment) -> None:
        assert assignment.host in self.alive, "work for a dead host"
        self.log.append(f"{assignment.batch.index} to {assignment.host}")
        self.events.extend(self.answer(self, assignment))

    def ping(self, host: int) -> None:
        self.log.append(f"ping {host}")
        if host not in self.deaf:
            self.events.append(Event("answered", host))

    def rejoin(self, host: int, number: int) -> None:
        self.log.append(f"rejoin {host} as {number}")
        self.alive.remove(host)
        self.alive.add(number)
        self.events.append(Event("ready", number))

    def end(self, host: int) -> None:
        self.log.append(f"end {host}")
        self.alive.discard(host)

    def wait(self, timeout_s: float) -> list[Event]:
        if not self.events:
            self.now += max(timeout_s, 0.001)
            return []
        return [self.events.popleft()]

    def close(self) -> None:
        self.closed = True


def foreman(crew: ScriptedCrew, count: int, *, hosts: int = 1, window: int = 2) -> Foreman:
    limits = Limits(
        window=window, max_attempts=2, batch_timeout_s=30.0, symbol_timeout_s=10.0, straggler_factor=math.inf
    )
    staffing = Staffing(
        "shard", hosts, limits, start_s=60.0, heartbeat_s=5.0, heartbeat_timeout_s=20.0, processes=hosts
    )
    return Foreman(crew, batches(count), staffing, crew.clock)


def lost(crew: ScriptedCrew, assignment: Assignment) -> list[Event]:
    return [Event("lost", assignment.host, assignment, error=OSError("killed by signal 9"))]


def test_a_dead_host_is_replaced_and_its_batches_are_worked() -> None:
    crew = ScriptedCrew(lambda crew, a: lost(crew, a) if a.host == 1 else done(crew, a))
    run = foreman(crew, 3)
    report = run.run()
    assert sorted(r.batch for r in run.progress(0, 0.0).receipts) == [0, 1, 2]
    assert (report.hosts_lost, report.requeued, report.quarantined) == (1, 2, ())
    assert crew.log[:5] == ["start 1", "0 to 1", "1 to 1", "end 1", "start 2"]
    assert crew.closed


def test_what_was_lost_is_said_in_the_log_and_in_the_progress(caplog: pytest.LogCaptureFixture) -> None:
    crew = ScriptedCrew(lambda crew, a: lost(crew, a) if a.host == 1 else done(crew, a))
    run = foreman(crew, 3)
    assert run.progress(0, 0.0).standing.hosts_lost == 0
    with caplog.at_level(logging.WARNING, logger="actors.host_controller"):
        report = run.run()
    assert run.progress(0, 0.0).standing == report
    assert [record.getMessage().split(":")[0] for record in caplog.records] == [
        "host 1 is lost",
        "batch-00000 was not done in try 1",
        "batch-00001 was not done in try 1",
    ]
    assert [getattr(record, "batch", None) for record in caplog.records] == [None, 0, 1]


def test_a_symbol_that_kills_its_hosts_is_quarantined_and_the_rest_is_done() -> None:
    def deadly(crew: ScriptedCrew, a: Assignment) -> list[Event]:
        worked = {a.probe} if a.probe else set(a.batch.symbols) - dict(a.lost).keys()
        return lost(crew, a) if "S1B" in worked else done(crew, a)

    crew = ScriptedCrew(deadly)
    run = foreman(crew, 4, hosts=2, window=1)
    report = run.run()
    assert report.quarantined == ("S1B",)
    assert report.hosts_lost == 2 + 2
    assert {r.batch for r in run.progress(0, 0.0).receipts} == {0, 1, 2, 3}


def test_a_batch_at_work_too_long_costs_its_host() -> None:
    crew = ScriptedCrew(lambda crew, a: [] if a.attempt == 1 and a.batch.index == 0 else done(crew, a))
    run = foreman(crew, 2, window=1)
    report = run.run()
    assert report.hosts_lost == 1
    assert "end 1" in crew.log
    assert crew.now > 30.0


def test_a_host_that_falls_silent_is_pinged_and_goes_on_under_a_new_number() -> None:
    def silent_once(crew: ScriptedCrew, a: Assignment) -> list[Event]:
        return [Event("unsure", 1, a, error=OSError("connection reset"))] if a.host == 1 else done(crew, a)

    crew = ScriptedCrew(silent_once)
    report = foreman(crew, 2).run()
    assert "rejoin 1 as 2" in crew.log
    assert crew.log.count("ping 1") == 1
    assert crew.now < 2.0
    assert report.hosts_lost == 0


def test_a_host_that_answers_no_ping_is_replaced() -> None:
    crew = ScriptedCrew(lambda crew, a: [] if a.host == 1 else done(crew, a))
    crew.deaf = {1}
    report = foreman(crew, 2).run()
    assert crew.log.count("ping 1") == 1
    assert "end 1" in crew.log
    assert 20.0 < crew.now < 30.0
    assert (report.hosts_lost, report.quarantined) == (1, ())


def test_a_host_at_work_is_pinged_at_intervals() -> None:
    def slow(crew: ScriptedCrew, a: Assignment) -> list[Event]:
        return [] if a.attempt == 1 else done(crew, a)

    crew = ScriptedCrew(slow)
    foreman(crew, 1).run()
    assert crew.now > 30.0, "a host that answers has until the batch's limit"
    assert crew.log.count("ping 1") >= 5


def test_an_error_that_opening_raises_on_purpose_reaches_the_user_at_once() -> None:
    crew = ScriptedCrew(starts=lambda host: [Event("refused", host, error=NoDataError("nothing known"))])
    with pytest.raises(NoDataError, match="nothing known"):
        foreman(crew, 2).run()
    assert crew.log == ["start 1"]
    assert crew.closed


def test_hosts_that_cannot_start_end_the_run_with_the_reason() -> None:
    crew = ScriptedCrew(starts=lambda host: [Event("lost", host, error=OSError("out of memory"))])
    run = foreman(crew, 2, hosts=2)
    with pytest.raises(ClusterError, match=r"in a row were lost .* OSError: out of memory.*resume"):
        run.run()
    assert run.progress(0, 0.0).finished


def test_hosts_that_always_die_end_the_run_before_every_batch_is_written_off() -> None:
    crew = ScriptedCrew(lost)
    with pytest.raises(ClusterError, match="killed by signal 9"):
        foreman(crew, 100, hosts=2, window=1).run()
    assert len([line for line in crew.log if line.startswith("start")]) <= 2 * (2 + 1) + 2


def test_deaths_with_work_done_between_do_not_end_the_run() -> None:
    def second_is_deadly(crew: ScriptedCrew, a: Assignment) -> list[Event]:
        first = not any(line.endswith(f"to {a.host}") for line in crew.log[:-1])
        return done(crew, a) if first or a.gives_up else lost(crew, a)

    crew = ScriptedCrew(second_is_deadly)
    run = foreman(crew, 20, window=1)
    report = run.run()
    assert report.hosts_lost > 2 * (1 + 1)
    assert len(run.progress(0, 0.0).receipts) == 20


def test_a_host_that_never_gets_ready_does_not_hold_up_one_that_is() -> None:
    crew = ScriptedCrew(starts=lambda host: [Event("ready", host)] if host == 1 else [])
    report = foreman(crew, 3, hosts=2).run()
    assert (report.hosts_lost, report.quarantined) == (0, ())
    assert crew.now < 60.0


def test_a_host_that_is_not_ready_in_time_is_ended_and_replaced() -> None:
    crew = ScriptedCrew(starts=lambda host: [Event("ready", host)] if host == 2 else [])
    report = foreman(crew, 3).run()
    assert crew.log[:3] == ["start 1", "end 1", "start 2"]
    assert crew.now > 60.0
    assert report.hosts_lost == 1


def test_progress_waits_for_news_and_gives_what_was_not_seen() -> None:
    crew = ScriptedCrew()
    run = foreman(crew, 3)
    assert run.progress(0, 0.0) == run.progress(0, 0.01)
    run.run()
    assert [r.batch for r in run.progress(1, 10.0).receipts] == [1, 2]


def test_restarts_back_off_and_a_success_starts_over() -> None:
    restarts = Restarts(limit=8)
    delays = [restarts.on_loss() for _ in range(8)]
    assert delays[:3] == [0.1, 0.2, 0.4]
    assert delays[-1] == LONGEST_DELAY_S
    assert restarts.on_loss() is None
    restarts.on_success()
    assert restarts.on_loss() == 0.1
