"""Symbols with a process each: bounded, timed, tried twice, each with one end."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gnosis_ray.fanout import Roster, Start

EVENTS = st.lists(st.tuples(st.integers(0, 9), st.sampled_from(["ready", "done", "failed", "wait"])), max_size=200)


@given(count=st.integers(0, 9), at_once=st.integers(1, 4), events=EVENTS)
def test_whatever_happens_each_symbol_has_one_end_and_few_are_at_work(
    count: int, at_once: int, events: list[tuple[int, str]]
) -> None:
    symbols = [f"S{i}" for i in range(count)]
    roster = Roster(symbols, at_once=at_once, timeout_s=10.0, start_s=30.0)
    working: list[Start] = []
    tries: dict[str, int] = dict.fromkeys(symbols, 0)
    now = 0.0
    script = iter(events)
    while not roster.done:
        for start in roster.due(now):
            tries[start.symbol] += 1
            assert start.attempt == tries[start.symbol]
            working.append(start)
        assert 1 <= len(working) <= at_once
        place, kind = next(script, (0, "wait"))
        chosen = working[place % len(working)]
        if kind == "ready":
            roster.on_ready(chosen, now)
        elif kind == "done":
            working.remove(chosen)
            roster.on_done(chosen, chosen.symbol.lower())
        elif kind == "failed":
            working.remove(chosen)
            roster.on_failed(chosen, "raised")
        else:
            now += 7.0
        for start, reason in roster.overdue(now):
            assert reason.startswith("timed out")
            working.remove(start)
            roster.on_failed(start, reason)
    assert sorted([*roster.outcomes, *roster.lost]) == symbols
    assert roster.outcomes == {symbol: symbol.lower() for symbol in roster.outcomes}
    assert all(tries[symbol] == 2 for symbol in roster.lost)
    assert working == []


def test_time_to_work_runs_from_being_ready() -> None:
    roster = Roster(["A"], at_once=1, timeout_s=10.0, start_s=30.0)
    (start,) = roster.due(0.0)
    assert roster.overdue(30.0) == []
    roster.on_ready(start, 29.0)
    assert roster.overdue(39.0) == []
    assert roster.overdue(39.1) == [(start, "timed out: at work for more than 10 s")]


def test_a_try_that_was_ended_is_not_believed() -> None:
    roster = Roster(["A"], at_once=1, timeout_s=10.0, start_s=30.0)
    (first,) = roster.due(0.0)
    roster.on_failed(first, "late")
    roster.on_done(first, "zombie")
    assert not roster.done
    (second,) = roster.due(1.0)
    roster.on_done(second, "fresh")
    assert roster.outcomes == {"A": "fresh"}


def test_no_room_is_refused() -> None:
    with pytest.raises(ValueError, match="was 0"):
        Roster(["A"], at_once=0, timeout_s=1.0, start_s=1.0)
