"""A pool of daemon threads, which the interpreter does not join at exit.

The threads of ``concurrent.futures`` are joined when the interpreter exits: one request that hangs would block the
whole program. These can be abandoned.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from queue import SimpleQueue
from typing import TypeVar

T = TypeVar("T")

_Task = Callable[[], None]


class DaemonThreadPool:
    """Runs at most ``size`` tasks at once, started in the order of submission."""

    def __init__(self, size: int, name: str) -> None:
        self._size = size
        self._name = name
        self._lock = threading.Lock()
        self._tasks: SimpleQueue[_Task | None] = SimpleQueue()
        self._threads: list[threading.Thread] = []

    def submit(self, task: Callable[[], T]) -> Future[T]:
        """Run ``task`` when a thread is free; a cancelled task is not started."""
        future: Future[T] = Future()

        def work() -> None:
            if not future.set_running_or_notify_cancel():
                return
            try:
                result = task()
            except BaseException as error:  # noqa: BLE001 - the future carries any error
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
        """End each thread after its present task and those queued before; does not wait."""
        with self._lock:
            for _ in self._threads:
                self._tasks.put(None)

    def _serve(self) -> None:
        while (task := self._tasks.get()) is not None:
            task()
