"""Settings that are refused: by file and line, or variable, by key and value, and with what was expected."""

from __future__ import annotations

import os
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from gnosis_ray.config import Config, load_config
from gnosis_ray.errors import ConfigError


@pytest.fixture(autouse=True)
def _clean(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No settings but the defaults: an own home, an empty environment."""
    for variable in os.environ:
        if variable.startswith("GNOSIS_RAY__"):
            monkeypatch.delenv(variable)
    monkeypatch.setenv("GNOSIS_RAY_HOME", str(tmp_path / "home"))


def test_every_number_has_bounds() -> None:
    def numbers(model: type[BaseModel], prefix: str) -> Iterator[tuple[str, bool]]:
        for name, field in model.model_fields.items():
            kind = field.annotation
            if isinstance(kind, type) and issubclass(kind, BaseModel):
                yield from numbers(kind, f"{prefix}{name}.")
            elif kind in (int, float):
                low = any(hasattr(one, sign) for one in field.metadata for sign in ("ge", "gt"))
                yield f"{prefix}{name}", low and any(hasattr(one, s) for one in field.metadata for s in ("le", "lt"))

    found = dict(numbers(Config, ""))
    assert len(found) > 150
    assert [key for key, bounded in found.items() if not bounded] == []


@pytest.mark.parametrize(
    "text", ["", "\n", "# trade:\n#   min_confidence: 0.2\n", "---\n", "trade:\n  # nothing yet\n"]
)
def test_an_empty_profile_changes_nothing(tmp_path: Path, config: Config, text: str) -> None:
    path = tmp_path / "empty.yaml"
    path.write_text(text)
    assert load_config(str(path)).config == config


BIDI = "\u202e"
PROFILES: dict[str, tuple[str | bytes, str]] = {
    "a key twice": (
        "data:\n  provider: store\n  provider: synthetic\n",
        "Cannot read settings from {path}, line 3: Expected each key once, was 'data.provider' in line 2 too: "
        "keep one of them",
    ),
    "a section twice": (
        "data:\n  provider: store\ntrade:\n  max_ideas: 1\ndata:\n  fetch: [bars]\n",
        "Cannot read settings from {path}, line 5: Expected each key once, was 'data' in line 1 too: keep one of them",
    ),
    "a rate in percent": (
        "market:\n  risk_free_curve:\n    - {days: 0, rate: 0.04}\n    - {days: 30, rate: 4.0}\n",
        "market.risk_free_curve.1.rate (from profile {path}, line 4): Expected a number from -0.1 to 0.5, was 4.0",
    ),
    "days in another order": (
        "market:\n  risk_free_curve: [{days: 30, rate: 0.04}, {days: 0, rate: 0.04}]\n",
        "market (from profile {path}, line 1): "
        "Expected the days of risk_free_curve in ascending order, were [30.0, 0.0]",
    ),
    "a billion points": (
        "engines:\n  hedge:\n    profile_points: 1000000000\n",
        "engines.hedge.profile_points (from profile {path}, line 3): "
        "Expected a whole number from 3 to 10,001, was 1000000000",
    ),
    "a token": (
        "providers:\n  tradier:\n    token: abcdefghijklmnop\n",
        "Unknown setting 'providers.tradier.token' (from profile {path}, line 3). Keys and tokens of vendors are no "
        'settings: set the vendor\'s own environment variable, such as TRADIER_TOKEN, or write a line name: "value" '
        "into keys.yaml in GNOSIS_RAY_HOME (chmod 600); docs/providers.md names them.",
    ),
    "a word of YAML as a key": (
        "on: 5\n",
        "Cannot read settings from {path}, line 1: Expected a name as text, was 'on': put it in quotes",
    ),
    "a list as a section": (
        "trade: [1, 2]\n",
        "trade (from profile {path}, line 1): Expected a section of settings, such as {{name: value}}, was [1, 2]",
    ),
    "a text as a list": (
        "agents:\n  enabled: hedge\n",
        "agents.enabled (from profile {path}, line 2): Expected a list, as [first, second], was 'hedge'",
    ),
    "an empty list": (
        "agents:\n  enabled: []\n",
        "agents.enabled (from profile {path}, line 2): Expected at least 1 in the list, was []",
    ),
    "a name twice": (
        "agents:\n  enabled: [hedge, hedge]\n",
        "agents.enabled (from profile {path}, line 2): Expected each name once, was ['hedge', 'hedge']",
    ),
    "not a number": (
        "trade:\n  min_confidence: .nan\n",
        "trade.min_confidence (from profile {path}, line 2): Expected a number from 0 to 1, was nan",
    ),
    "no YAML": (
        "trade:\n  max_ideas: [1\ndata:\n",
        "Cannot read settings from {path}, line 3 ('data:'): Expected YAML, that is sections with lines `key: value`, "
        "indented by spaces",
    ),
    "no UTF-8": (
        b"trade:\n  # caf\xe9\n",
        "Cannot read settings from {path}, line 2: Expected text in UTF-8, was byte 0xe9: save the file as UTF-8",
    ),
    "an anchor in itself": (
        "plugins: &a\n  x: *a\n",
        "Cannot read settings from {path}, line 1: Expected no anchor that holds itself: take the anchor out",
    ),
    "a bomb of anchors": (
        "plugins:\n  a: &a {x: [1,1,1,1,1,1,1,1,1,1]}\n"
        + "".join(f"  {n}: &{n} {{x: [{', '.join([f'*{m}'] * 10)}]}}\n" for m, n in pairwise("abcdefghij")),
        "Cannot read settings from {path}, line 2: Expected at most 100,000 values, 50 levels deep, was more: "
        "take anchors out",
    ),
    "a key that turns the line": (
        f"trade:\n  {BIDI}min: 1\n",
        "Unknown setting 'trade.\\u202emin' (from profile {path}, line 2). Nearest: 'trade.min_dte'.",
    ),
}


@pytest.mark.parametrize("name", PROFILES)
def test_a_profile_is_refused_by_file_line_key_and_value(tmp_path: Path, name: str) -> None:
    text, message = PROFILES[name]
    path = tmp_path / "mine.yaml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(ConfigError) as caught:
        load_config(str(path))
    told = str(caught.value)
    wanted = message.format(path=path)
    assert told in (wanted, f"Unusable setting. {wanted}. Correct it, or take it out: the default then holds")
    assert "abcdefghijklmnop" not in told
    assert caught.value.exit_code == 2


VARIABLES: dict[str, tuple[dict[str, str], str]] = {
    "one underscore after our name": (
        {"GNOSIS_RAY_DATA__PROVIDER": "store"},
        "Environment variable GNOSIS_RAY_DATA__PROVIDER: "
        "Expected two underscores between the parts: GNOSIS_RAY__DATA__PROVIDER",
    ),
    "one underscore everywhere": (
        {"GNOSIS_RAY_TRADE_MIN_CONFIDENCE": "0.3"},
        "Environment variable GNOSIS_RAY_TRADE_MIN_CONFIDENCE: "
        "Expected two underscores between the parts: GNOSIS_RAY__TRADE__MIN_CONFIDENCE",
    ),
    "twice, in two spellings": (
        {"GNOSIS_RAY__TRADE__MAX_IDEAS": "1", "gnosis_ray__trade__max_ideas": "2"},
        "trade.max_ideas is set by GNOSIS_RAY__TRADE__MAX_IDEAS and by gnosis_ray__trade__max_ideas: unset one of them",
    ),
    "a list that is none": (
        {"GNOSIS_RAY__AGENTS__ENABLED": "hedge,liquidity"},
        "agents.enabled (from environment variable GNOSIS_RAY__AGENTS__ENABLED): "
        "Expected a list, such as '[\"first\", \"second\"]', as JSON, was 'hedge,liquidity'",
    ),
    "a mapping where a list is": (
        {"GNOSIS_RAY__AGENTS__ENABLED": "{}"},
        "agents.enabled (from environment variable GNOSIS_RAY__AGENTS__ENABLED): "
        "Expected a list, as [first, second], was {}",
    ),
    "in another unit": (
        {"GNOSIS_RAY__RUN__BATCH_TIMEOUT_S": "300000"},
        "run.batch_timeout_s (from environment variable GNOSIS_RAY__RUN__BATCH_TIMEOUT_S): "
        "Expected a number above 0 and up to 86,400, was '300000'",
    ),
    "a token": (
        {"GNOSIS_RAY__PROVIDERS__TRADIER__TOKEN": "abcdefghijklmnop"},
        "Unknown setting 'providers.tradier.token' (from environment variable GNOSIS_RAY__PROVIDERS__TRADIER__TOKEN). "
        "Keys and tokens of vendors are no settings",
    ),
}


@pytest.mark.parametrize("name", VARIABLES)
def test_a_variable_is_refused_by_its_name_and_value(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    variables, message = VARIABLES[name]
    for variable, value in variables.items():
        monkeypatch.setenv(variable, value)
    with pytest.raises(ConfigError) as caught:
        load_config()
    assert str(caught.value).removeprefix("Unusable setting. ").startswith(message)
    assert "abcdefghijklmnop" not in str(caught.value)


@pytest.mark.parametrize("name", ["GNOSIS_RAY_HOME", "GNOSIS_RAY_LOG", "GNOSIS_RAY_REALDATA", "GNOSIS_RAYS"])
def test_other_variables_of_our_name_are_left_alone(
    monkeypatch: pytest.MonkeyPatch, config: Config, tmp_path: Path, name: str
) -> None:
    monkeypatch.setenv(name, str(tmp_path))
    assert load_config().config == config


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ([1], "settings: Expected values by dotted key, as {'run.batch_size': 8}, was [1]"),
        ("run.batch_size", "settings: Expected values by dotted key, as {'run.batch_size': 8}, was 'run.batch_size'"),
        ({1: 2}, "settings: Expected a dotted key such as 'run.batch_size', was 1"),
        ({"run": 5}, "settings: Expected the key of a value, such as 'run.granularity', was the section 'run'"),
        ({"run.batch_size.x": 5}, "Unknown setting 'run.batch_size.x' (from flag). Nearest: 'run.batch_size'."),
    ],
)
def test_what_is_no_mapping_of_settings_is_refused(settings: Any, message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load_config(flags=settings)
    assert str(caught.value) == message


@pytest.mark.parametrize("name", [5, "", " ", "\0", "x" * 5000])
def test_what_is_no_profile_is_refused(name: Any) -> None:
    with pytest.raises(ConfigError, match="profile"):
        load_config(name)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"run": 5}, "run: Expected settings by name, as {name: value}, was 5"),
        ({"run": {1: 2}}, "Unknown setting 'run.1' (from change). Nearest: 'run."),
        ({"nothing": {}}, "Unknown setting 'nothing' (from change). Nearest: '"),
        (
            {"engines": {"hedge": {"profile_points": 10**9}}},
            "Unusable setting of HedgeConfig. engines.hedge.profile_points: "
            "Expected a whole number from 3 to 10,001, was 1000000000",
        ),
    ],
)
def test_a_change_that_is_none_is_refused(config: Config, changes: Any, message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        config.replaced(**changes)
    assert str(caught.value).startswith(message)
