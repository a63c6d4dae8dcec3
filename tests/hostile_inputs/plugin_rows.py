"""Rows for plug-ins: each kind with factories that cannot be used, found before anything runs."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.hostile_inputs.harness import Give, HostileInput
from tests.support.offered_plugins import install

NAMED: dict[str, dict[str, Any]] = {
    "agents": {"agents": {"enabled": ["hedge", "mine"]}},
    "processors": {"engines": {"sentiment": {"processors": ["flow", "mine"]}}},
    "providers": {"data": {"provider": "mine"}},
    "strategies": {"trade": {"strategies": ["long_call", "mine"]}},
}

FACTORIES: dict[str, tuple[str, str]] = {
    "exits on import": ("raise SystemExit(7)", "SystemExit: 7"),
    "is no Python": ("def make(:", "SyntaxError"),
    "needs what is not there": ("import no_such_module", "ModuleNotFoundError"),
    "has no factory": ("other = 5", "AttributeError"),
    "is a number": ("make = 5", "Expected a factory, was int"),
    "is for other contracts": ("PLUGIN_API = 99\ndef make(*_): ...", "PLUGIN_API 99"),
    "takes nothing": ("def make(): ...", "TypeError"),
    "exits": ("def make(*_): raise SystemExit", "SystemExit"),
    "interrupts": ("def make(*_): raise KeyboardInterrupt", "KeyboardInterrupt"),
    "returns nothing": ("def make(*_): return None", "Expected a"),
    "returns a class": ("class Mine: ...\ndef make(*_): return Mine", "Expected a"),
    "returns another kind": ("def make(*_): return {'step': 5}", "Expected a"),
}

KINDS: dict[str, dict[str, tuple[str, str]]] = {
    "agents": {
        "cannot step": ("class Mine:\n    step = 5\ndef make(*_): return Mine()", "step cannot be called"),
    },
    "processors": {
        "has no source": (
            "class Mine:\n    name = 'mood'\n    def compute(self, s, n): ...\ndef make(*_): return Mine()",
            "named one of news, flow, technical, was 'mood'",
        ),
        "needs what is none": (
            "class Mine:\n    name = 'news'\n    data_requirements = 5\n    def compute(self, s, n): ...\n"
            "def make(*_): return Mine()",
            "Expected data_requirements",
        ),
    },
    "providers": {
        "has no name": (
            "class Mine:\n    name, synthetic = '', True\n"
            "    raw_chains = bars = trades = quotes = news = default_as_of = lambda *_: None\n"
            "def make(*_): return Mine()",
            "with a name, was ''",
        ),
        "may be synthetic": (
            "class Mine:\n    name, synthetic = 'mine', 'maybe'\n"
            "    raw_chains = bars = trades = quotes = news = default_as_of = lambda *_: None\n"
            "def make(*_): return Mine()",
            "synthetic is true or false, was 'maybe'",
        ),
    },
    "strategies": {
        "has another name": (
            "import dataclasses, gnosis_ray.agents.strategies.builtin_strategies as b\n"
            "def make(*_): return b.BUILTIN_STRATEGIES[0]",
            "Expected a StrategySpec named 'mine'",
        ),
        "wants NaN": (
            "import dataclasses, gnosis_ray.agents.strategies.builtin_strategies as b\n"
            "def make(*_): return dataclasses.replace(b.BUILTIN_STRATEGIES[0], name='mine', min_reward=float('nan'))",
            "min_reward",
        ),
        "was changed since": (
            "import dataclasses, gnosis_ray.agents.strategies.builtin_strategies as b\n"
            "def make(*_):\n    made = dataclasses.replace(b.BUILTIN_STRATEGIES[0], name='mine')\n"
            "    object.__setattr__(made, 'min_reward', float('inf'))\n    return made",
            "min_reward",
        ),
    },
}


def plugged(kind: str, source: str) -> Give:
    """A scan that names a plug-in of this source."""

    def give(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Sequence[str]:
        install(folder / "installed", kind, source, monkeypatch)
        (folder / "mine.yaml").write_text(json.dumps(NAMED[kind]))
        words = ("scan", "--symbols", "AAPL", "--granularity", "inline", "--out", "new")
        return ("--profile", str(folder / "mine.yaml"), *words)

    return give


def _rows() -> Iterator[HostileInput]:
    for kind in NAMED:
        named = f"Plug-in 'mine' (other 1.0, entry point hostile_plugin:make of gnosis_ray.{kind})"
        for name, (source, said) in {**FACTORIES, **KINDS[kind]}.items():
            own = ("positional argument",)
            yield HostileInput(f"plug-in: {kind}: {name}", plugged(kind, source), (named, said), own_words=own)


ROWS = list(_rows())
