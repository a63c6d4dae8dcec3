"""Settings in the environment: ``GNOSIS_RAY__SECTION__KEY``."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, get_args

from pydantic import BaseModel

from gnosis_ray.config.refusals import is_secret, unknown_setting
from gnosis_ray.config.settings import Config
from gnosis_ray.errors import ConfigError
from gnosis_ray.redaction import redacted
from gnosis_ray.schemas.expectations import was

ENV_PREFIX = "GNOSIS_RAY__"

_OURS = "GNOSIS_RAY"


@dataclass(frozen=True)
class Variable:
    """A variable of the environment, and the value of the setting that it names."""

    name: str
    value: Any


def environment_settings(known: Iterable[str]) -> Mapping[str, Variable]:
    """The settings of the environment by dotted key; lists and mappings are JSON.

    Raises :class:`ConfigError` naming the variable for one that names no setting, for one that a single underscore
    keeps from naming one, for a setting that is set twice, and for what is no JSON where JSON is needed.
    """
    keys = list(known)
    flat = {key.replace(".", "_"): key for key in keys}
    found: dict[str, Variable] = {}
    for name in sorted(os.environ):
        upper = name.upper()
        if upper.startswith(ENV_PREFIX):
            key = upper.removeprefix(ENV_PREFIX).lower().replace("__", ".")
            if key not in keys:
                raise ConfigError(unknown_setting(key, f"environment variable {name}", keys))
            if key in found:
                raise ConfigError(f"{key} is set by {found[key].name} and by {name}: unset one of them")
            found[key] = Variable(name, _value(name, key, os.environ[name]))
        elif upper.startswith(f"{_OURS}_"):
            meant = upper.removeprefix(_OURS).strip("_").lower().replace("__", ".").replace(".", "_")
            if meant in flat:
                right = f"{ENV_PREFIX}{flat[meant].upper().replace('.', '__')}"
                raise ConfigError(f"Environment variable {name}: Expected two underscores between the parts: {right}")
    return found


def _value(name: str, key: str, text: str) -> Any:
    """The text itself, or what it says as JSON where the setting is a list or a mapping."""
    form = _json_form(key)
    if form is None:
        return text
    try:
        return json.loads(text)
    except ValueError as error:
        shown = "what it holds is not shown" if is_secret(key) else f"was {redacted(was(text))}"
        raise ConfigError(f"{key} (from environment variable {name}): Expected {form} as JSON, {shown}") from error
    except RecursionError as error:
        raise ConfigError(f"{key} (from environment variable {name}): Expected {form}, was too deep") from error


def _json_form(key: str) -> str | None:
    """What the setting is as JSON, with an example; None where it is a single value."""
    model: Any = Config
    for part in key.split("."):
        model = model.model_fields[part].annotation if issubclass(model, BaseModel) else model
    origin = getattr(model, "__origin__", None)
    if origin is dict:
        return "names with values, such as '{\"name\": 1}',"
    return 'a list, such as \'["first", "second"]\',' if origin is tuple and get_args(model) else None
