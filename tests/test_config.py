"""Settings: one default each, strict keys, layers in order, and a hash over what decides."""

from __future__ import annotations

import os
import pickle
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import BaseModel, ValidationError

from gnosis_ray.config import Config, config_root, load_config, valid_keys
from gnosis_ray.errors import ConfigError, FormatError
from tests.support.recorded import FORMAT_1

KEY = "trade.min_confidence"
VARIABLE = "GNOSIS_RAY__TRADE__MIN_CONFIDENCE"
DEFAULT = 0.15


@pytest.fixture(autouse=True)
def _clean(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No settings but the defaults: an own home, an empty environment."""
    for variable in os.environ:
        if variable.startswith("GNOSIS_RAY__"):
            monkeypatch.delenv(variable)
    monkeypatch.setenv("GNOSIS_RAY_HOME", str(tmp_path / "home"))


def profile(folder: Path, body: Mapping[str, Any], name: str = "mine") -> Path:
    path = folder / f"{name}.yaml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(yaml.safe_dump(dict(body)))
    return path


def test_the_first_layer_that_has_an_opinion_wins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def seen(path: str | None, flag: float | None = None) -> tuple[float, str]:
        loaded = load_config(path, {KEY: flag})
        return loaded.config.trade.min_confidence, loaded.origins[KEY]

    path = str(profile(tmp_path, {"trade": {"min_confidence": 0.2}}))
    assert seen(None) == (DEFAULT, "default")
    assert seen(path) == (0.2, f"profile {path}")
    monkeypatch.setenv(VARIABLE, "0.3")
    assert seen(path) == (0.3, "environment")
    assert seen(path, flag=0.4) == (0.4, "flag")


def test_every_setting_has_a_default_and_an_origin() -> None:
    loaded = load_config()
    assert set(loaded.origins) == set(valid_keys())
    assert set(loaded.origins.values()) == {"default"}


def test_valid_keys_are_the_leaves_of_the_settings() -> None:
    config = load_config().config
    for key in valid_keys():
        value: Any = config
        for name in key.split("."):
            value = getattr(value, name)
        assert not isinstance(value, BaseModel), key
    assert {KEY, "data.synthetic.seed", "market.risk_free_curve", "run.granularity"} <= set(valid_keys())
    assert "trade" not in valid_keys()


def test_a_named_profile_is_found_at_home(tmp_path: Path) -> None:
    path = profile(tmp_path / "home" / "profiles", {"trade": {"min_confidence": 0.9}}, "bold")
    loaded = load_config("bold")
    assert loaded.config.trade.min_confidence == 0.9
    assert loaded.origins[KEY] == f"profile {path}"
    with pytest.raises(ConfigError, match="No profile 'timid'"):
        load_config("timid")


def test_an_unknown_key_is_named_with_the_nearest_valid_one_in_every_layer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted = rf"'trade\.min_confidnce' \(from .*\)\. Nearest: '{KEY}'"
    with pytest.raises(ConfigError, match=wanted) as caught:
        load_config(flags={"trade.min_confidnce": 0.5})
    assert "from flag" in str(caught.value)
    path = profile(tmp_path, {"trade": {"min_confidnce": 0.5}})
    with pytest.raises(ConfigError, match=wanted) as caught:
        load_config(str(path))
    assert f"from profile {path}" in str(caught.value)
    monkeypatch.setenv("GNOSIS_RAY__TRADE__MIN_CONFIDNCE", "0.5")
    with pytest.raises(ConfigError, match=wanted) as caught:
        load_config()
    assert "GNOSIS_RAY__TRADE__MIN_CONFIDNCE" in str(caught.value)


@pytest.mark.parametrize(
    ("key", "value"),
    [(KEY, "many"), (KEY, -1.0), (KEY, float("nan")), ("run.batch_size", 0), ("market.risk_free_curve", [])],
)
def test_an_unusable_value_is_named_with_its_layer(key: str, value: object) -> None:
    with pytest.raises(ConfigError, match=rf"{key} \(from flag\)") as caught:
        load_config(flags={key: value})
    assert caught.value.exit_code == 2


def test_an_unusable_environment_value_is_named_with_its_layer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, "many")
    with pytest.raises(
        ConfigError, match=rf"{KEY} \(from environment variable {VARIABLE}\): Expected a number from 0 to 1, was 'm"
    ):
        load_config()


def test_an_environment_value_that_should_be_json_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GNOSIS_RAY__COMPOSER__WEIGHTS", "{not json")
    with pytest.raises(ConfigError) as caught:
        load_config()
    assert str(caught.value) == (
        "composer.weights (from environment variable GNOSIS_RAY__COMPOSER__WEIGHTS): "
        "Expected names with values, such as '{\"name\": 1}', as JSON, was '{not json'"
    )


def test_lists_and_mappings_can_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GNOSIS_RAY__COMPOSER__WEIGHTS", '{"primary_hedge": 1.0}')
    loaded = load_config()
    assert loaded.config.composer.weights == {"primary_hedge": 1.0}
    assert loaded.origins["composer.weights"] == "environment"


def test_a_section_cannot_be_a_value(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"trade .*Expected a section"):
        load_config(str(profile(tmp_path, {"trade": 5})))


@pytest.mark.parametrize("text", ["- a\n- b\n", "a: [", "5"])
def test_a_profile_that_is_no_mapping_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "broken.yaml"
    path.write_text(text)
    with pytest.raises(ConfigError, match="Cannot read settings"):
        load_config(str(path))


def test_settings_are_frozen_strict_and_travel(config: Config) -> None:
    with pytest.raises(ValidationError, match="frozen"):
        config.trade.min_confidence = 0.5  # type: ignore[misc]
    with pytest.raises(ValidationError, match="surprise"):
        Config.model_validate({**config.model_dump(), "surprise": 1})
    assert pickle.loads(pickle.dumps(config)) == config  # noqa: S301  our own bytes
    assert Config.model_validate_json(config.model_dump_json()) == config


def test_models_hold_no_defaults() -> None:
    def fields(model: type[BaseModel]) -> list[tuple[str, bool]]:
        found = []
        for name, field in model.model_fields.items():
            found.append((f"{model.__name__}.{name}", field.is_required()))
            if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
                found += fields(field.annotation)
        return found

    assert [name for name, required in fields(Config) if not required] == []


def _other(value: Any) -> Any:
    """Another usable value of the same setting."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        return value + 2
    if isinstance(value, float):
        return value * 0.5 if value else 0.25
    if isinstance(value, Mapping):
        return {**value, "another": 0.1}
    if isinstance(value, (list, tuple)):
        return [*value, value[-1]]
    return f"{value}2"


CHOICES = {
    "data.provider": "store",
    "data.kinds": {"chains": "cboe"},
    "data.fetch": ["chains"],
    "plugin_versions": {"agents/mine": "mine 1.0"},
    "plugins": {"hedge": {"level": 1}},
    "data.synthetic.as_of": "2026-07-09T20:00:00Z",
    "agents.enabled": ["hedge"],
    "engines.enabled": ["hedge", "liquidity"],
    "engines.sentiment.processors": ["news"],
    "market.risk_free_curve": [{"days": 0, "rate": 0.05}],
    "providers.ccxt.base_url": "https://api.example.com",
    "providers.yahoo.base_url": "https://api.example.com",
    "trade.strategies": ["long_call"],
    "engines.elasticity.asymmetric_down_ratio": 1.5,
    "engines.elasticity.rsi_overbought": 75.0,
    "engines.hedge.dealer_call_sign": -1,
    "engines.hedge.dealer_put_sign": 1,
    "engines.hedge.vix_dealer_put_sign": -1,
    "providers.alpaca.feed": "iex",
    "providers.alpaca.latest_feed": "sip",
    "providers.alpaca.options_feed": "opra",
    "run.granularity": "inline",
}


WITHOUT_A_CHOICE = {"engines.elasticity.liquidity_basis"}


@pytest.mark.parametrize("key", [key for key in valid_keys() if key not in WITHOUT_A_CHOICE])
def test_the_hash_changes_with_every_decision_and_with_nothing_else(key: str, config: Config) -> None:
    value: Any = config.model_dump(mode="json")
    for name in key.split("."):
        value = value[name]
    changed = load_config(flags={key: CHOICES.get(key, _other(value))}).config
    assert changed != config
    decides = key.split(".")[0] not in ("run", "data", "providers", "gateway", "quality")
    assert (changed.decision_hash() != config.decision_hash()) is decides


def test_the_hash_is_sixteen_hex_digits_and_stable(config: Config) -> None:
    assert int(config.decision_hash(), 16) >= 0
    assert len(config.decision_hash()) == 16
    assert load_config().config.decision_hash() == config.decision_hash()
    whole = load_config(flags={"trade.equity_usd": 100000}).config
    assert whole.decision_hash() == config.decision_hash()


def test_the_hash_does_not_depend_on_the_order_of_a_mapping(config: Config) -> None:
    turned = dict(reversed(config.composer.weights.items()))
    assert load_config(flags={"composer.weights": turned}).config.decision_hash() == config.decision_hash()


def test_the_root_of_the_settings_holds_the_defaults() -> None:
    assert (config_root() / "default.yaml").is_file()


@pytest.mark.parametrize("value", [7, -0.1])
def test_a_fraction_is_a_fraction(value: float) -> None:
    with pytest.raises(ConfigError, match=r"trade\.risk_fraction"):
        load_config(flags={"trade.risk_fraction": value})


def test_a_sign_can_be_said_in_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GNOSIS_RAY__ENGINES__HEDGE__DEALER_CALL_SIGN", "-1")
    assert load_config().config.engines.hedge.dealer_call_sign == -1
    monkeypatch.setenv("GNOSIS_RAY__ENGINES__HEDGE__DEALER_CALL_SIGN", "2")
    with pytest.raises(ConfigError, match=r"CALL_SIGN\): Expected one of -1, 1, was '2'"):
        load_config()


def test_replaced_settings_are_validated_as_if_read_from_a_file(config: Config) -> None:
    changed = config.replaced(data={"provider": "store"}, run={"batch_size": 8})
    assert (changed.data.provider, changed.run.batch_size) == ("store", 8)
    assert (
        changed.replaced(data={"provider": config.data.provider}, run={"batch_size": config.run.batch_size}) == config
    )


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"run": {"batch_size": 0}}, "batch_size"),
        ({"run": {"no_such_setting": 1}}, "no_such_setting"),
        ({"trade": {"min_dte": 50, "max_dte": 10}}, "min_dte"),
        ({"engines": {"hedge": {"dealer_call_sign": 3}}}, "dealer_call_sign"),
    ],
)
def test_impossible_replacements_are_refused_by_name(config: Config, changes: dict[str, Any], named: str) -> None:
    with pytest.raises(ConfigError, match=named):
        config.replaced(**changes)


def test_the_format_of_a_profile_is_no_setting(tmp_path: Path) -> None:
    recorded = load_config(str(FORMAT_1 / "profile.yaml"))
    assert (recorded.config.run.batch_size, recorded.config.trade.max_ideas) == (2, 1)
    body = {"run": {"batch_size": 2, "granularity": "inline"}, "trade": {"max_ideas": 1}}
    stated = load_config(str(profile(tmp_path, {"format": 1, **body})))
    assert stated.config == recorded.config
    assert stated.config.decision_hash() == recorded.config.decision_hash()
    assert stated.origins.keys() == recorded.origins.keys()


@pytest.mark.parametrize("found", [99, 0, "1", None, True])
def test_a_profile_of_another_format_is_refused_by_name(tmp_path: Path, found: object) -> None:
    path = profile(tmp_path, {"format": found, "of_the_future": 1})
    with pytest.raises(FormatError, match=re.escape(f"Profile {path}")):
        load_config(str(path))
