"""Hosts are pinged at intervals, one ping at a time, and silence is found."""

from __future__ import annotations

from actors.heartbeats import RETRY_S, Heartbeats


def test_a_host_is_pinged_once_an_interval_and_only_after_its_answer() -> None:
    heartbeats = Heartbeats(interval_s=5.0, timeout_s=20.0)
    heartbeats.watch(1, 0.0)
    assert heartbeats.next_due() == 5.0
    assert heartbeats.due(4.9) == []
    assert heartbeats.due(5.0) == [1]
    assert heartbeats.due(6.0) == []
    assert heartbeats.next_due() is None
    heartbeats.on_pong(1, 7.0)
    assert heartbeats.next_due() == 12.0
    assert heartbeats.due(12.0) == [1]


def test_silence_is_counted_from_the_last_answer() -> None:
    heartbeats = Heartbeats(interval_s=5.0, timeout_s=20.0)
    heartbeats.watch(1, 0.0)
    heartbeats.watch(2, 0.0)
    heartbeats.on_pong(2, 6.0)
    assert heartbeats.silent(20.0) == []
    assert heartbeats.silent(20.1) == [1]
    assert heartbeats.silent(26.1) == [1, 2]


def test_a_broken_connection_brings_the_next_ping_forward_but_is_no_answer() -> None:
    heartbeats = Heartbeats(interval_s=50.0, timeout_s=20.0)
    heartbeats.watch(1, 0.0)
    heartbeats.on_unavailable(1, 10.0)
    assert heartbeats.next_due() == 10.0 + RETRY_S
    assert heartbeats.due(10.0 + RETRY_S) == [1]
    assert heartbeats.silent(20.1) == [1]


def test_a_host_that_has_ended_is_neither_pinged_nor_missed() -> None:
    heartbeats = Heartbeats(interval_s=5.0, timeout_s=20.0)
    heartbeats.watch(1, 0.0)
    heartbeats.forget(1)
    heartbeats.on_pong(1, 1.0)
    heartbeats.on_unavailable(1, 2.0)
    assert heartbeats.due(100.0) == []
    assert heartbeats.silent(100.0) == []
    assert heartbeats.next_due() is None
