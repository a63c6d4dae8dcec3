"""Reading the layers: flag > environment > profile > default."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ValidationError
from pydantic_settings import BaseSettings, EnvSettingsSource, SettingsConfigDict

from gnosis_ray.config.settings import Config
from gnosis_ray.errors import ConfigError, nearest_hint
from gnosis_ray.schemas.formats import checked_format

ENV_PREFIX = "GNOSIS_RAY__"

PROFILE_FORMAT = 1
"""The newest format of profiles that this version reads; a profile that states none has the first."""

_FORMAT = "format"
"""The key of a profile's format: no setting, so no hash knows it."""

_SafeLoader: type[yaml.SafeLoader | yaml.CSafeLoader] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""libyaml's where PyYAML was built with it: it reads the defaults in a tenth of the time."""


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
    package = Path(__file__).parents[1]
    packaged = package / "_config"
    return packaged if packaged.is_dir() else package.parent / "config"


def home() -> Path:
    """Where a user's own profiles, market store and caches live: ``$GNOSIS_RAY_HOME``, else ``~/.gnosis-ray``."""
    return Path(os.environ.get("GNOSIS_RAY_HOME") or Path.home() / ".gnosis-ray").expanduser().resolve()


def load_config(profile: str | None = None, flags: Mapping[str, Any] | None = None) -> LoadedConfig:
    """Read all layers and validate what they make together.

    ``profile`` is a file, or the name of one in ``$GNOSIS_RAY_HOME/profiles`` or ``config/profiles``; ``flags`` are
    dotted keys with values that are not None. Raises :class:`ConfigError` naming the layer and the key, and
    :class:`FormatError` for a profile of a newer format.
    """
    layers = [
        ("flag", _nest({k: v for k, v in (flags or {}).items() if v is not None})),
        ("environment", _environment()),
    ]
    if profile is not None:
        path = _profile_path(profile)
        layers.append((f"profile {path}", _read_profile(path)))
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
    return f"Unknown setting '{key}' (from {origin}). {nearest_hint(key, valid_keys())}"


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


def _read_profile(path: Path) -> Mapping[str, Any]:
    """The settings of a profile, without its format."""
    body = _read_yaml(path)
    checked_format(body.get(_FORMAT, 1), PROFILE_FORMAT, f"Profile {path}")
    return {key: value for key, value in body.items() if key != _FORMAT}


def _read_yaml(path: Path) -> Mapping[str, Any]:
    try:
        body = yaml.load(path.read_text(encoding="utf-8"), _SafeLoader)  # noqa: S506  a safe loader
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
