"""What a good answer to a bad input is: the right exit code, and what, where, what was expected, what to do."""

from __future__ import annotations

import hashlib
import importlib
import pkgutil
import random
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from gnosis_ray.app.sources import build_calendar
from gnosis_ray.exit_codes import ExitCode

SAMPLED = 40
"""Rows that the gate runs; all of them run in ``make hostile-inputs``."""
SEED = 20260710

LIBRARY_WORDS = (
    "Traceback",
    "a fault of gnosis-ray",
    "validation error",
    "Input should",
    "Field required",
    "Value error",
    "should have at least",
    "pydantic",
    "polars.",
    "PolarsError",
    "yaml",
    "exchange_calendars",
    "Float64",
    "Utf8",
    "time_unit=",
    "object at 0x",
    "is not a valid",
    "is not in the range",
    "Errno",
    "unhashable",
    "positional argument",
    "<class",
)
"""What says something only to those who know our libraries. ``keys.yaml`` and ``mine.yaml`` are names of files."""

_FILES = re.compile(r"[\w./~-]*\.(?:yaml|yml)\b")

ADVICE = re.compile(
    r"Nearest: |Try 'gnosis-ray|Correct it|keep one of them|unset one of them|[Dd]rop |[Ss]et the |[Gg]ive |add |"
    r"save the file|repair or uninstall|[Ss]tart one with|Put the file back|[Ii]nstall|such as |indented by|fills it|"
    r"take |put it in quotes|give |upgrade |Read it with|between the parts: |keys\.yaml"
)
"""How an answer says what to do: by an imperative, the nearest valid name, or an example of what is right."""


@dataclass(frozen=True)
class CommandResult:
    """What a command left."""

    code: int
    out: str
    err: str


Give = Callable[[Path, pytest.MonkeyPatch], Sequence[str]]
"""Prepares the input in an empty folder, and returns the command line that meets it."""


@dataclass(frozen=True)
class HostileInput:
    """One bad input and what the answer has to hold."""

    name: str
    """``kind: place: badness``; unique."""
    give: Give
    says: tuple[str, ...]
    """What the answer names: the option, key, variable, file, line or column, and the value."""
    code: int = ExitCode.USAGE
    hides: tuple[str, ...] = ()
    """What it may not show: credentials."""
    own_words: tuple[str, ...] = ()
    """Words of libraries that are the input's own, such as the type of an error that a plug-in raises."""


def command(*arguments: str) -> Give:
    """A command line that needs nothing prepared."""
    return lambda _folder, _monkeypatch: arguments


def real_calendars(monkeypatch: pytest.MonkeyPatch) -> None:
    """Undo what makes scans of tests quick: the calendar is then that of the settings."""
    monkeypatch.setattr("gnosis_ray.api.run_flow.build_calendar", build_calendar)


def require_good_answer(row: HostileInput, answer: CommandResult) -> None:
    """Raise :class:`AssertionError` saying what an answer lacks."""
    told = " ".join(answer.err.split())
    problems = [f"exit code {answer.code}, not {int(row.code)}"] if answer.code != row.code else []
    problems += [f"stdout is not empty: {answer.out[:80]!r}"] if answer.out else []
    problems += [f"does not name {name!r}" for name in row.says if " ".join(name.split()) not in told]
    problems += [f"shows {secret!r}" for secret in row.hides if secret in told]
    plain = _FILES.sub("", told)
    problems += [f"speaks of {word!r}" for word in LIBRARY_WORDS if word in plain and word not in row.own_words]
    problems += [] if ADVICE.search(told) else ["gives no advice"]
    assert not problems, f"{row.name}: {'; '.join(problems)}. The answer was: {told[:1500]}"


def contents_of(folder: Path) -> dict[str, str]:
    """A digest of every file below a folder: what a bad input may not change."""
    files = (path for path in sorted(folder.rglob("*")) if path.is_file())
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def all_rows() -> list[HostileInput]:
    """The rows of every module of this package."""
    package = importlib.import_module(__package__)
    names = sorted(module.name for module in pkgutil.iter_modules(package.__path__))
    modules = [importlib.import_module(f"{__package__}.{name}") for name in names if not name.startswith("test_")]
    rows: list[HostileInput] = [row for module in modules for row in getattr(module, "ROWS", ())]
    twice = {row.name for row in rows if sum(other.name == row.name for other in rows) > 1}
    if twice:
        raise ValueError(f"Expected names that differ, was twice: {sorted(twice)}")
    return rows


def parameters() -> Iterator[object]:
    """Every row for pytest; those outside of the sample are marked ``hostile_rows``."""
    rows = all_rows()
    sampled = {row.name for row in random.Random(SEED).sample(rows, min(SAMPLED, len(rows)))}  # noqa: S311 - no secret
    for row in rows:
        yield pytest.param(row, id=row.name, marks=() if row.name in sampled else pytest.mark.hostile_rows)
