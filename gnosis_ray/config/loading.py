"""Reading the layers: flag > environment > profile > default."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from gnosis_ray.config.environment import environment_settings
from gnosis_ray.config.refusals import described_faults, unknown_setting
from gnosis_ray.config.settings import Config
from gnosis_ray.config.yaml_file import YamlFile, read_yaml
from gnosis_ray.errors import ConfigError, nearest_hint
from gnosis_ray.schemas.expectations import was
from gnosis_ray.schemas.formats import checked_format

PROFILE_FORMAT = 1
"""The newest format of profiles that this version reads; a profile that states none has the first."""

_FORMAT = "format"
"""The key of a profile's format: no setting, so no hash knows it."""

Where = Callable[[str], str]
"""Where a layer has a key, in words: ``profile mine.yaml, line 3``."""


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
    dotted keys with values that are not None. Raises :class:`ConfigError` naming the layer, the line, the key, what was
    expected and what was found, and :class:`FormatError` for a profile of a newer format.
    """
    layers = [_flags({} if flags is None else flags), _environment()]
    if profile is not None:
        layers.append(_profile(_profile_path(profile)))
    layers.append(_file("default", config_root() / "default.yaml"))

    merged: dict[str, Any] = {}
    places: dict[str, _Layer] = {}
    for layer in reversed(layers):
        for key, value in layer.settings:
            _put(merged, key, value)
            places[key] = layer

    def where(key: str) -> str:
        layer = next((one for k, one in places.items() if key == k or key.startswith(f"{k}.")), None)
        if layer is None:  # a section
            layer = next((one for one in layers if any(k.startswith(f"{key}.") for k, _ in one.settings)), layers[-1])
        return layer.where(key)

    try:
        return LoadedConfig(Config.model_validate(merged), {key: layer.name for key, layer in places.items()})
    except ValidationError as error:
        told = described_faults(error, Config, where=where)
        raise ConfigError(f"Unusable setting. {told}. Correct it, or take it out: the default then holds") from error


@dataclass(frozen=True)
class _Layer:
    """``name``: of the origin. ``settings``: dotted keys with values, all of them known."""

    name: str
    settings: tuple[tuple[str, Any], ...]
    where: Where


def _flags(flags: object) -> _Layer:
    if not isinstance(flags, Mapping):
        raise ConfigError(f"settings: Expected values by dotted key, as {{'run.batch_size': 8}}, was {was(flags)}")
    known, sections = set(valid_keys()), _sections()
    for key in flags:
        if not isinstance(key, str):
            raise ConfigError(f"settings: Expected a dotted key such as 'run.batch_size', was {was(key)}")
        if key in sections:
            first = next(one for one in valid_keys() if one.startswith(f"{key}."))
            raise ConfigError(f"settings: Expected the key of a value, such as '{first}', was the section {key!r}")
        if key not in known:
            raise ConfigError(unknown_setting(key, "flag", valid_keys()))
    return _Layer("flag", tuple((key, value) for key, value in flags.items() if value is not None), lambda _: "flag")


def _environment() -> _Layer:
    found = environment_settings(valid_keys())
    settings = tuple((key, one.value) for key, one in found.items())
    return _Layer("environment", settings, lambda key: f"environment variable {found[_within(key, found)].name}")


def _within(key: str, found: Mapping[str, object]) -> str:
    """The setting that ``key`` is a part of, or the first of a section."""
    return next((one for one in found if key == one or key.startswith(f"{one}.") or one.startswith(f"{key}.")), key)


def _file(name: str, path: Path, read: YamlFile | None = None) -> _Layer:
    found = read_yaml(path) if read is None else read

    def where(key: str) -> str:
        line = found.line_of(key)
        return name if line is None or name == "default" else f"{name}, line {line}"

    return _Layer(name, tuple(_leaves(found.body, Config, where)), where)


def _profile(path: Path) -> _Layer:
    """The settings of a profile, without its format."""
    found = read_yaml(path)
    checked_format(found.body.get(_FORMAT, 1), PROFILE_FORMAT, f"Profile {path}")
    body = {key: value for key, value in found.body.items() if key != _FORMAT}
    return _file(f"profile {path}", path, YamlFile(body, found.lines))


def _leaves(
    layer: Mapping[str, Any], model: type[BaseModel], where: Where, prefix: str = ""
) -> Iterator[tuple[str, Any]]:
    """Dotted keys of a layer's values; refuses a key that the model does not have."""
    for name, value in layer.items():
        key = f"{prefix}{name}"
        if name not in model.model_fields:
            raise ConfigError(unknown_setting(key, where(key), [*valid_keys(), *sorted(_sections())]))
        section = model.model_fields[name].annotation
        if isinstance(section, type) and issubclass(section, BaseModel):
            if value is None:
                continue  # a heading whose lines are comments
            if not isinstance(value, Mapping):
                wanted = "Expected a section of settings, such as {name: value}"
                raise ConfigError(f"{key} (from {where(key)}): {wanted}, was {was(value)}")
            yield from _leaves(value, section, where, f"{key}.")
        else:
            yield key, value


@cache
def _sections() -> frozenset[str]:
    return frozenset(key[:at] for key in valid_keys() for at, sign in enumerate(key) if sign == ".")


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


def _profile_path(profile: object) -> Path:
    if not isinstance(profile, str | os.PathLike) or not str(profile).strip() or "\0" in str(profile):
        raise ConfigError(f"profile: Expected a file such as mine.yaml, or the name of a profile, was {was(profile)}")
    folders = [folder / "profiles" for folder in (home(), config_root())]
    for path in (Path(profile), *(folder / f"{profile}.yaml" for folder in folders)):
        if _is_file(path):
            return path.resolve()
    names = sorted({path.stem for folder in folders if folder.is_dir() for path in folder.glob("*.yaml")})
    near = nearest_hint(str(profile), names) if names else "Give the path of a YAML file."
    looked = f"it is no file, and none of that name is in {folders[0]} or {folders[1]}"
    raise ConfigError(f"No profile {was(str(profile), 200)}: {looked}. {near}")


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:  # a name that no file can have
        return False


def _put(nested: dict[str, Any], key: str, value: Any) -> None:
    *sections, leaf = key.split(".")
    for section in sections:
        nested = nested.setdefault(section, {})
    nested[leaf] = value
