"""Hosts killed, hung and never born, in processes and Rays of their own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.chaos.drive import BATCHES

pytestmark = pytest.mark.chaos

CHECKOUT = Path(__file__).parents[2]
WHOLE = {str(index): 2 for index in range(BATCHES)}
COMMITS = [f"batch-{index:05d}" for index in range(BATCHES)]


def drive(*names: str, cwd: Path, own_cluster: bool = False, **environment: str) -> dict[str, Any]:
    """Play scenarios in a process of its own, as a console script would: the working directory is not on its path."""
    start = f"import sys; sys.path.append({str(CHECKOUT)!r}); from tests.chaos.drive import main; "
    code = f"{start}main({list(names)!r}, own_cluster={own_cluster})"
    seen = subprocess.run(
        [sys.executable, "-P", "-c", code],
        cwd=cwd,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        timeout=150,
        check=False,
    )
    assert seen.returncode == 0, seen.stderr[-3000:]
    assert seen.stderr == "", "Ray talked to the user's terminal"
    outcome: dict[str, Any] = json.loads(seen.stdout)
    return outcome


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Every fault on one local Ray, which has to live through them all, started from a hostile folder.

    The modules there end any process that imports them. The cluster named in the environment does not exist: joining
    it would fail.
    """
    folder = tmp_path_factory.mktemp("work")
    for name in ("actors", "cluster", "gnosis_ray", "polars"):
        (folder / f"{name}.py").write_text("raise SystemExit('hostile module imported')\n")
    return drive("dead_on_arrival", "battered", cwd=folder, RAY_ADDRESS="127.0.0.1:1")


def test_hosts_that_die_while_opening_end_the_run_with_a_cluster_error(outcomes: dict[str, Any]) -> None:
    after = outcomes["dead_on_arrival"]
    assert after["error"] == "ClusterError"
    assert "in a row were lost" in after["text"]


def test_killed_hung_and_deadly_batches_cost_hosts_but_no_receipt(outcomes: dict[str, Any]) -> None:
    """Batch 1 kills every host, 2 kills one, 3 hangs once: two, one and one hosts, and only 1 is without a result."""
    after = outcomes["battered"]
    assert after["snapshots"] == WHOLE | {"1": 0}
    assert (after["receipts"], after["quarantined"], after["hosts_lost"]) == (BATCHES, [1], 4)
    assert after["committed"] == COMMITS


def test_a_quarantined_batch_says_how_its_host_ended(outcomes: dict[str, Any]) -> None:
    (reason,) = outcomes["battered"]["reasons"]
    assert "worker process has died" in reason
    assert "\n" not in reason


def test_a_cluster_that_asks_for_a_token_is_joined_by_address(tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.write_text("0123456789abcdef" * 4)
    environment = {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN_PATH": str(token)}
    after = drive("healthy", cwd=tmp_path, own_cluster=True, **environment)
    assert after["healthy"]["snapshots"] == WHOLE
