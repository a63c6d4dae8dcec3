"""Whatever fails, whenever: each batch gets exactly one receipt, and what flies stays bounded."""

from __future__ import annotations

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, precondition, rule

from gnosis_ray.fanout import Assignment, Supervisor
from gnosis_ray.schemas.run_schemas import Batch, BatchReceipt

TIMEOUT_S = 10.0


def receipt_of(assignment: Assignment) -> BatchReceipt:
    return BatchReceipt(batch=assignment.batch.index, attempt=assignment.attempt, snapshots=1, ideas=0)


class SupervisedRun(RuleBasedStateMachine):
    """Hosts come, die, hang and talk late; batches raise. Giving up succeeds: it only writes."""

    late = Bundle("late")

    @initialize(count=st.integers(0, 8), window=st.integers(1, 3), limit=st.integers(1, 3))
    def begin(self, count: int, window: int, limit: int) -> None:
        batches = [Batch(index=i, symbols=(f"S{i}",)) for i in range(count)]
        self.supervisor = Supervisor(batches, window=window, max_attempts=limit, timeout_s=TIMEOUT_S)
        self.count, self.window, self.limit = count, window, limit
        self.next_host = 0
        self.flying: dict[int, list[Assignment]] = {}
        self.strikes = dict.fromkeys(range(count), 0)
        self.tries: dict[int, set[int]] = {i: set() for i in range(count)}
        self.accepted: dict[int, int] = {}
        self.now = 0.0

    def hand_out(self) -> None:
        for assignment in self.supervisor.next_assignments():
            index = assignment.batch.index
            assert index not in self.accepted, "a finished batch was handed out again"
            assert all(index != held.batch.index for each in self.flying.values() for held in each), "two live hosts"
            assert assignment.attempt not in self.tries[index], "two tries share an attempt number"
            assert (assignment.give_up is not None) == (self.strikes[index] >= self.limit)
            self.tries[index].add(assignment.attempt)
            self.flying[assignment.host].append(assignment)

    def working(self, *, may_fail: bool) -> list[int]:
        hosts = [host for host, held in sorted(self.flying.items()) if held]
        return [host for host in hosts if not may_fail or self.flying[host][0].give_up is None]

    def lose(self, host: int) -> list[Assignment]:
        held = self.flying.pop(host)
        if held:
            self.strikes[held[0].batch.index] += 1
        lost = self.supervisor.on_host_lost(host, "killed")
        assert sorted(lost) == sorted(each.batch.index for each in held), "a batch was lost with its host"
        return held

    @precondition(lambda self: len(self.flying) < 3)
    @rule()
    def host_comes(self) -> None:
        self.supervisor.on_host_ready(self.next_host)
        self.flying[self.next_host] = []
        self.next_host += 1
        self.hand_out()

    @precondition(lambda self: self.working(may_fail=False))
    @rule(data=st.data())
    def batch_done(self, data: st.DataObject) -> None:
        host = data.draw(st.sampled_from(self.working(may_fail=False)))
        assignment = self.flying[host].pop(0)
        assert self.supervisor.on_done(host, assignment.batch.index, receipt_of(assignment))
        assert assignment.batch.index not in self.accepted
        self.accepted[assignment.batch.index] = assignment.attempt
        self.hand_out()

    @precondition(lambda self: self.working(may_fail=True))
    @rule(data=st.data())
    def batch_raises(self, data: st.DataObject) -> None:
        host = data.draw(st.sampled_from(self.working(may_fail=True)))
        assignment = self.flying[host].pop(0)
        self.strikes[assignment.batch.index] += 1
        self.supervisor.on_batch_failed(host, assignment.batch.index, "raised")
        self.hand_out()

    @precondition(lambda self: any(not held or held[0].give_up is None for held in self.flying.values()))
    @rule(target=late, data=st.data())
    def host_dies(self, data: st.DataObject) -> list[Assignment]:
        mortal = [host for host, held in sorted(self.flying.items()) if not held or held[0].give_up is None]
        held = self.lose(data.draw(st.sampled_from(mortal)))
        self.hand_out()
        return held

    @rule(held=late)
    def lost_host_speaks(self, held: list[Assignment]) -> None:
        for assignment in held:
            assert not self.supervisor.on_done(assignment.host, assignment.batch.index, receipt_of(assignment))
            self.supervisor.on_batch_failed(assignment.host, assignment.batch.index, "late")
        self.hand_out()

    @precondition(lambda self: not self.working(may_fail=False) or self.working(may_fail=True))
    @rule()
    def time_runs_out(self) -> None:
        self.supervisor.overdue(self.now)
        self.now += TIMEOUT_S + 1.0
        late = self.supervisor.overdue(self.now)
        assert [a.host for a in late] == self.working(may_fail=False), "only work is timed, and all of it"
        for assignment in late:
            if assignment.give_up is None:
                self.lose(assignment.host)
        self.hand_out()

    @invariant()
    def bounded(self) -> None:
        if not hasattr(self, "supervisor"):
            return
        for host, held in self.flying.items():
            assert len(held) <= self.window
            assert self.supervisor.held(host) == tuple(held)
        assert all(strikes <= self.limit for strikes in self.strikes.values())
        assert {r.batch: r.attempt for r in self.supervisor.receipts} == self.accepted
        assert self.supervisor.unfinished == self.count - len(self.accepted)
        assert self.supervisor.done == (len(self.accepted) == self.count)

    def teardown(self) -> None:
        """From wherever the faults left it, one healthy host ends the run in as many steps as there are batches."""
        if not hasattr(self, "supervisor"):
            return
        self.host_comes()
        for _ in range(self.count):
            if not self.supervisor.done:
                self.hand_out()
                host = self.working(may_fail=False)[0]
                assignment = self.flying[host].pop(0)
                assert self.supervisor.on_done(host, assignment.batch.index, receipt_of(assignment))
                self.accepted[assignment.batch.index] = assignment.attempt
        assert self.supervisor.done
        assert [r.batch for r in self.supervisor.receipts] == list(range(self.count))
        assert self.supervisor.quarantined == tuple(i for i, seen in self.strikes.items() if seen >= self.limit)


SupervisedRun.TestCase.settings = settings(
    max_examples=150, stateful_step_count=40, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
TestSupervisedRun = SupervisedRun.TestCase
