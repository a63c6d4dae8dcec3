"""Hosts, parts, coordinators and nodes killed, symbols that raise, die and eat; in Rays of their own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.chaos.driving import assert_undisturbed_but_for_the_culprits, drive

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(600)]

ATTACKED = ("culprits", "host killed", "coordinator killed")
SPECIAL = ("dead on arrival", "component killed", "full disk")


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Every kill on one local Ray, which has to live through them all, started from a hostile folder.

    The modules there end any process that imports them. The cluster named in the environment does not exist: joining
    it would fail.
    """
    folder = tmp_path_factory.mktemp("work")
    for name in ("actors", "cluster", "gnosis_ray", "polars"):
        (folder / f"{name}.py").write_text("raise SystemExit('hostile module imported')\n")
    return drive(f"main({[*SPECIAL, *ATTACKED]!r})", folder, RAY_ADDRESS="127.0.0.1:1")


def test_hosts_that_die_while_opening_end_the_run_with_a_cluster_error(outcomes: dict[str, Any]) -> None:
    after = outcomes["dead on arrival"]
    assert after["error"] == "ClusterError"
    assert "in a row were lost" in after["text"]


@pytest.mark.parametrize("name", ATTACKED)
def test_the_ledger_is_that_of_an_undisturbed_run_but_for_the_culprits(outcomes: dict[str, Any], name: str) -> None:
    assert_undisturbed_but_for_the_culprits(outcomes[name], name)


def test_culprits_are_named_with_reasons_that_hold_no_process_or_machine(outcomes: dict[str, Any]) -> None:
    assert outcomes["culprits"]["reasons"] == {
        "SYN1": "ZeroDivisionError: no luck with SYN1",
        "SYN3": "the process at work on it died",
        "SYN4": "MemoryError:",
    }


def test_what_was_killed_was_replaced(outcomes: dict[str, Any]) -> None:
    assert outcomes["host killed"]["hosts_lost"] == 1
    assert outcomes["coordinator killed"]["coordinators_lost"] == 1


def test_a_symbol_whose_part_is_killed_is_tried_again(outcomes: dict[str, Any]) -> None:
    assert outcomes["component killed"] == {"differences": [], "killed": ["component"]}


def test_a_full_disk_ends_the_run_saying_so_and_it_can_be_resumed(outcomes: dict[str, Any]) -> None:
    after = outcomes["full disk"]
    assert "File too large" in after["error"]
    assert after["differences"] == []


def test_a_node_of_a_cluster_that_asks_for_a_token_may_go(tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.write_text("0123456789abcdef" * 4)
    health = {"RAY_health_check_period_ms": "500", "RAY_health_check_failure_threshold": "4"}
    environment = {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN_PATH": str(token), **health}
    after = drive("on_a_cluster()", tmp_path, **environment)
    assert after["receipts"] == list(range(12))
    assert after["written"] == {f"batch-{i:05d}": f"S{i}A S{i}B" for i in range(12)}
    assert after["hosts_lost"] >= 1
