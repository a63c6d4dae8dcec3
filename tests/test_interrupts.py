"""A signal's interrupt passes through code of others; what that code raises by itself is its failure."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress

import pytest

from gnosis_ray.interrupts import failures_as, reraise_since, signals_noted, signals_seen


class FailureError(Exception):
    """What code of others is made responsible for."""


def guarded(work: Callable[[], object]) -> None:
    with failures_as(lambda error: FailureError(type(error).__name__)):
        work()


def interrupted() -> None:
    signal.raise_signal(signal.SIGINT)


def swallowed() -> None:
    with suppress(BaseException):
        interrupted()


def turned_into_another() -> None:
    try:
        interrupted()
    except KeyboardInterrupt as error:
        raise ValueError("stopped") from error


@contextmanager
def handled(number: int, handler: Callable[..., object]) -> Iterator[None]:
    before = signal.signal(number, handler)
    try:
        yield
    finally:
        signal.signal(number, before)


@pytest.mark.parametrize("raised", [SystemExit(3), KeyboardInterrupt(), GeneratorExit(), ValueError("no")])
def test_what_code_raises_by_itself_is_its_failure(raised: BaseException) -> None:
    def work() -> None:
        raise raised

    with pytest.raises(FailureError, match=type(raised).__name__) as caught:
        guarded(work)
    assert caught.value.__cause__ is raised


@pytest.mark.parametrize("work", [interrupted, swallowed, turned_into_another])
def test_a_signal_is_the_users_whatever_the_code_makes_of_it(work: Callable[[], None]) -> None:
    with pytest.raises(KeyboardInterrupt):
        guarded(work)


def test_a_signal_before_the_code_ran_is_not_told_again() -> None:
    with pytest.raises(KeyboardInterrupt):
        guarded(interrupted)
    guarded(lambda: None)
    reraise_since(signals_seen())


def test_the_handler_in_place_says_what_a_signal_raises() -> None:
    class Terminated(KeyboardInterrupt):
        pass

    def terminate(*_: object) -> None:
        raise Terminated

    with handled(signal.SIGTERM, terminate), pytest.raises(Terminated):
        guarded(lambda: signal.raise_signal(signal.SIGTERM))


def test_handlers_are_put_back_also_where_notes_are_nested() -> None:
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    with signals_noted(), signals_noted():
        assert signal.getsignal(signal.SIGINT) is not before[0]
    assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)] == before


def test_in_another_thread_nothing_is_a_signals() -> None:
    def work() -> None:
        with failures_as(lambda error: FailureError(type(error).__name__)):
            raise KeyboardInterrupt

    with ThreadPoolExecutor(1) as pool, pytest.raises(FailureError, match="KeyboardInterrupt"):
        pool.submit(work).result()
