"""Lost hosts are replaced with growing delays, and not for ever."""

from __future__ import annotations

from actors.restarts import LONGEST_DELAY_S, Restarts


def test_restarts_back_off_and_a_success_starts_over() -> None:
    restarts = Restarts(limit=8)
    delays = [restarts.on_loss() for _ in range(8)]
    assert delays[:3] == [0.1, 0.2, 0.4]
    assert delays[-1] == LONGEST_DELAY_S
    assert restarts.on_loss() is None
    restarts.on_success()
    assert restarts.on_loss() == 0.1
