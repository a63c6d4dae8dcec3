"""The facts that must be equal on every node of a cluster, as short texts."""

from __future__ import annotations

import hashlib
import platform
from importlib.metadata import PackageNotFoundError, distributions, version
from pathlib import Path, PurePosixPath

from pydantic import ValidationError

from gnosis_ray.config import Config
from gnosis_ray.errors import ConfigError, text_of
from gnosis_ray.storage.backend import open_backend
from gnosis_ray.storage.location import Location

ROOT = Path(__file__).parents[1]
PACKAGES = ("actors", "cluster", "gnosis_ray")
PLUGIN_GROUPS = "gnosis_ray."
"""How the names of our entry point groups begin."""


def code_digest(root: Path = ROOT) -> str:
    """Sixteen hex digits over the Python files of our packages, which are the folders of ``root``."""
    digest = hashlib.sha256()
    files = (path for package in PACKAGES for path in (root / package).rglob("*.py"))
    for name, path in sorted((path.relative_to(root).as_posix(), path) for path in files):
        digest.update(name.encode() + b"\0" + hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()[:16]


def versions() -> dict[str, str]:
    """The versions of Python and of the distributions that can affect the bits of a ledger."""
    return {"python": platform.python_version(), **{name: _version(name) for name in ("ray", "polars", "numpy")}}


def plugins() -> str:
    """The distributions that plug into gnosis-ray, with their versions."""
    named = {
        f"{distribution.name} {distribution.version}"
        for distribution in distributions()
        if any(point.group.startswith(PLUGIN_GROUPS) for point in distribution.entry_points)
    }
    return ", ".join(sorted(named)) or "none"


def decision_hash(config_json: str) -> str:
    """The decision hash that this code computes from the settings, or the reason why it cannot read them."""
    try:
        return Config.model_validate_json(config_json).decision_hash()
    except ValidationError as error:
        return f"unreadable: {text_of(error)}"


def store_digest(root: Location | None) -> str:
    """A digest of a market store by the names of its parts, which identify content. ``root``: None without a store."""
    if root is None:
        return "not needed"
    try:
        names = _parts(root)
    except (OSError, ConfigError) as error:
        return f"{type(error).__name__}: {error}"
    if not names:
        return f"no parts in {root}"
    return f"{len(names)} parts, {hashlib.sha256(chr(0).join(names).encode()).hexdigest()[:16]}"


def _parts(root: Location) -> list[str]:
    return [name for name in open_backend(root).names() if PurePosixPath(name).match("part-*.parquet")]


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "not installed"
