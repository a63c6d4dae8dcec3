"""The public names: which there are, where they lead, and what importing them loads."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from pathlib import Path

import pytest

import gnosis_ray

NAMES = """
PLUGIN_API ComposerAgentV1 ElasticityEngineV1 EngineOutput FrameProcessor GnosisError HedgeAgentV3 HedgeEngineV3
LedgerRecord LedgerStore LiquidityAgentV1 LiquidityEngineV1 MarketAdapter MarketSource PipelineRunner PrimaryAgent
RunPlan ScanResult SentimentAgentV1 SentimentEngineV1 SentimentProcessor SessionCalendar StandardSnapshot StrategySpec
Suggestion TradeAgentV1 TradeIdea TradeLeg columns errors load_config open_ledger open_market plan_scan scan strategies
testing universe
"""
LOADED = """
import json, sys
import gnosis_ray as gr
{}
print(json.dumps(sorted({{name.partition('.')[0] for name in sys.modules}})))
"""


def loaded_by(statement: str) -> set[str]:
    """The top-level modules that a new process has loaded after ``import gnosis_ray as gr`` and a statement."""
    done = subprocess.run(
        [sys.executable, "-c", LOADED.format(statement)], capture_output=True, text=True, timeout=60, check=True
    )
    return set(json.loads(done.stdout))


def test_the_public_names_are_these() -> None:
    """A change here is a change for everybody who imports them."""
    assert gnosis_ray.__all__ == NAMES.split()


def test_every_name_is_listed_and_leads_to_what_type_checkers_see() -> None:
    assert set(gnosis_ray.__all__) <= set(dir(gnosis_ray))
    tree = ast.parse(Path(gnosis_ray.__file__).read_text(encoding="utf-8"))
    checked = next(node for node in tree.body if isinstance(node, ast.If))
    seen = {
        alias.asname or alias.name: (node.module, alias.name)
        for node in checked.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    assert set(seen) == set(gnosis_ray.__all__)
    modules = {name: tuple(home.rsplit(".", 1)) for name, home in gnosis_ray._MODULES.items()}
    assert seen == modules | {name: (home, name) for name, home in gnosis_ray._HOMES.items()}


def test_every_name_is_in_the_tour() -> None:
    told = (Path(__file__).parents[2] / "docs" / "api.md").read_text(encoding="utf-8")
    assert [name for name in gnosis_ray.__all__ if f"`{name}`" not in told] == []


def test_a_warning_of_the_library_is_printed_only_where_logging_is_set_up() -> None:
    script = "import logging, gnosis_ray; [logging.getLogger(n + '.x').warning('loud') for n in {}]"
    for names, printed in ((["gnosis_ray", "actors", "cluster"], ""), (["others"], "loud\n")):
        command = [sys.executable, "-c", script.format(names)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
        assert (done.stdout, done.stderr) == ("", printed)


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="module 'gnosis_ray' has no attribute 'scam'"):
        gnosis_ray.scam  # noqa: B018 - reading it is the test


def test_importing_the_package_loads_nothing_of_it() -> None:
    loaded = loaded_by("pass")
    assert "gnosis_ray" in loaded
    assert not {"polars", "pydantic", "numpy", "rich", "click", "ray", "actors", "cluster"} & loaded


@pytest.mark.parametrize("statement", ["gr.scan", "gr.plan_scan", "[getattr(gr, name) for name in gr.__all__]"])
def test_resolving_names_leaves_ray_out(statement: str) -> None:
    loaded = loaded_by(statement)
    assert "polars" in loaded
    assert not {"ray", "actors", "click", "matplotlib"} & loaded


def test_planning_and_an_inline_scan_leave_ray_out(tmp_path: Path) -> None:
    scan = f"gr.plan_scan(symbols='AAPL'); gr.scan(symbols='AAPL', granularity='inline', out={str(tmp_path)!r})"
    assert "ray" not in loaded_by(scan)
