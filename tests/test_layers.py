"""The domain does not know Ray: importing all but the front ends leaves Ray, actors and cluster unloaded."""

from __future__ import annotations

import ast
import json
import pkgutil
import subprocess
import sys
import tomllib
from collections import Counter
from pathlib import Path
from typing import Any

import gnosis_ray

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "gnosis_ray"
LARGEST = 0.2
"""The share of gnosis_ray's lines that a room may hold."""

DRIVERS = {"gnosis_ray.cli", "gnosis_ray.__main__", "gnosis_ray.api"}
"""What may know Ray."""

IMPORT_ALL = """
import importlib, json, sys
for name in json.loads(sys.argv[1]):
    importlib.import_module(name)
print(json.dumps(sorted(sys.modules)))
"""
STRANGERS = {"ray", "actors", "cluster"}


def _domain() -> list[str]:
    """Every module of gnosis_ray but those of the front ends, found without importing any of them."""
    return sorted(_below(list(gnosis_ray.__path__), "gnosis_ray."))


def _below(path: list[str], prefix: str) -> list[str]:
    names = []
    for module in pkgutil.iter_modules(path, prefix):
        if module.name in DRIVERS:
            continue
        names.append(module.name)
        if module.ispkg:
            folder = module.name.removeprefix(prefix)
            names += _below([f"{parent}/{folder}" for parent in path], f"{module.name}.")
    return names


def _loaded_by(names: list[str]) -> set[str]:
    done = subprocess.run(
        [sys.executable, "-c", IMPORT_ALL, json.dumps(names)], capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    return set(json.loads(done.stdout.splitlines()[-1]))


def test_importing_the_domain_leaves_ray_out() -> None:
    names = _domain()
    assert {"gnosis_ray.errors", "gnosis_ray.ledger.ledger_store", "gnosis_ray.market.columns"} <= set(names)
    loaded = _loaded_by(names)
    assert set(names) <= loaded
    assert not STRANGERS & {name.partition(".")[0] for name in loaded}


def test_the_check_sees_ray_where_it_is_imported() -> None:
    assert "ray" in _loaded_by([*_domain()[:1], "ray"])


def _contracts() -> dict[str, Any]:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    return {contract["name"]: contract for contract in settings["tool"]["importlinter"]["contracts"]}


def _children(folder: Path, prefix: str) -> set[str]:
    """The modules and packages right in a package."""
    found = {f"{prefix}.{path.stem}" for path in folder.glob("*.py") if path.stem != "__init__"}
    return found | {f"{prefix}.{path.parent.name}" for path in folder.glob("*/__init__.py")}


def test_every_room_has_its_floor() -> None:
    layers = _contracts()["The floors of the house"]["layers"]
    listed = {name.strip() for layer in layers for name in layer.replace("|", ":").split(":")}
    rooms = _children(PACKAGE, "gnosis_ray") - {"gnosis_ray.agents", "gnosis_ray.engines"}
    rooms |= _children(PACKAGE / "agents", "gnosis_ray.agents") | _children(PACKAGE / "engines", "gnosis_ray.engines")
    assert listed == rooms | {"actors"}


def test_the_contract_about_ray_covers_every_room() -> None:
    covered = set(_contracts()["The domain does not know Ray"]["source_modules"])
    assert covered == _children(PACKAGE, "gnosis_ray") - DRIVERS


def test_the_contract_about_the_cluster_leaves_it_what_it_needs() -> None:
    name = "The cluster needs only configuration, storage, keys and errors"
    forbidden = set(_contracts()[name]["forbidden_modules"])
    left = _children(PACKAGE, "gnosis_ray") - forbidden - {"gnosis_ray.__main__"}
    needed = ("config", "storage", "security", "errors", "last_words")
    assert left == {f"gnosis_ray.{room}" for room in needed}


def test_no_room_holds_more_than_a_fifth_of_the_lines() -> None:
    lines: Counter[str] = Counter()
    for path in PACKAGE.rglob("*.py"):
        lines[path.relative_to(PACKAGE).parts[0]] += len(path.read_text(encoding="utf-8").splitlines())
    assert lines.total() > 20_000
    assert {room: count for room, count in lines.items() if count > LARGEST * lines.total()} == {}


def test_no_module_can_unpickle_a_file() -> None:
    """Code that is read from a file is code that runs: see SECURITY.md."""
    forbidden = {"pickle", "cloudpickle", "dill", "joblib", "marshal", "shelve"}
    paths = [path for package in ("gnosis_ray", "actors", "cluster") for path in (ROOT / package).rglob("*.py")]
    found = {path.name: sorted(names) for path in paths if (names := _imported(path) & forbidden)}
    assert found == {}


def _imported(path: Path) -> set[str]:
    """The top-level names of what a file imports, anywhere in it."""
    nodes = list(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))
    names = [alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names]
    names += [node.module for node in nodes if isinstance(node, ast.ImportFrom) and node.module]
    return {name.partition(".")[0] for name in names}
