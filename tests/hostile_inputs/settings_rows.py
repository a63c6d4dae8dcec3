"""Rows for settings: each key with bad values of its kind, in a profile, in a variable, or both."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_origin

import pytest
from pydantic import BaseModel

from gnosis_ray.config import Config, valid_keys
from tests.hostile_inputs.harness import Give, HostileInput, real_calendars

NUMBERS = ("null", '""', "many", "[1]", "{a: 1}", "5%", "1e300", "-1e300", ".nan", ".inf", "true", '"½"', "2026-07-10")
WHOLE = (*NUMBERS, "1.5", "99999999999999999999999999")
TEXTS = ("null", '""', "5", "[a]", "{a: b}", '"\\x1b[31m"', f'"{"x" * 300}"', '" "')
LISTS = ("null", "5", "a", "{a: b}", "[[a]]", "[5.5]")
MAPPINGS = ("null", "5", "a", "[a]", "{a: {b: [.nan]}}", "{a: }")
FLAGS = ("null", "maybe", "5", "[true]")
CHOICES = ("null", '""', "5", "[a]", "of_the_future", "Auto ")
FOLDERS = ("5", "[a]", '""', '"ftp://host/x"', "{a: b}")
MOMENTS = ("null", "yesterday", "[1]", '"1800-01-01"', '"9999-12-31T00:00:00Z"', '"2026-02-30"', "true")

EACH = 2
"""Bad values a setting: all of them would say the same hundreds of times. Which ones turns from key to key."""


def _annotation(key: str) -> Any:
    kind: Any = Config
    for part in key.split("."):
        kind = kind.model_fields[part].annotation if issubclass(kind, BaseModel) else kind
    return kind


def _bad_values(key: str) -> tuple[str, ...]:
    kind = _annotation(key)
    if key == "data.dir":
        return FOLDERS
    if key == "data.synthetic.as_of":
        return MOMENTS
    if kind in (int, float, bool, str):
        return {int: WHOLE, float: NUMBERS, bool: FLAGS, str: _texts(key)}[kind]
    if get_origin(kind) in (tuple, list):
        return LISTS
    return MAPPINGS if get_origin(kind) is dict else CHOICES


def _texts(key: str) -> tuple[str, ...]:
    """An empty address is one: it leaves it to the vendor's client."""
    return tuple(text for text in TEXTS if text != '""') if key.endswith("base_url") else TEXTS


def _nested(key: str, value: str) -> str:
    """A profile with one setting, its value in the last line."""
    *sections, name = key.split(".")
    lines = [f"{'  ' * depth}{section}:" for depth, section in enumerate(sections)]
    return "\n".join([*lines, f"{'  ' * len(sections)}{name}: {value}"]) + "\n"


def profile(text: str | bytes, *arguments: str) -> Give:
    """A command under a profile of this text."""

    def give(folder: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[str, ...]:
        real_calendars(monkeypatch)
        path = folder / "mine.yaml"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return ("--profile", str(path), *(arguments or ("config", "show")))

    return give


def _settings() -> Iterator[HostileInput]:
    for place, key in enumerate(sorted(valid_keys())):
        if key == "plugin_versions":
            continue  # each run fills it in
        values = _bad_values(key)
        for turn in range(EACH):
            value = values[(place * EACH + turn) % len(values)]
            line = f"line {key.count('.') + 1}"
            yield HostileInput(
                f"setting: {key}: {value[:20]}",
                profile(_nested(key, value)),
                (key, "mine.yaml", line, "Expected", "was"),
            )


def _unknown_keys() -> Iterator[HostileInput]:
    for key in (
        "trade.min_confidense",
        "tarde",
        "run",
        "data.privider",
        "market.calender",
        "engines.hegde",
    ):
        said = ("Expected a section",) if key == "run" else (key, "Nearest: ")
        yield HostileInput(f"setting: {key}: unknown key", profile(_nested(key, "5")), ("mine.yaml", "line", *said))
    for key in ("providers.tradier.token", "providers.alpaca.secret_key", "massive_api_key", "data.password"):
        yield HostileInput(
            f"setting: {key}: a credential",
            profile(_nested(key, "hunter2-abcdefgh")),
            (key, "keys.yaml", "line"),
            hides=("hunter2",),
        )


def _names() -> Iterator[HostileInput]:
    for key, value, said in (
        ("market.calendar", "XNYC", "Nearest: 'XNYS'"),
        ("agents.enabled", "[hegde]", "Nearest: 'hedge'"),
        ("engines.enabled", "[hegde]", "one of 'hedge'"),
        ("engines.sentiment.processors", "[nwes]", "Nearest: 'news'"),
        ("trade.strategies", "[iron_condr]", "Nearest: 'iron_condor'"),
        ("data.provider", "stroe", "Nearest: 'store'"),
        ("data.kinds", "{chainz: cboe}", "one of 'chains'"),
        ("plugins", "{nothing: {}}", "plugins.nothing"),
        ("agents.enabled", "[hedge, hedge]", "each name once"),
        ("trade.strategies", "[long_call, long_call]", "each name once"),
        ("data.fetch", "[bars, bars]", "each name once"),
        ("market.risk_free_curve", "[{days: 0, rate: 4.0}]", "from -0.1 to 0.5"),
        ("market.risk_free_curve", "[{days: 0, rate: .04, unit: year}]", "unit"),
        ("market.risk_free_curve", "[{days: 0}]", "rate"),
        ("market.risk_free_curve", "[{days: 9, rate: .04}, {days: 9, rate: .05}]", "ascending order"),
        ("composer.weights", "{primary_hedge: -1}", "composer.weights.primary_hedge"),
        ("composer.weights", "{primary_hedge: .nan}", "composer.weights.primary_hedge"),
        ("providers.cboe.base_url", "file:///etc/passwd", "such as https://"),
    ):
        run = ("scan", "--symbols", "AAPL", "--granularity", "inline", "--out", "new")
        yield HostileInput(f"setting: {key}: {value}", profile(_nested(key, value), *run), (key.split(".")[-1], said))
    for low, high, said in (
        ("min_dte: 50", "max_dte: 10", "min_dte at most max_dte"),
        ("far_min_dte: 90", "far_max_dte: 50", "far_min_dte at most far_max_dte"),
    ):
        yield HostileInput(
            f"setting: trade: {low}, {high}", profile(f"trade:\n  {low}\n  {high}\n"), ("mine.yaml", said)
        )


ROWS = [*_settings(), *_unknown_keys(), *_names()]
