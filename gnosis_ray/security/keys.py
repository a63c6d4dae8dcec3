"""Vendors' keys: from the environment or a key file, in the process that talks to the vendor, and nowhere else.

A key is no setting: it is in no :class:`~gnosis_ray.config.Config`, manifest, ledger or job. It travels between
processes as nothing at all, since :class:`Key` refuses to be pickled: whoever needs one asks :func:`key_of` where it is
needed, on a machine that has it.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, NoReturn, Self, get_args

import yaml
from pydantic import SecretStr

from gnosis_ray.config import home
from gnosis_ray.errors import ConfigError, nearest_hint
from gnosis_ray.redaction import never_show

KeyName = Literal["tradier", "massive", "alpaca_key_id", "alpaca_secret_key"]
KEY_NAMES: tuple[KeyName, ...] = get_args(KeyName)

ENVIRONMENT: Mapping[KeyName, tuple[str, ...]] = {
    "tradier": ("TRADIER_TOKEN", "TRADIER_API_KEY"),
    "massive": ("MASSIVE_API_KEY", "POLYGON_API_KEY"),
    "alpaca_key_id": ("APCA_API_KEY_ID",),
    "alpaca_secret_key": ("APCA_API_SECRET_KEY",),
}
"""The variables that the vendors' own clients and documents use; the first one that is set counts."""

_FILE = "keys.yaml"
_OTHERS = stat.S_IRWXG | stat.S_IRWXO
_SENDABLE = re.compile(r"[!-~]+")


class Key(SecretStr):
    """A secret that shows as ``**********`` and cannot be pickled, so neither can anything that holds it."""

    def __reduce_ex__(self, protocol: Any) -> NoReturn:
        raise TypeError("A vendor's key does not leave its process: build what needs it where it is used")

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        return self


def key_of(name: KeyName) -> Key:
    """A vendor's key: of its environment variables the first that is set, else ``name`` in the key file.

    The key file is ``keys.yaml`` in ``$GNOSIS_RAY_HOME``: a line ``name: "value"`` each. Raises :class:`ConfigError`
    saying both places where there is no such key, naming the command that mends it where others may read the file, and
    for a value that no request could carry. No error quotes a value. What is returned here is masked by
    :func:`~gnosis_ray.redaction.redacted` from then on.
    """
    for variable in ENVIRONMENT[name]:
        if value := os.environ.get(variable, "").strip():
            return _checked(value, f"the environment variable {variable}")
    path = key_file()
    in_file = _read(path).get(name)
    if in_file is None:
        raise ConfigError(f"No key '{name}'. {where_to_put(name)}")
    return _checked(in_file, f"'{name}' in {path}")


def key_file() -> Path:
    """Where the key file is, or would be."""
    return home() / _FILE


def where_to_put(name: KeyName) -> str:
    """Both places in which a key is looked for, as advice."""
    return f'Set {" or ".join(ENVIRONMENT[name])}, or write the line {name}: "..." into {key_file()} (chmod 600).'


def _checked(value: str, where: str) -> Key:
    if not _SENDABLE.fullmatch(value):
        raise ConfigError(f"Expected a key of printable ASCII without spaces in {where}, found something else")
    key = Key(value)
    never_show(key)
    return key


def _read(path: Path) -> Mapping[str, str]:
    try:
        with path.open(encoding="utf-8") as opened:
            mode = stat.S_IMODE(os.fstat(opened.fileno()).st_mode)
            if mode & _OTHERS:
                raise ConfigError(f"Others may read the keys in {path} (mode {mode:03o}). Run: chmod 600 '{path}'")
            body = yaml.safe_load(opened)
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise ConfigError(f"Cannot read the keys in {path}: {error.strerror}") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        mark = getattr(error, "problem_mark", None)  # the error's own text quotes the line, which holds a key
        line = f" near line {mark.line + 1}" if mark else ""
        raise ConfigError(f'Cannot read the keys in {path}: Expected lines name: "value"{line}') from None
    return _checked_file({} if body is None else body, path)


def _checked_file(body: Any, path: Path) -> Mapping[str, str]:
    if not isinstance(body, Mapping):
        raise ConfigError(f'Cannot read the keys in {path}: Expected lines name: "value", was {type(body).__name__}')
    for name, value in body.items():
        if name not in KEY_NAMES:
            raise ConfigError(
                f"Unknown key in {path}. {nearest_hint(str(name), KEY_NAMES)}"
            )  # it may be a key itself: not quoted
        if not isinstance(value, str) or not value.strip():
            raise ConfigError(f"Expected text in quotes as '{name}' in {path}, was {type(value).__name__}")
    return {name: value.strip() for name, value in body.items()}
