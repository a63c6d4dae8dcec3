"""Rows for environment variables: names that nearly are ours, and values of every wrong kind."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from tests.hostile_inputs.harness import Give, HostileInput, real_calendars

SHOW = ("config", "show")
SCAN = ("scan", "--symbols", "AAPL", "--granularity", "inline", "--out", "new")


def variables(values: Mapping[str, str], *arguments: str) -> Give:
    """A command under these variables."""

    def give(_folder: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[str, ...]:
        real_calendars(monkeypatch)
        for name, value in values.items():
            monkeypatch.setenv(name, value)
        return arguments or SHOW

    return give


VALUES: dict[str, tuple[str, ...]] = {
    "TRADE__MIN_CONFIDENCE": ("", "many", "7", "-0.1", "nan", "inf", "5%", "0,5", "½", "1e999", "[0.1]", "true"),
    "RUN__BATCH_SIZE": ("", "0", "-3", "2.5", "1e3", "1_000_000_000", "9" * 40, "null", "０x"),
    "RUN__BATCH_TIMEOUT_S": ("5m", "0", "300000", "-1"),
    "TRADE__NEUTRAL_WHEN_FLAT": ("", "maybe", "2", "tru"),
    "RUN__GRANULARITY": ("", "Auto", "INLINE ", "cluster", "[auto]"),
    "ENGINES__HEDGE__DEALER_CALL_SIGN": ("", "0", "+", "1.5"),
    "DATA__SYNTHETIC__AS_OF": ("", "yesterday", "1800-01-01", "2026-13-01"),
    "AGENTS__ENABLED": ("", "hedge", "hedge,liquidity", "[]", "[5]", "{}", '["hedge"', '["hedge","hedge"]', "null"),
    "COMPOSER__WEIGHTS": ("", "[1]", "{not json", '{"a": "b"}', '{"a": -1}', '{"a": NaN}', "5"),
    "MARKET__RISK_FREE_CURVE": ('[{"days": 0, "rate": 4.0}]', '[{"days": 0}]', "0.04", "[0.04]"),
    "DATA__DIR": ("", " ", "ftp://host/x", "s3://"),
    "PROVIDERS__CBOE__BASE_URL": ("cdn.cboe.com", "ftp://x", "https://me:hunter2@host"),
}


def _values() -> Iterator[HostileInput]:
    for name, values in VALUES.items():
        variable, key = f"GNOSIS_RAY__{name}", name.lower().replace("__", ".")
        for value in values:
            yield HostileInput(
                f"variable: {variable}: {value[:20]!r}",
                variables({variable: value}),
                (variable, key, "Expected"),
                hides=("hunter2",),
            )


NAMES: dict[str, tuple[Mapping[str, str], tuple[str, ...]]] = {
    "one underscore": (
        {"GNOSIS_RAY_DATA__PROVIDER": "store"},
        ("GNOSIS_RAY_DATA__PROVIDER", "GNOSIS_RAY__DATA__PROVIDER"),
    ),
    "underscores of one": ({"GNOSIS_RAY_DATA_PROVIDER": "store"}, ("GNOSIS_RAY__DATA__PROVIDER",)),
    "three underscores": ({"GNOSIS_RAY___DATA__PROVIDER": "store"}, ("GNOSIS_RAY___DATA__PROVIDER",)),
    "in small letters": (
        {"gnosis_ray__run__batch_sise": "5"},
        ("gnosis_ray__run__batch_sise", "Nearest: 'run.batch_size'"),
    ),
    "an unknown section": ({"GNOSIS_RAY__RUNS__BATCH_SIZE": "5"}, ("runs.batch_size", "Nearest: 'run.batch_size'")),
    "a section": ({"GNOSIS_RAY__TRADE": "{}"}, ("GNOSIS_RAY__TRADE",)),
    "nothing": ({"GNOSIS_RAY__": "5"}, ("GNOSIS_RAY__",)),
    "twice": (
        {"GNOSIS_RAY__RUN__BATCH_SIZE": "5", "GNOSIS_RAY__run__batch_size": "6"},
        ("run.batch_size", "is set by"),
    ),
    "a token": ({"GNOSIS_RAY__PROVIDERS__TRADIER__TOKEN": "hunter2-abcdefgh"}, ("TRADIER__TOKEN", "keys.yaml")),
    "an escape": ({"GNOSIS_RAY__RUN__\x1b[31m": "5"}, ("\\x1b[31m",)),
}

CONTENTS: dict[str, tuple[Mapping[str, str], tuple[str, ...]]] = {
    "an unknown calendar": ({"GNOSIS_RAY__MARKET__CALENDAR": "NYSEE"}, ("market.calendar", "'NYSEE'", "Nearest: ")),
    "an unknown provider": ({"GNOSIS_RAY__DATA__PROVIDER": "yahooo"}, ("data.provider", "Nearest: 'yahoo'")),
    "an unknown strategy": (
        {"GNOSIS_RAY__TRADE__STRATEGIES": '["long_cal"]'},
        ("trade.strategies", "Nearest: 'long_call'"),
    ),
    "an unknown log level": ({"GNOSIS_RAY_LOG": "loud"}, ("--log-level", "'loud'")),
}

ROWS = [
    *_values(),
    *(
        HostileInput(f"variable: name: {name}", variables(values), says, hides=("hunter2",))
        for name, (values, says) in NAMES.items()
    ),
    *(
        HostileInput(f"variable: content: {name}", variables(values, *SCAN), says)
        for name, (values, says) in CONTENTS.items()
    ),
]
