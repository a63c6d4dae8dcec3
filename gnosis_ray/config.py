"""Settings: one frozen object. Defaults in ``config/default.yaml``; flag > environment > profile > default.

Models hold no default of their own and refuse unknown keys, naming the nearest valid one. Only the driver reads
files and the environment; workers receive the frozen :class:`Config`.
"""

from __future__ import annotations

import difflib
import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, NonNegativeFloat, PositiveFloat, PositiveInt, ValidationError
from pydantic_settings import BaseSettings, EnvSettingsSource, SettingsConfigDict

from gnosis_ray.errors import ConfigError
from gnosis_ray.schemas.core_schemas import UtcDatetime

ENV_PREFIX = "GNOSIS_RAY__"
Fraction = NonNegativeFloat


class Section(BaseModel):
    """A frozen part of the settings; unknown keys are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class RatePoint(Section):
    """A zero rate for a maturity in days."""

    days: NonNegativeFloat
    rate: float


class ForwardConfig(Section):
    """How the implied forward is found."""

    strike_window: PositiveFloat
    min_strikes: PositiveInt
    min_days: PositiveFloat
    max_spot_gap: PositiveFloat


class ImpliedVolConfig(Section):
    """Which volatility is believed."""

    vendor_min: PositiveFloat
    bisection_tolerance: PositiveFloat
    last_min_volume: NonNegativeFloat
    smile_min_points: PositiveInt
    smile_window: PositiveFloat
    smile_max_residual: PositiveFloat


class MarketConfig(Section):
    """Calendar, rates and volatility rules."""

    calendar: str
    risk_free_curve: tuple[RatePoint, ...] = Field(min_length=1)
    forward: ForwardConfig
    implied_vol: ImpliedVolConfig


class SyntheticConfig(Section):
    """The embedded market."""

    seed: int
    as_of: UtcDatetime


class DataConfig(Section):
    """Where market data comes from."""

    provider: Literal["synthetic", "store"]
    dir: Path | None
    synthetic: SyntheticConfig


class TierConfidence(Section):
    """Trust in each kind of volatility."""

    quoted: Fraction
    last_smile: Fraction


class HedgeConfig(Section):
    """Thresholds of the hedge engine; explained where set, in ``default.yaml``."""

    dealer_call_sign: Literal[-1, 1]
    dealer_put_sign: Literal[-1, 1]
    near_spot_window: PositiveFloat
    min_open_interest_coverage: Fraction
    energy_scale: PositiveFloat
    squeeze_energy: PositiveFloat
    squeeze_call_window: PositiveFloat
    squeeze_call_share: Fraction
    pin_energy: PositiveFloat
    pin_distance_sigma: PositiveFloat
    pin_max_dte: PositiveFloat
    vanna_skew: PositiveFloat
    profile_span: float = Field(gt=0, lt=1)
    profile_points: PositiveInt
    tier_confidence: TierConfidence
    stale_session_decay: Fraction


class EnginesConfig(Section):
    """Which engines run, and their thresholds."""

    enabled: tuple[Literal["hedge"], ...] = Field(min_length=1)
    hedge: HedgeConfig


class HedgeAgentConfig(Section):
    """Thresholds of the hedge agent."""

    strong_long_gamma_energy: Fraction
    flow_scale: PositiveFloat
    min_flow: NonNegativeFloat
    iv_reversion_per_day: Fraction
    horizon_days: PositiveFloat


class AgentsConfig(Section):
    """Which primary agents run, and their thresholds."""

    enabled: tuple[Literal["hedge"], ...] = Field(min_length=1)
    hedge: HedgeAgentConfig


class ComposerConfig(Section):
    """Weights of the vote and when it takes a side."""

    weights: dict[str, NonNegativeFloat]
    direction_threshold: Fraction
    opposed_penalty: Fraction
    default_horizon_days: PositiveFloat


class TradeConfig(Section):
    """Risk, costs and exits of trades. USD."""

    equity_usd: PositiveFloat
    risk_fraction: Fraction
    max_risk_usd: PositiveFloat
    min_confidence: Fraction
    half_spread_bps: NonNegativeFloat
    commission_per_share: NonNegativeFloat
    stop_sigma: PositiveFloat
    target_sigma: PositiveFloat
    max_price_disagreement: PositiveFloat
    max_units: PositiveInt


class RunConfig(Section):
    """How a run is spread over hosts. Nothing here changes a ledger."""

    granularity: Literal["auto", "shard", "inline"]
    batch_size: PositiveInt
    window_per_host: PositiveInt
    max_attempts: PositiveInt
    batch_timeout_s: PositiveFloat
    host_memory_mb: PositiveInt
    polars_threads: PositiveInt


class Config(Section):
    """All settings."""

    market: MarketConfig
    data: DataConfig
    engines: EnginesConfig
    agents: AgentsConfig
    composer: ComposerConfig
    trade: TradeConfig
    run: RunConfig

    def decision_hash(self) -> str:
        """Sixteen hex digits over what changes a decision; where and how it runs is left out."""
        body = self.model_dump(mode="json", include={"market", "engines", "agents", "composer", "trade"})
        text = json.dumps(body, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()[:16]


class _Environment(BaseSettings, Config):
    """The shape that pydantic-settings needs to read ``GNOSIS_RAY__A__B``."""

    model_config = SettingsConfigDict(env_prefix=ENV_PREFIX, env_nested_delimiter="__")


@dataclass(frozen=True)
class LoadedConfig:
    """The settings, and for each dotted leaf the layer that set it."""

    config: Config
    origins: Mapping[str, str]


def config_root() -> Path:
    """The folder of ``default.yaml``: inside an installed wheel, else the checkout's ``config``."""
    packaged = Path(__file__).parent / "_config"
    return packaged if packaged.is_dir() else Path(__file__).parent.parent / "config"


