"""Rows for profiles as files: what is no profile, no YAML, no text, or more than settings can be."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pytest

from tests.hostile_inputs.harness import Give, HostileInput, command
from tests.hostile_inputs.settings_rows import profile

BOMB = "plugins:\n  a: &a {x: [1,1,1,1,1,1,1,1,1,1]}\n" + "".join(
    f"  {n}: &{n} {{x: [{', '.join([f'*{m}'] * 10)}]}}\n" for m, n in pairwise("abcdefghij")
)

TEXTS: dict[str, tuple[str | bytes, tuple[str, ...]]] = {
    "a list": ("- a\n- b\n", ("mine.yaml", "line 1", "Expected sections")),
    "a word": ("store\n", ("mine.yaml", "line 1", "was 'store'")),
    "a tab": ("trade:\n\tmax_ideas: 1\n", ("mine.yaml", "line 2", "Expected YAML")),
    "an open bracket": ("trade: {max_ideas: [1\n", ("mine.yaml", "Expected YAML")),
    "two documents": ("trade: {}\n---\ntrade: {}\n", ("mine.yaml", "line 2", "Expected YAML")),
    "a tag of Python": ("trade: !!python/object:os.system {}\n", ("mine.yaml", "line 1", "Expected YAML")),
    "Latin-1": (b"# caf\xe9\n", ("mine.yaml", "line 1", "UTF-8", "0xe9")),
    "UTF-16": ("trade: {}\n".encode("utf-16"), ("mine.yaml", "UTF-8")),
    "zero bytes": (b"trade:\0\n", ("mine.yaml", "Expected YAML")),
    "a key twice": ("data:\n  provider: store\n  provider: synthetic\n", ("line 3", "data.provider", "line 2")),
    "a section twice": ("data: {}\ntrade: {}\ndata: {}\n", ("line 3", "'data'", "line 1")),
    "a number as a key": ("5: 5\n", ("line 1", "was '5'")),
    "a word of YAML as a key": ("trade:\n  no: 5\n", ("line 2", "was 'no'")),
    "a list as a key": ("? [a, b]\n: 5\n", ("line 1", "a list or a mapping")),
    "an anchor in itself": ("plugins: &a\n  x: *a\n", ("line 1", "anchor")),
    "a bomb of anchors": (BOMB, ("line", "100,000 values")),
    "a deep hole": ("plugins: " + "{a: " * 60 + "1" + "}" * 60 + "\n", ("line 1", "levels deep")),
    "a newer format": ("format: 99\n", ("mine.yaml", "format 99", "the version that wrote it")),
    "a format as text": ("format: one\n", ("mine.yaml", "a whole number such as 1", "was 'one'")),
    "an impossible day": ("data: {synthetic: {as_of: 2026-02-30}}\n", ("mine.yaml", "line 1", "was '2026-02-30'")),
    "a megabyte": ("# " + "x" * 1_100_000 + "\n", ("mine.yaml", "1,000,000 bytes")),
}


def _folder(folder: Path, _monkeypatch: pytest.MonkeyPatch) -> tuple[str, ...]:
    return ("--profile", str(folder), "config", "show")


def _loop(folder: Path, _monkeypatch: pytest.MonkeyPatch) -> tuple[str, ...]:
    (folder / "loop.yaml").symlink_to(folder / "loop.yaml")
    return ("--profile", str(folder / "loop.yaml"), "config", "show")


def _other_name(folder: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[str, ...]:
    home = folder / "home"
    (home / "profiles").mkdir(parents=True)
    (home / "profiles" / "nightly.yaml").write_text("{}")
    monkeypatch.setenv("GNOSIS_RAY_HOME", str(home))
    return ("--profile", "nigthly", "config", "show")


def _named(name: str) -> Give:
    return command("--profile", name, "config", "show")


FILES: dict[str, tuple[Callable[[Path, pytest.MonkeyPatch], tuple[str, ...]] | Give, tuple[str, ...]]] = {
    "not there": (_named("nowhere.yaml"), ("nowhere.yaml",)),
    "empty name": (_named(""), ("profile",)),
    "blank name": (_named("  "), ("profile",)),
    "a very long name": (_named("x" * 5000), ("No profile",)),
    "a zero in the name": (_named("a\0b"), ("profile",)),
    "a folder": (_folder, ("No profile",)),
    "a link to itself": (_loop, ("No profile", "loop.yaml")),
    "a misspelt name": (_other_name, ("nigthly", "Nearest: 'nightly'")),
}

ROWS = [
    *(HostileInput(f"profile: text: {name}", profile(text), says) for name, (text, says) in TEXTS.items()),
    *(HostileInput(f"profile: file: {name}", give, says) for name, (give, says) in FILES.items()),
]
