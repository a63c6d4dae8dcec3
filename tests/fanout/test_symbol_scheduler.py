"""Symbols with a process each: bounded, timed, attempted twice, each with one result."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gnosis_ray.fanout import Attempt, SymbolScheduler

EVENTS = st.lists(st.tuples(st.integers(0, 9), st.sampled_from(["ready", "done", "failed", "wait"])), max_size=200)


@given(count=st.integers(0, 9), at_once=st.integers(1, 4), events=EVENTS)
def test_each_symbol_has_one_result_and_few_run_at_once(
    count: int, at_once: int, events: list[tuple[int, str]]
) -> None:
    symbols = [f"S{i}" for i in range(count)]
    scheduler = SymbolScheduler(symbols, at_once=at_once, timeout_s=10.0, start_s=30.0)
    working: list[Attempt] = []
    attempts: dict[str, int] = dict.fromkeys(symbols, 0)
    now = 0.0
    script = iter(events)
    while not scheduler.done:
        for attempt in scheduler.due(now):
            attempts[attempt.symbol] += 1
            assert attempt.number == attempts[attempt.symbol]
            working.append(attempt)
        assert 1 <= len(working) <= at_once
        place, kind = next(script, (0, "wait"))
        chosen = working[place % len(working)]
        if kind == "ready":
            scheduler.on_ready(chosen, now)
        elif kind == "done":
            working.remove(chosen)
            scheduler.on_done(chosen, chosen.symbol.lower())
        elif kind == "failed":
            working.remove(chosen)
            scheduler.on_failed(chosen, "raised")
        else:
            now += 7.0
        for attempt, reason in scheduler.overdue(now):
            assert reason.startswith("timed out")
            working.remove(attempt)
            scheduler.on_failed(attempt, reason)
    assert sorted([*scheduler.outcomes, *scheduler.quarantined]) == symbols
    assert scheduler.outcomes == {symbol: symbol.lower() for symbol in scheduler.outcomes}
    assert all(attempts[symbol] == 2 for symbol in scheduler.quarantined)
    assert working == []


def test_the_time_limit_starts_when_the_process_is_ready() -> None:
    scheduler = SymbolScheduler(["A"], at_once=1, timeout_s=10.0, start_s=30.0)
    (attempt,) = scheduler.due(0.0)
    assert scheduler.overdue(30.0) == []
    scheduler.on_ready(attempt, 29.0)
    assert scheduler.overdue(39.0) == []
    assert scheduler.overdue(39.1) == [(attempt, "timed out: at work for more than 10 s")]


def test_a_late_result_of_an_ended_attempt_is_ignored() -> None:
    scheduler = SymbolScheduler(["A"], at_once=1, timeout_s=10.0, start_s=30.0)
    (first,) = scheduler.due(0.0)
    scheduler.on_failed(first, "late")
    scheduler.on_done(first, "zombie")
    assert not scheduler.done
    (second,) = scheduler.due(1.0)
    scheduler.on_done(second, "fresh")
    assert scheduler.outcomes == {"A": "fresh"}


def test_room_for_no_symbol_is_rejected() -> None:
    with pytest.raises(ValueError, match="was 0"):
        SymbolScheduler(["A"], at_once=0, timeout_s=1.0, start_s=1.0)
