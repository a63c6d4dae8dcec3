"""The domain does not know Ray: importing all but the command line leaves Ray, actors and cluster unloaded."""

from __future__ import annotations

import json
import pkgutil
import subprocess
import sys

import gnosis_ray

IMPORT_ALL = """
import importlib, json, sys
for name in json.loads(sys.argv[1]):
    importlib.import_module(name)
print(json.dumps(sorted(sys.modules)))
"""
COMMAND_LINE = {"gnosis_ray.__main__", "gnosis_ray.cli"}
STRANGERS = {"ray", "actors", "cluster"}


def _domain() -> list[str]:
    """Every module of gnosis_ray but those of the command line, found without importing any of them."""
    return sorted(_below(list(gnosis_ray.__path__), "gnosis_ray."))


def _below(path: list[str], prefix: str) -> list[str]:
    names = []
    for module in pkgutil.iter_modules(path, prefix):
        if module.name in COMMAND_LINE:
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
