"""What a run reports while it works: messages and progress, for whichever front end watches."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Literal, Protocol

Level = Literal["transient", "note", "info", "warning"]
"""``transient``: of interest only to who is watching now; ``note``: background; ``warning``: something to distrust."""


class Step(Protocol):
    """Reports where the work stands."""

    def __call__(self, text: str, done: int, total: int) -> None:
        """``done`` of ``total``; ``text`` says what is being worked on."""
        ...


class RunObserver(Protocol):
    """Receives what a run reports."""

    def message(self, text: str, level: Level = "info") -> None:
        """Show a line of plain text."""
        ...

    def progress(self, title: str, total: int) -> AbstractContextManager[Step]:
        """Show the progress of ``total`` items until the context is left."""
        ...


class SilentObserver:
    """A :class:`RunObserver` that shows nothing."""

    def message(self, text: str, level: Level = "info") -> None:
        """Nothing."""

    @contextmanager
    def progress(self, title: str, total: int) -> Iterator[Step]:  # noqa: ARG002
        """Nothing."""
        yield lambda _text, _done, _total: None
