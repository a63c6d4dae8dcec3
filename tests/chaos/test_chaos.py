"""Processes and nodes are killed or stopped, symbols raise, die and exhaust memory; in Rays of their own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.chaos.run_in_subprocess import assert_undisturbed_except_failing_symbols, run_in_subprocess

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(600)]

FAULTED = ("failing symbols", "host killed", "coordinator killed")
SPECIAL = ("dead on arrival", "component killed", "full disk", "random")


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Every kill on one local Ray, which has to survive them all, started from a hostile folder.

    The modules there end any process that imports them. The cluster named in the environment does not exist: joining
    it would fail.
    """
    folder = tmp_path_factory.mktemp("work")
    for name in ("actors", "cluster", "gnosis_ray", "polars"):
        (folder / f"{name}.py").write_text("raise SystemExit('hostile module imported')\n")
    return run_in_subprocess(f"main({[*SPECIAL, *FAULTED]!r})", folder, RAY_ADDRESS="127.0.0.1:1")


def test_hosts_that_die_while_opening_end_the_run_with_a_cluster_error(outcomes: dict[str, Any]) -> None:
    after = outcomes["dead on arrival"]
    assert after["error"] == "ClusterError"
    assert "in a row were lost" in after["text"]


@pytest.mark.parametrize("name", FAULTED)
def test_the_ledger_is_undisturbed_except_for_failing_symbols(outcomes: dict[str, Any], name: str) -> None:
    assert_undisturbed_except_failing_symbols(outcomes[name], name)


def test_failure_reasons_name_no_process_and_no_machine(outcomes: dict[str, Any]) -> None:
    assert outcomes["failing symbols"]["reasons"] == {
        "SYN1": "ZeroDivisionError: no luck with SYN1",
        "SYN3": "the process at work on it died",
        "SYN4": "MemoryError:",
    }


def test_what_was_killed_was_replaced(outcomes: dict[str, Any]) -> None:
    assert outcomes["host killed"]["hosts_lost"] == 1
    assert outcomes["coordinator killed"]["coordinators_lost"] == 1


def test_a_symbol_whose_component_is_killed_is_attempted_again(outcomes: dict[str, Any]) -> None:
    assert outcomes["component killed"] == {"differences": [], "killed": ["component"]}


def test_runs_with_faults_drawn_from_a_seed_end_as_undisturbed_ones(outcomes: dict[str, Any]) -> None:
    sample = outcomes["random"]
    assert sample["wrong"] == []
    assert "1 stopped host" in sample["tables"]
    assert "| gcs | 1 |" in sample["tables"]


def test_a_full_disk_ends_the_run_with_its_reason_and_a_resume_completes_it(outcomes: dict[str, Any]) -> None:
    after = outcomes["full disk"]
    assert "File too large" in after["error"]
    assert after["differences"] == []


def test_a_node_of_a_cluster_with_token_may_be_lost(tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.write_text("0123456789abcdef" * 4)
    health = {"RAY_health_check_period_ms": "500", "RAY_health_check_failure_threshold": "4"}
    environment = {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN_PATH": str(token), **health}
    after = run_in_subprocess("on_a_cluster()", tmp_path, **environment)
    assert after["receipts"] == list(range(12))
    assert after["written"] == {f"batch-{i:05d}": f"S{i}A S{i}B" for i in range(12)}
    assert after["hosts_lost"] >= 1
