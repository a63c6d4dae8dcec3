"""Tells a signal's interrupt, which ends a run, from an exit that code of others raises, which is its failure.

A SIGINT or SIGTERM whose handler raises may arrive inside a plug-in. What then leaves the plug-in is the signal's,
whatever the plug-in made of it. A ``SystemExit`` or ``KeyboardInterrupt`` without a signal is the plug-in's own.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

_SIGNALS = (signal.SIGINT, signal.SIGTERM)

_raised: list[BaseException] = []
"""What handlers of signals raised while they were noted, in order."""


class _NotingHandler:
    """A handler of a signal that keeps what the handler in its place raises."""

    def __init__(self, handler: Callable[[int, FrameType | None], object]) -> None:
        self._handler = handler

    def __call__(self, number: int, frame: FrameType | None) -> None:
        try:
            self._handler(number, frame)
        except BaseException as error:
            _raised.append(error)
            raise


@contextmanager
def signals_noted() -> Iterator[None]:
    """Keep what signals raise inside, for :func:`reraise_since`. May be nested.

    Side effect: in the main thread, handlers of SIGINT and SIGTERM are wrapped until the end. Elsewhere signals raise
    nothing.
    """
    replaced = {}
    if threading.current_thread() is threading.main_thread():
        for number in _SIGNALS:
            handler = signal.getsignal(number)
            if callable(handler) and not isinstance(handler, _NotingHandler):
                replaced[number] = handler
                signal.signal(number, _NotingHandler(handler))
    try:
        yield
    finally:
        for number, handler in replaced.items():
            if isinstance(signal.getsignal(number), _NotingHandler):
                signal.signal(number, handler)


def signals_seen() -> int:
    """How many noted signals have raised so far."""
    return len(_raised)


def reraise_since(seen: int) -> None:
    """Raise what a signal raised after :func:`signals_seen` was ``seen``; nothing where none did."""
    if len(_raised) > seen and threading.current_thread() is threading.main_thread():
        raise _raised[-1]


@contextmanager
def failures_as(failure: Callable[[BaseException], BaseException]) -> Iterator[None]:
    """Raise what code of others raises inside as ``failure`` of it, ``SystemExit`` and ``KeyboardInterrupt`` included.

    ``failure`` may return what it was given, to pass that on. A signal's interrupt is raised as it is, even where that
    code swallowed it.
    """
    with signals_noted():
        seen = signals_seen()
        try:
            yield
        except BaseException as error:
            reraise_since(seen)
            named = failure(error)
            if named is error:
                raise
            raise named from error
        reraise_since(seen)
