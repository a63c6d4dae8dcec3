"""A leader and its symbols' processes, with a pool that answers by script: no Ray, no waiting."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pytest

from actors.per_symbol import PerSymbolWorker, SymbolLimits, SymbolResults
from actors.symbol_worker_pool import SymbolWorkerEvent
from gnosis_ray.fanout import Attempt
from gnosis_ray.schemas.run_schemas import Batch, BatchReceipt

Answer = Callable[[Attempt], list[SymbolWorkerEvent]]
BATCH = Batch(index=0, symbols=("A", "B", "C"))


def done(attempt: Attempt) -> list[SymbolWorkerEvent]:
    return [SymbolWorkerEvent("ready", attempt), SymbolWorkerEvent("done", attempt, outcome=attempt.symbol.lower())]


class ScriptedSymbolPool:
    """Answers each start at the next ``wait``, the latest first; time passes only while nothing happens."""

    def __init__(self, answer: Answer = done) -> None:
        self.answer = answer
        self.now = 0.0
        self.events: list[SymbolWorkerEvent] = []
        self.started: list[tuple[str, int]] = []
        self.alive: set[Attempt] = set()
        self.most_alive = 0
        self.closed = False

    def clock(self) -> float:
        return self.now

    def start(self, attempt: Attempt, batch: Batch) -> None:
        assert batch == BATCH.only((attempt.symbol,))
        self.started.append((attempt.symbol, attempt.number))
        self.alive.add(attempt)
        self.most_alive = max(self.most_alive, len(self.alive))
        self.events = [*self.answer(attempt), *self.events]

    def end(self, attempt: Attempt) -> None:
        self.alive.discard(attempt)

    def wait(self, timeout_s: float) -> list[SymbolWorkerEvent]:
        if not self.events:
            self.now += timeout_s
        events, self.events = self.events, []
        return events

    def close(self) -> None:
        self.closed = True


class RecordingWriter:
    """Keeps what it is to commit."""

    def __init__(self) -> None:
        self.committed: list[tuple[list[Any], dict[str, str]]] = []

    def compute(self, batch: Batch) -> Any:
        raise AssertionError("a leader computes nothing itself")

    def commit(
        self, batch: Batch, attempt: int, outcomes: Sequence[Any], quarantined: Mapping[str, str]
    ) -> BatchReceipt:
        self.committed.append((list(outcomes), dict(quarantined)))
        return BatchReceipt(batch=batch.index, attempt=attempt, rows={"snapshots": len(outcomes)})


def leader(pool: ScriptedSymbolPool, at_once: int = 2, writer: RecordingWriter | None = None) -> PerSymbolWorker:
    limits = SymbolLimits(at_once=at_once, start_s=30.0, timeout_s=10.0)
    return PerSymbolWorker(writer or RecordingWriter(), pool, limits, pool.clock)


def test_outcomes_are_in_the_order_of_symbols_whatever_the_order_of_arrival() -> None:
    pool = ScriptedSymbolPool()
    assert leader(pool, at_once=3).compute(BATCH) == SymbolResults(["a", "b", "c"], {})
    assert pool.closed


def test_a_finished_process_ends_before_the_next_one_starts() -> None:
    pool = ScriptedSymbolPool()
    leader(pool, at_once=1).compute(BATCH)
    assert pool.most_alive == 1
    assert pool.alive == set()


def test_a_symbol_that_fails_once_is_attempted_again_after_the_others() -> None:
    def fails_once(attempt: Attempt) -> list[SymbolWorkerEvent]:
        if attempt == Attempt("A", 1):
            return [SymbolWorkerEvent("failed", attempt, reason="killed")]
        return done(attempt)

    pool = ScriptedSymbolPool(fails_once)
    assert leader(pool, at_once=1).compute(BATCH) == SymbolResults(["a", "b", "c"], {})
    assert pool.started == [("A", 1), ("B", 1), ("C", 1), ("A", 2)]


def test_a_symbol_that_fails_twice_is_quarantined_with_its_last_reason() -> None:
    def always_fails(attempt: Attempt) -> list[SymbolWorkerEvent]:
        if attempt.symbol == "B":
            return [SymbolWorkerEvent("failed", attempt, reason=f"reason {attempt.number}")]
        return done(attempt)

    pool = ScriptedSymbolPool(always_fails)
    assert leader(pool).compute(BATCH) == SymbolResults(["a", "c"], {"B": "reason 2"})


def test_a_symbol_that_hangs_is_ended_at_its_time_limit() -> None:
    pool = ScriptedSymbolPool(lambda attempt: [SymbolWorkerEvent("ready", attempt)])
    results = leader(pool, at_once=1).compute(BATCH.only(("A",)))
    assert results.quarantined == {"A": "timed out: at work for more than 10 s"}
    assert 20.0 < pool.now < 23.0
    assert pool.alive == set()


def test_a_process_that_never_starts_has_a_limit_of_its_own() -> None:
    pool = ScriptedSymbolPool(lambda _attempt: [])
    results = leader(pool, at_once=1).compute(BATCH.only(("A",)))
    assert results.quarantined == {"A": "timed out: its process was not ready after 30 s"}
    assert 60.0 < pool.now < 63.0


def test_processes_are_killed_when_the_leader_is_interrupted() -> None:
    def interrupt(_attempt: Attempt) -> list[SymbolWorkerEvent]:
        raise KeyboardInterrupt

    pool = ScriptedSymbolPool(interrupt)
    with pytest.raises(KeyboardInterrupt):
        leader(pool).compute(BATCH.only(("A",)))
    assert pool.closed


def test_a_commit_merges_results_and_both_kinds_of_quarantined_symbols() -> None:
    writer = RecordingWriter()
    results = [SymbolResults(["a"], {"B": "alone"}), SymbolResults(["c"], {"D": "alone"})]
    receipt = leader(ScriptedSymbolPool(), writer=writer).commit(BATCH, 3, results, {"D": "before", "E": "before"})
    assert writer.committed == [(["a", "c"], {"B": "alone", "D": "before", "E": "before"})]
    assert (receipt.attempt, receipt.rows["snapshots"]) == (3, 2)