def home() -> Path:
    """Where a user's own profiles, market store and caches live: ``$GNOSIS_RAY_HOME``, else ``~/.gnosis-ray``."""
    return Path(os.environ.get("GNOSIS_RAY_HOME") or Path.home() / ".gnosis-ray").expanduser().resolve()


def load_config(profile: str | None = None, flags: Mapping[str, Any] | None = None) -> LoadedConfig:
    """Read all layers and validate what they make together.

    ``profile`` is a file, or the name of one in ``$GNOSIS_RAY_HOME/profiles`` or ``config/profiles``; ``flags`` are
    dotted keys with values that are not None. Raises :class:`ConfigError` naming the layer and the key.
    """
    layers = [
        ("flag", _nest({k: v for k, v in (flags or {}).items() if v is not None})),
        ("environment", _environment()),
    ]
    if profile is not None:
        path = _profile_path(profile)
        layers.append((f"profile {path}", _read_yaml(path)))
    default = config_root() / "default.yaml"
    layers.append(("default", _read_yaml(default)))

    merged: dict[str, Any] = {}
    origins: dict[str, str] = {}
    for name, layer in reversed(layers):
        for key, value in _leaves(layer, Config, name):
            _put(merged, key, value)
            origins[key] = name
    try:
        return LoadedConfig(Config.model_validate(merged), origins)
    except ValidationError as error:
        raise ConfigError(_explain(error, origins)) from error


def _explain(error: ValidationError, origins: Mapping[str, str]) -> str:
    lines = []
    for fault in error.errors():
        key = ".".join(str(part) for part in fault["loc"])
        origin = next((o for k, o in origins.items() if key == k or key.startswith(f"{k}.")), "default")
        lines.append(f"{key} (from {origin}): {fault['msg']}; found {fault['input']!r}")
    return "Unusable setting. " + " | ".join(lines)


def _leaves(
    layer: Mapping[str, Any], model: type[BaseModel], origin: str, prefix: str = ""
) -> Iterator[tuple[str, Any]]:
    """Dotted keys of a layer's values; refuses a key that the model does not have."""
    for name, value in layer.items():
        if name not in model.model_fields:
            raise ConfigError(_unknown(f"{prefix}{name}", origin))
        section = model.model_fields[name].annotation
        if isinstance(section, type) and issubclass(section, BaseModel):
            if not isinstance(value, Mapping):
                raise ConfigError(f"{prefix}{name} (from {origin}): Expected a section of settings, was {value!r}")
            yield from _leaves(value, section, origin, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value


def _unknown(key: str, origin: str) -> str:
    nearest = difflib.get_close_matches(key, valid_keys(), n=1, cutoff=0.0)
    return f"Unknown setting '{key}' (from {origin}). Nearest valid one: '{nearest[0]}'."


def valid_keys(model: type[BaseModel] = Config, prefix: str = "") -> list[str]:
    """Every dotted key that a setting can have."""
    keys = []
    for name, field in model.model_fields.items():
        section = field.annotation
        if isinstance(section, type) and issubclass(section, BaseModel):
            keys += valid_keys(section, f"{prefix}{name}.")
        else:
            keys.append(f"{prefix}{name}")
    return keys


def _environment() -> Mapping[str, Any]:
    """The ``GNOSIS_RAY__*`` variables as nested settings; an unknown one is an error, not a no-op."""
    known = set(valid_keys())
    for variable in os.environ:
        if variable.startswith(ENV_PREFIX):
            key = variable.removeprefix(ENV_PREFIX).lower().replace("__", ".")
            if key not in known:
                raise ConfigError(_unknown(key, f"environment variable {variable}"))
    try:
        return EnvSettingsSource(_Environment)()
    except ValueError as error:  # a value that should be JSON and is not
        raise ConfigError(f"Unusable environment setting: {error}") from error


def _profile_path(profile: str) -> Path:
    named = [folder / "profiles" / f"{profile}.yaml" for folder in (home(), config_root())]
    for path in (Path(profile), *named):
        if path.is_file():
            return path.resolve()
    raise ConfigError(f"No profile '{profile}': looked for a file of that path, {named[0]} and {named[1]}")


def _read_yaml(path: Path) -> Mapping[str, Any]:
    try:
        body = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, yaml.YAMLError) as error:
        raise ConfigError(f"Cannot read settings from {path}: {error}") from error
    if not isinstance(body, Mapping):
        raise ConfigError(f"Cannot read settings from {path}: Expected sections with keys, was {type(body).__name__}")
    return body


def _nest(dotted: Mapping[str, Any]) -> dict[str, Any]:
    nested: dict[str, Any] = {}
    for key, value in dotted.items():
        _put(nested, key, value)
    return nested


def _put(nested: dict[str, Any], key: str, value: Any) -> None:
    *sections, leaf = key.split(".")
    for section in sections:
        nested = nested.setdefault(section, {})
    nested[leaf] = value


def as_of_text(moment: datetime) -> str:
    """A moment as users write it: ``2026-07-12T12:00:00Z``."""
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
