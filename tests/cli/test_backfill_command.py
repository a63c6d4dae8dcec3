"""``gnosis-ray data backfill``: a run like any other, whose features scans find."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from gnosis_ray.app.jobs.backfill import BackfillOutcome, BackfillWork
from gnosis_ray.config import home
from gnosis_ray.ledger.ledger_store import LedgerStore
from gnosis_ray.schemas.run_schemas import Batch
from tests.cli.conftest import Call

FEW = ("--symbols", "AAPL,JPM,XOM")
WEEK = ("--start", "2026-07-06", "--end", "2026-07-10")
BACKFILL = ("data", "backfill", "--granularity", "inline")


def history() -> pl.DataFrame:
    """Every stored row of features, in one order, without when it was measured."""
    parts = sorted((home() / "market-synthetic" / "features").rglob("part-*.parquet"))
    frames = [pl.read_parquet(part, hive_partitioning=False) for part in parts]
    return pl.concat(frames).drop("fetched_at").sort("symbol", "timestamp", "feature")


def test_a_backfill_fills_the_history_and_a_scan_counts_it(call: Call) -> None:
    before = call("scan", "--granularity", "inline", *FEW, "--as-of", "2026-07-03T20:00:00Z", "--verbose")
    assert "feature history: 0 of 60 sessions" in before.err
    done = call(*BACKFILL, *FEW, *WEEK, "--format", "json")
    assert done.code == 0
    sessions = json.loads(done.out)
    assert [row["session"] for row in sessions] == [f"2026-07-{day:02d}" for day in (6, 7, 8, 9, 10)]
    assert {row["symbols"] for row in sessions} == {3}
    after = call("scan", "--granularity", "inline", *FEW, "--verbose")
    assert "feature history: 5 of 60 sessions" in after.err, "four of the week, and the first scan's own"


def test_repeating_it_adds_nothing(call: Call) -> None:
    assert call(*BACKFILL, *FEW, *WEEK).code == 0
    first = history()
    assert first.select("symbol", "timestamp", "feature").is_duplicated().sum() == 0
    assert call(*BACKFILL, *FEW, *WEEK).code == 0
    assert history().equals(first)


def test_a_scan_adds_what_it_measured(call: Call) -> None:
    assert call("scan", "--granularity", "inline", *FEW).code == 0
    snapshots = LedgerStore("ledger-synthetic").read("snapshots")
    written = history().filter(feature="hedge__atm_iv_30d")
    assert written["value"].to_list() == snapshots.sort("symbol")["hedge__atm_iv_30d"].to_list()
    assert (written["known_at"] == snapshots["timestamp"][0]).all()


def test_an_interrupted_backfill_is_resumed_and_gives_the_same_rows(
    call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = (*BACKFILL, *FEW, *WEEK, "--out", "whole")
    assert call(*whole).code == 0
    expected, measured = LedgerStore("whole").read("features"), history()
    compute: Callable[[BackfillWork, Batch], BackfillOutcome] = BackfillWork.compute

    def interrupted(work: BackfillWork, batch: Batch) -> BackfillOutcome:
        if batch.index == 1:
            raise KeyboardInterrupt
        return compute(work, batch)

    monkeypatch.setenv("GNOSIS_RAY_HOME", str(home().parent / "second"))
    monkeypatch.setenv("GNOSIS_RAY__RUN__BATCH_SIZE", "1")
    with monkeypatch.context() as patch:
        patch.setattr(BackfillWork, "compute", interrupted)
        cut = call(*BACKFILL, *FEW, *WEEK, "--out", "cut")
    assert cut.code == 130
    assert "gnosis-ray data backfill --resume" in cut.err
    assert not (home() / "market-synthetic").exists(), "features join the history before the seal, not batch by batch"
    (unsealed, _), *_ = LedgerStore("cut").unsealed()
    resumed = call(*BACKFILL, "--resume", unsealed.run_id, "--out", "cut")
    assert resumed.code == 0
    drop = ("run_id", "run_date")
    assert LedgerStore("cut").read("features").drop(drop).equals(expected.drop(drop))
    assert history().equals(measured)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "Expected --start DAY and --end DAY"),
        (("--start", "2026-07-11", "--end", "2026-07-12"), "Expected a session of XNYS from 2026-07-11 to 2026-07-12"),
        ((*WEEK, "--provider", "cboe"), "a vendor only has present data"),
        ((*WEEK, "--hours-after-close", "-1"), "--hours-after-close"),
        (("--resume", "x", *WEEK), "give --resume alone"),
    ],
)
def test_what_cannot_be_meant_is_refused(call: Call, arguments: tuple[str, ...], message: str) -> None:
    refused = call(*BACKFILL, *FEW[: 0 if "--resume" in arguments else 2], *arguments)
    assert refused.code == 2
    assert message in refused.err.replace("\n", " ")
    assert not list(Path.cwd().glob("ledger*"))


def test_latest_is_the_latest_scan_and_runs_say_their_kind(call: Call) -> None:
    assert call("scan", "--granularity", "inline", *FEW).code == 0
    assert call(*BACKFILL, *FEW, *WEEK).code == 0
    listed: list[Mapping[str, Any]] = json.loads(call("runs", "list", "--format", "json").out)
    assert [row["kind"] for row in listed] == ["backfill", "scan"]
    assert call("explain", "AAPL").code == 0
    shown = json.loads(call("runs", "show", listed[0]["run"], "--format", "json").out)
    assert {row["table"]: row["rows"] for row in shown} == {"features": 15, "failures": 0}


def test_a_history_that_cannot_be_written_does_not_end_a_scan(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    home().mkdir(parents=True)
    (home() / "market-synthetic").write_text("in the way")
    done = call("scan", "--granularity", "inline", *FEW)
    assert done.code == 0
    assert "The history of features" in done.err


@pytest.mark.parametrize("verb", [("scan", "--as-of", "2026-07-10T20:00:00Z"), ("data", "backfill", *WEEK)])
def test_a_store_that_is_not_there_is_no_data_and_no_symbols_fault(call: Call, verb: tuple[str, ...]) -> None:
    done = call(*verb, "--granularity", "inline", "--provider", "store", *FEW)
    assert done.code == 4
    assert "is not there" in done.err.replace("\n", " ")
    assert not Path("ledger").exists(), "nothing was begun"


def test_sessions_that_are_not_over_are_left_out_aloud(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    class Tuesday:
        def now(self) -> datetime:
            return datetime(2026, 7, 7, 22, 0, tzinfo=UTC)  # after the close, before after-hours trading is over

    monkeypatch.setattr("gnosis_ray.api.live.TIME", Tuesday())
    done = call(*BACKFILL, *FEW, *WEEK, "--format", "json")
    assert done.code == 0
    assert [each["session"] for each in json.loads(done.out)] == ["2026-07-06"]
    assert "4 sessions from 2026-07-08 on are not over yet" in " ".join(done.err.split())
    refused = call(*BACKFILL, *FEW, "--start", "2026-07-08", "--end", "2026-07-10")
    assert (refused.code, "Expected a session that is over" in refused.err) == (2, True)


def test_a_backfill_has_no_records_and_says_so(call: Call) -> None:
    assert call(*BACKFILL, *FEW, *WEEK).code == 0
    explained = call("explain", "AAPL")
    assert explained.code == 2
    assert "is of the kind backfill" in " ".join(explained.err.split())
    assert list(LedgerStore("ledger-synthetic").stream("latest")) == []
    assert "15 rows of features" in call("runs", "show", "--verbose").err
