"""The metrics of runs as Prometheus reads them, in a Ray of its own: needs Ray's agent (extra ``dashboard``)."""

from __future__ import annotations

import json
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from tests.chaos.measure import BATCHES, SYMBOLS

pytestmark = [
    pytest.mark.chaos,
    pytest.mark.skipif(find_spec("aiohttp_cors") is None, reason="needs the extra ray-dashboard: Ray's metrics agent"),
]

CHECKOUT = Path(__file__).parents[2]
LOOPBACK = "0100007F"


@pytest.fixture(scope="module")
def outcome(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    folder = tmp_path_factory.mktemp("measured")
    start = f"import sys; sys.path.append({str(CHECKOUT)!r}); from tests.chaos.measure import main; "
    seen = subprocess.run(
        [sys.executable, "-P", "-c", f"{start}main({str(folder)!r})"],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=150,
        check=False,
    )
    assert seen.returncode == 0, seen.stderr[-3000:]
    assert seen.stderr == "", "Ray talked to the user's terminal"
    outcome: dict[str, Any] = json.loads(seen.stdout)
    return outcome


def test_a_scan_is_seen_on_the_metrics_port_as_its_receipt_says(outcome: dict[str, Any]) -> None:
    rows, figures = outcome["receipt"]["rows"], outcome["healthy"]
    assert rows["snapshots"] == len(SYMBOLS)
    assert figures["gnosis_symbols_done_total"] == len(SYMBOLS)
    assert figures["gnosis_batches_done_total"] == 3
    assert figures["gnosis_ledger_rows_total snapshots"] == len(SYMBOLS)
    assert figures.get("gnosis_ledger_rows_total trade_ideas", 0) == rows.get("trade_ideas", 0)
    assert figures["gnosis_quote_age_sessions"] == 0
    for stage in ("load", "engine.hedge", "agents", "ledger"):
        assert figures[f"gnosis_stage_seconds_bucket {stage}"] == 3
    unwanted = ("failed", "quarantined", "requeued", "lost", "degraded")
    assert not [name for name in figures if any(word in name for word in unwanted)]


def test_a_lost_host_and_what_it_held_are_counted(outcome: dict[str, Any]) -> None:
    figures = outcome["with_loss"]
    assert figures["gnosis_hosts_lost_total"] == 1
    assert figures["gnosis_batches_requeued_total"] >= 1
    assert figures["gnosis_batches_done_total"] == 3 + BATCHES


def test_the_metrics_port_is_open_on_the_loopback_interface_alone(outcome: dict[str, Any]) -> None:
    assert outcome["listening"] == [LOOPBACK]


def test_a_lost_host_is_logged_as_lines_that_name_the_run(outcome: dict[str, Any]) -> None:
    assert {line["run"] for line in outcome["lines"]} == {"with_loss"}, "nothing is logged of what goes well"
    assert [line["host"] for line in outcome["lines"] if line["message"].startswith("host")] == [1]
    # the batch before it may count as failed too: its report can be lost with the host
    assert 1 in {line["batch"] for line in outcome["lines"] if "failed in attempt" in line["message"]}
