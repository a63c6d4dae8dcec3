"""A few threads that nobody waits for at the end.

The threads of ``concurrent.futures`` are joined when the interpreter exits: one request that hangs would hold up the
whole program. These are daemons, and can be left behind.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from queue import SimpleQueue
from typing import TypeVar

T = TypeVar("T")

_Task = Callable[[], None]


class Pool:
    """At most ``size`` tasks at once, begun in the order in which they came."""

    def __init__(self, size: int, name: str) -> None:
        self._size = size
        self._name = name
        self._lock = threading.Lock()
        self._tasks: SimpleQueue[_Task | None] = SimpleQueue()
        self._threads: list[threading.Thread] = []

    def submit(self, task: Callable[[], T]) -> Future[T]:
        """Do ``task`` when a thread is free; a cancelled one is not begun."""
        future: Future[T] = Future()

        def work() -> None:
            if not future.set_running_or_notify_cancel():
                return
            try:
                result = task()
            except BaseException as error:  # noqa: BLE001 - it is the future's, whatever it is
                future.set_exception(error)
            else:
                future.set_result(result)

        self._tasks.put(work)
        with self._lock:
            if len(self._threads) < self._size:
                thread = threading.Thread(
                    target=self._serve, name=f"{self._name}-{len(self._threads) + 1}", daemon=True
                )
                self._threads.append(thread)
                thread.start()
        return future

    def close(self) -> None:
        """Let each thread end after what it is at and what is queued before; waits for none."""
        with self._lock:
            for _ in self._threads:
                self._tasks.put(None)

    def _serve(self) -> None:
        while (task := self._tasks.get()) is not None:
            task()
