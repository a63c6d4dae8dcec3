"""Whatever fails, whenever: each batch gets exactly one receipt, and what is in flight stays bounded."""

from __future__ import annotations

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, precondition, rule

from gnosis_ray.fanout import SYMBOL_FAILURE_LIMIT, Assignment, FanoutLimits, Supervisor
from gnosis_ray.schemas.run_schemas import Batch, BatchReceipt

BATCH_S, SYMBOL_S = 10.0, 4.0


def receipt_of(assignment: Assignment) -> BatchReceipt | None:
    if assignment.isolated_symbol is not None:
        return None
    return BatchReceipt(batch=assignment.batch.index, attempt=assignment.attempt, rows={"snapshots": 1})


class SupervisedRun(RuleBasedStateMachine):
    """Hosts start, die, hang, slow down and report late; batches and isolation runs fail. Giving up succeeds."""

    late = Bundle("late")

    @initialize(sizes=st.lists(st.integers(1, 3), max_size=6), window=st.integers(1, 3), limit=st.integers(1, 3))
    def begin(self, sizes: list[int], window: int, limit: int) -> None:
        batches = [Batch(index=i, symbols=tuple(f"S{i}{n}" for n in range(size))) for i, size in enumerate(sizes)]
        self.supervisor = Supervisor(batches, FanoutLimits(window, limit, BATCH_S, SYMBOL_S, straggler_factor=2.0))
        self.count, self.window, self.limit = len(sizes), window, limit
        self.next_host = 0
        self.in_flight: dict[int, list[Assignment]] = {}
        self.isolation_failures: dict[str, int] = {}
        self.failures = dict.fromkeys(range(len(sizes)), 0)
        self.attempts: dict[int, set[int]] = {i: set() for i in range(len(sizes))}
        self.accepted: dict[int, Assignment] = {}
        self.now = 0.0

    def assign(self) -> None:
        for assignment in self.supervisor.next_assignments(self.now):
            index = assignment.batch.index
            assert index not in self.accepted, "a finished batch was assigned again"
            assert assignment.attempt not in self.attempts[index], "two assignments share an attempt number"
            self.attempts[index].add(assignment.attempt)
            self.in_flight[assignment.host].append(assignment)
            if assignment.isolated_symbol is not None:
                assert self.failures[index] >= self.limit, "an isolation run before the batch failed often enough"
            elif assignment.quarantined and not assignment.gives_up:
                failures = [self.isolation_failures.get(symbol, 0) for symbol, _ in assignment.quarantined]
                assert set(failures) == {SYMBOL_FAILURE_LIMIT}

    def working(self, *, may_fail: bool) -> list[int]:
        hosts = [host for host, held in sorted(self.in_flight.items()) if held]
        return [host for host in hosts if not may_fail or not self.in_flight[host][0].gives_up]

    def count_failure(self, assignment: Assignment) -> None:
        if assignment.batch.index in self.accepted:
            return
        symbol = assignment.isolated_symbol
        if symbol is not None:
            self.isolation_failures[symbol] = self.isolation_failures.get(symbol, 0) + 1
        else:
            self.failures[assignment.batch.index] += 1

    def lose(self, host: int) -> list[Assignment]:
        held = self.in_flight.pop(host)
        if held:
            self.count_failure(held[0])
        assert self.supervisor.on_host_lost(host, "killed") == tuple(held), "an assignment was lost with its host"
        return held

    def finish(self, host: int) -> None:
        assignment = self.in_flight[host].pop(0)
        index = assignment.batch.index
        counts = self.supervisor.on_done(assignment, receipt_of(assignment), self.now)
        assert counts == (assignment.isolated_symbol is None and index not in self.accepted), "the first receipt counts"
        if counts:
            self.accepted[index] = assignment

    @precondition(lambda self: len(self.in_flight) < 3)
    @rule()
    def host_starts(self) -> None:
        self.supervisor.on_host_ready(self.next_host)
        self.in_flight[self.next_host] = []
        self.next_host += 1
        self.assign()

    @precondition(lambda self: self.working(may_fail=False))
    @rule(data=st.data())
    def work_is_done(self, data: st.DataObject) -> None:
        self.finish(data.draw(st.sampled_from(self.working(may_fail=False))))
        self.assign()

    @precondition(lambda self: self.working(may_fail=True))
    @rule(data=st.data())
    def work_raises(self, data: st.DataObject) -> None:
        host = data.draw(st.sampled_from(self.working(may_fail=True)))
        assignment = self.in_flight[host].pop(0)
        self.count_failure(assignment)
        self.supervisor.on_failed(assignment, "raised", self.now)
        self.assign()

    @precondition(lambda self: any(not held or not held[0].gives_up for held in self.in_flight.values()))
    @rule(target=late, data=st.data())
    def host_dies(self, data: st.DataObject) -> list[Assignment]:
        mortal = [host for host, held in sorted(self.in_flight.items()) if not held or not held[0].gives_up]
        held = self.lose(data.draw(st.sampled_from(mortal)))
        self.assign()
        return held

    @rule(held=late)
    def lost_host_reports(self, held: list[Assignment]) -> None:
        for assignment in held:
            assert not self.supervisor.on_done(assignment, receipt_of(assignment), self.now)
            self.supervisor.on_failed(assignment, "late", self.now)
        self.assign()

    @rule(seconds=st.sampled_from([0.5, 3.0]))
    def time_passes(self, seconds: float) -> None:
        self.now += seconds
        for assignment, _ in self.supervisor.overdue(self.now):
            if not assignment.gives_up:
                self.lose(assignment.host)
        self.assign()

    @rule()
    def time_runs_out(self) -> None:
        self.now += BATCH_S + 0.1
        overdue = [assignment.host for assignment, _ in self.supervisor.overdue(self.now)]
        assert overdue == self.working(may_fail=False), "only work is timed, and all of it"
        for host in overdue:
            if not self.in_flight[host][0].gives_up:
                self.lose(host)
        self.assign()

    @invariant()
    def bounded(self) -> None:
        if not hasattr(self, "supervisor"):
            return
        copies: dict[tuple[int, str | None], int] = {}
        for host, held in self.in_flight.items():
            assert len(held) <= self.window
            assert self.supervisor.held(host) == tuple(held)
            for assignment in held:
                key = (assignment.batch.index, assignment.isolated_symbol)
                copies[key] = copies.get(key, 0) + 1
        assert all(number <= (2 if symbol is None else 1) for (_, symbol), number in copies.items())
        assert all(number <= SYMBOL_FAILURE_LIMIT for number in self.isolation_failures.values())
        assert {r.batch: r.attempt for r in self.supervisor.receipts} == {
            index: assignment.attempt for index, assignment in self.accepted.items()
        }
        assert self.supervisor.done == (len(self.accepted) == self.count)

    def teardown(self) -> None:
        """From whatever state the faults left, one healthy host finishes the run."""
        if not hasattr(self, "supervisor"):
            return
        for host in list(self.in_flight):
            if not self.in_flight[host] or not self.in_flight[host][0].gives_up:
                self.lose(host)
        self.host_starts()
        for _ in range(self.count * 6 + 3):
            if not self.supervisor.done:
                self.assign()
                self.finish(self.working(may_fail=False)[0])
        assert self.supervisor.done
        assert [r.batch for r in self.supervisor.receipts] == list(range(self.count))
        quarantined = {symbol for assignment in self.accepted.values() for symbol, _ in assignment.quarantined}
        assert self.supervisor.quarantined == tuple(sorted(quarantined))


SupervisedRun.TestCase.settings = settings(
    max_examples=200, stateful_step_count=40, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
TestSupervisedRun = SupervisedRun.TestCase
