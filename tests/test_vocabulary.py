"""Names: one meaning a class name, and none of the pictures that the field's words took the place of."""

from __future__ import annotations

import ast
from collections import defaultdict
from pathlib import Path

ROOT = Path(__file__).parents[1]
ROOMS = ("gnosis_ray", "actors", "cluster")

RETIRED = """
    Answer Attack Bench Berth Crew Desk Foreman Listing MarketThen Place RayCrew RayTroupe Reading Roster Shard
    ShardStarter SpreadJob SpreadWorker Staffing Story Troupe VendorLine Verdict Where Wire

    adjusting apart arena believe bias blocks breakdown canvas choice cluster_checks crimes culprits declaration
    declared errands examiners grounds inshort judge known lets_through machine occ parts remembering say spool storm
    talk toys troupe truth verdict voices wiring witness wording words worlds
"""
"""Names of classes, then of modules, that the words of CONTRIBUTING.md replaced. One that a new part needs in its plain
meaning leaves this list."""


def _python(*folders: str) -> list[Path]:
    return sorted(path for folder in folders for path in (ROOT / folder).rglob("*.py"))


def _classes(path: Path) -> list[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return [node.name for node in ast.walk(tree) if isinstance(node, ast.ClassDef)]


def test_a_public_class_name_stands_for_one_thing() -> None:
    found: dict[str, list[str]] = defaultdict(list)
    for path in _python(*ROOMS):
        for name in _classes(path):
            if not name.startswith("_"):
                found[name].append(str(path.relative_to(ROOT)))
    assert len(found) > 100
    assert {name: paths for name, paths in found.items() if len(paths) > 1} == {}


def test_no_retired_name_stands() -> None:
    retired = set(RETIRED.split())
    paths = _python(*ROOMS, "tests", "benchmarks", "docs", "examples")
    found = {f"{path.relative_to(ROOT)}: {name}" for path in paths for name in {path.stem, *_classes(path)} & retired}
    assert found == set()
