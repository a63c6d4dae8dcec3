"""Messages and progress bars on a terminal or in a notebook."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager

from rich.console import Console, ConsoleOptions, RenderableType
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.segment import Segment

from gnosis_ray.api.observer import Level, Step
from gnosis_ray.plain_text import plain_lines

STYLES: Mapping[Level, str | None] = {"transient": "dim", "note": "dim", "info": None, "warning": "yellow"}


class ConsoleObserver:
    """A :class:`gnosis_ray.api.observer.RunObserver` that prints on a console; bars on a terminal only."""

    def __init__(self, console: Console) -> None:
        self._console = console

    def message(self, text: str, level: Level = "info") -> None:
        """Print a line; a transient one on a terminal only."""
        if level != "transient" or self._console.is_terminal:
            self._console.print(text, style=STYLES[level])

    @contextmanager
    def progress(self, title: str, total: int) -> Iterator[Step]:
        """A bar that moves when the step is called; nothing at all where the console is no terminal."""
        columns = (
            SpinnerColumn(),
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("{task.fields[text]}", style="dim", markup=False),
        )
        hidden = not self._console.is_terminal
        with Progress(*columns, console=self._console, transient=True, disable=hidden) as progress:
            task = progress.add_task(title, total=total, text="")

            def step(text: str, done: int, total: int) -> None:
                progress.update(task, completed=done, total=total, text=text)

            yield step


class PlainConsole(Console):
    """A console that writes no control characters but its own, wherever a text comes from.

    Texts are cleaned where they enter; what older versions stored was not.
    """

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        """See :class:`rich.console.Console`."""
        for segment in super().render(renderable, options):
            yield segment if segment.control else segment._replace(text=plain_lines(segment.text))


def plain_console() -> PlainConsole:
    """A console on standard error that prints texts as they are: brackets and colons in a message are literal."""
    return PlainConsole(stderr=True, highlight=False, soft_wrap=True, markup=False, emoji=False)
