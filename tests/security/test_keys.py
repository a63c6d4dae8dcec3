"""Keys: found in two places, refused where others may read them, shown nowhere."""

from __future__ import annotations

import copy
import logging
import pickle
import traceback
from pathlib import Path

import pytest
from pydantic import SecretStr

from gnosis_ray.errors import ConfigError
from gnosis_ray.security.keys import ENVIRONMENT, KEY_NAMES, Key, KeyName, key_file, key_of

SECRET = "tr4d1er-S3CRET-value"  # noqa: S105 - made up


@pytest.fixture(autouse=True)
def _bare_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GNOSIS_RAY_HOME", str(tmp_path))
    for variables in ENVIRONMENT.values():
        for variable in variables:
            monkeypatch.delenv(variable, raising=False)


def _write(text: str, mode: int = 0o600) -> Path:
    path = key_file()
    path.write_text(text, encoding="utf-8")
    path.chmod(mode)
    return path


@pytest.mark.parametrize(("name", "variable"), [(name, v) for name in KEY_NAMES for v in ENVIRONMENT[name]])
def test_each_variable_of_a_vendor_gives_its_key(name: KeyName, variable: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(variable, f" {SECRET}\n")

    assert key_of(name).get_secret_value() == SECRET


def test_the_environment_goes_before_the_file_and_an_empty_variable_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    _write("tradier: of-the-file\nmassive: other\n")
    monkeypatch.setenv("TRADIER_TOKEN", "")
    assert key_of("tradier").get_secret_value() == "of-the-file"

    monkeypatch.setenv("TRADIER_API_KEY", "of-the-environment")
    assert key_of("tradier").get_secret_value() == "of-the-environment"


def test_a_missing_key_names_both_places() -> None:
    for name in KEY_NAMES:
        with pytest.raises(ConfigError) as told:
            key_of(name)
        for place in (*ENVIRONMENT[name], str(key_file()), f"{name}:"):
            assert place in str(told.value)


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o602, 0o644])
def test_a_file_that_others_may_touch_is_refused_with_the_command_that_mends_it(mode: int) -> None:
    path = _write(f"tradier: {SECRET}\n", mode)

    with pytest.raises(ConfigError, match="chmod 600") as told:
        key_of("tradier")
    assert str(path) in str(told.value)
    path.chmod(0o600)
    assert key_of("tradier").get_secret_value() == SECRET


@pytest.mark.parametrize(
    "text",
    [
        f"tradier: [{SECRET}",
        f"tradier {SECRET}",
        f"- {SECRET}",
        f"{SECRET}: tradier",
        f"tradir: {SECRET}",
        f"tradier: {{value: {SECRET}}}",
        f"tradier: '{SECRET} and more'",
        f'tradier: "{SECRET}\\nX-Injected: 1"',
        f'tradier: "{SECRET}\\0"',
        f"massive: 12\ntradier: {SECRET}",
    ],
)
def test_an_unusable_file_is_told_without_what_it_holds(text: str) -> None:
    path = _write(text)

    with pytest.raises(ConfigError) as told:
        key_of("tradier")
    said = "".join(traceback.format_exception(told.value))
    assert str(path) in str(told.value)
    assert SECRET not in said
    assert SECRET.encode() not in pickle.dumps(told.value)


def test_a_misspelt_name_is_told_its_neighbour() -> None:
    _write("tradeir: x\n")
    with pytest.raises(ConfigError, match="Nearest: 'tradier'"):
        key_of("tradier")


def test_a_key_shows_nowhere(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    monkeypatch.setenv("TRADIER_TOKEN", SECRET)
    key = key_of("tradier")

    logging.getLogger("gnosis_ray.test").warning("%s %r %s", key, key, [key])
    assert isinstance(key, SecretStr)
    assert SECRET not in f"{key} {key!r} {vars(key) | {'_secret_value': None}}" + caplog.text


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_nothing_that_holds_a_key_can_be_pickled(protocol: int) -> None:
    import ray.cloudpickle as cloudpickle

    key = Key(SECRET)
    for held in (key, {"key": [key]}):
        for dumps in (pickle.dumps, cloudpickle.dumps):
            with pytest.raises(TypeError, match="does not leave its process"):
                dumps(held, protocol=protocol)
    assert copy.deepcopy(key) is key
    assert copy.copy(key) == key
