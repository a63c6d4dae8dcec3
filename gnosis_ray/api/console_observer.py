"""Progress bars: on a terminal only, on stderr."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from gnosis_ray.cli.console import stderr


class Step(Protocol):
    """Reports where the work stands."""

    def __call__(self, text: str, done: int, total: int) -> None:
        """``done`` of ``total``; ``text`` says what is being worked on."""
        ...


@contextmanager
def bar(title: str, total: int) -> Iterator[Step]:
    """A bar that moves when the step is called; nothing at all where stderr is no terminal."""
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.fields[text]}", style="dim"),
    )
    with Progress(*columns, console=stderr, transient=True, disable=not stderr.is_terminal) as progress:
        task = progress.add_task(title, total=total, text="")

        def step(text: str, done: int, total: int) -> None:
            progress.update(task, completed=done, total=total, text=text)

        yield step
