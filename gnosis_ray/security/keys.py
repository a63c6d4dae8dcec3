"""Vendors' keys: read from the environment or a key file by the process that talks to the vendor, and nowhere else.

A key is not a setting: no :class:`~gnosis_ray.config.Config`, manifest, ledger or job contains one. :class:`Key`
refuses to be pickled: code that needs one calls :func:`key_of` where it runs, on a machine that has the key. Processes
that Ray starts do not inherit keys: they are held back from their environment (:func:`held_back`), and only the gateway
is given them (:mod:`gnosis_ray.security.handover`).
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
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
"""The variables that the vendors' own clients and documentation use; the first one that is set is taken."""

_FILE = "keys.yaml"
_OTHERS = stat.S_IRWXG | stat.S_IRWXO
_SENDABLE = re.compile(r"[!-~]+")


_held: dict[str, str] = {}
"""By variable: keys that were in this process's environment, or in that of the process that started this one."""


class Key(SecretStr):
    """A secret that prints as ``**********`` and cannot be pickled, nor can anything that contains it."""

    def __reduce_ex__(self, protocol: Any) -> NoReturn:
        raise TypeError("A vendor's key does not leave its process: build what needs it where it is used")

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        return self


def key_of(name: KeyName) -> Key:
    """A vendor's key: the first of its environment variables that is set, else ``name`` in the key file.

    The key file is ``keys.yaml`` in ``$GNOSIS_RAY_HOME``: a line ``name: "value"`` each. Raises :class:`ConfigError`
    naming both places if there is no such key, with the command to fix it if other users may read the file, and for a
    value that cannot be sent in a request. No error quotes a value. A returned key is masked by
    :func:`~gnosis_ray.redaction.redacted` from then on.
    """
    for variable in ENVIRONMENT[name]:
        if value := (os.environ.get(variable) or _held.get(variable, "")).strip():
            return _checked(value, f"the environment variable {variable}")
    path = key_file()
    in_file = _read(path).get(name)
    if in_file is None:
        raise ConfigError(f"No key '{name}'. {where_to_put(name)}")
    return _checked(in_file, f"'{name}' in {path}")


@contextmanager
def held_back() -> Iterator[None]:
    """Until the block ends, the vendors' keys are not in the environment that child processes inherit.

    :func:`key_of` finds them all the same. A process's first environment can still be read, by its own user, in
    ``/proc/PID/environ``: that one the shell has made. Side effect: changes ``os.environ``, and restores it.
    """
    names = [variable for variables in ENVIRONMENT.values() for variable in variables if variable in os.environ]
    hold({variable: os.environ.pop(variable) for variable in names})
    try:
        yield
    finally:
        for variable in names:
            os.environ.setdefault(variable, _held.pop(variable))


def hold(keys: Mapping[str, str]) -> None:
    """Keep keys, by variable, for :func:`key_of`, and mask them from now on."""
    for value in keys.values():
        never_show(SecretStr(value.strip()))
    _held.update(keys)


def held() -> Mapping[str, str]:
    """The keys that are held back, by variable."""
    return dict(_held)


def key_file() -> Path:
    """The path of the key file, which need not exist."""
    return home() / _FILE


def where_to_put(name: KeyName) -> str:
    """Advice that names both places that a key is read from."""
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
