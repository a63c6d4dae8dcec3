"""``gnosis_ray.scan``: the run that the command line makes, as frames, in silence, in and out of an event loop."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest

import gnosis_ray as gr
from cluster.session import Session
from gnosis_ray.cli.main import run
from gnosis_ray.fanout import InlineFanout
from tests.support.scans import assert_same, tables

FEW = ["AAPL", "MSFT"]
TRADED = [f"SYN{i:02d}" for i in range(30)]

IN_A_LOOP = """
import asyncio, json, logging
import gnosis_ray as gr

async def notebook():
    return gr.scan(symbols=["AAPL", "MSFT"], granularity="shard", settings={"run.host_memory_mb": 400})

result = asyncio.run(notebook())
import ray
found = {"symbols": result.snapshots["symbol"].to_list(), "granularity": result.receipt.granularity,
         "ray": ray.is_initialized()}
open("found.json", "w").write(json.dumps(found))
"""


def inline(**options: Any) -> gr.ScanResult:
    return gr.scan(**{"symbols": FEW, "granularity": "inline", **options})


def test_a_scan_from_python_is_the_scan_of_the_command_line(capsys: pytest.CaptureFixture[str]) -> None:
    result = inline(symbols=TRADED, out="python")
    assert (
        run(["scan", "--symbols", ",".join(TRADED), "--granularity", "inline", "--out", "shell", "--format", "json"])
        == 0
    )
    shown = json.loads(capsys.readouterr().out)
    assert_same(tables(Path("python")), tables(Path("shell")))
    assert result.ideas.height > 0
    assert result.ideas["id"].to_list()[:20] == [row["id"] for row in shown]
    assert result.ideas["score"].to_list() == sorted(result.ideas["score"], reverse=True)


def test_the_frames_are_those_of_the_run_alone() -> None:
    first, second = inline(symbols="AAPL"), inline(symbols="MSFT")
    assert first.snapshots["symbol"].to_list() == ["AAPL"]
    assert set(second.suggestions["symbol"]) == {"MSFT"}
    assert [r.run_id for r in gr.open_ledger("ledger-synthetic").runs()] == [second.run_id, first.run_id]
    assert "SYNTHETIC" in repr(first)
    assert "1 symbol," in repr(first)


def test_without_a_store_there_is_no_data_and_no_ledger(tmp_path: Path) -> None:
    folder = tmp_path / "market"
    folder.mkdir()
    with pytest.raises(gr.errors.NoDataError, match="gnosis-ray data import"):
        inline(provider="store", settings={"data.dir": str(folder)})
    assert not list(Path.cwd().glob("ledger*"))


def test_explain_says_what_was_decided_or_why_nothing() -> None:
    result = inline()
    assert result.explain("aapl").symbol == "AAPL"
    with pytest.raises(gr.errors.NoDataError, match="Not among the 2 symbols"):
        result.explain("XOM")


def test_nothing_is_printed_unless_progress_is_asked_for(capfd: pytest.CaptureFixture[str]) -> None:
    inline()
    assert capfd.readouterr() == ("", "")
    inline(progress=True)
    out, err = capfd.readouterr()
    assert out == ""
    assert "list: 2 symbols" in err


def test_an_inline_scan_works_in_an_event_loop() -> None:
    async def notebook() -> gr.ScanResult:
        return inline()

    assert asyncio.run(notebook()).snapshots.height == 2


def test_a_scan_on_ray_in_an_event_loop_is_silent_and_stops_its_ray(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", IN_A_LOOP], cwd=tmp_path, capture_output=True, text=True, timeout=150, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    found = json.loads((tmp_path / "found.json").read_text())
    assert found == {"symbols": FEW, "granularity": "shard", "ray": False}


def test_a_ray_that_was_there_before_is_left_alone(session: Session) -> None:
    result = gr.scan(symbols=FEW, granularity="shard", settings={"run.host_memory_mb": 400})
    assert result.receipt.granularity == "shard"
    session.check_open()
    import ray

    assert ray.is_initialized()


def test_the_plan_starts_nothing_and_says_everything(tmp_path: Path) -> None:
    plan = gr.plan_scan(symbols=TRADED, granularity="shard", settings={"run.batch_size": 8, "run.host_memory_mb": 1})
    assert (plan.kind, plan.universe, plan.symbols) == ("scan", "list", tuple(TRADED))
    assert (plan.provider, plan.synthetic, plan.vendors) == ("synthetic", True, ())
    assert (plan.batches, plan.batch_size, plan.granularity, plan.waves) == (4, 8, "shard", 1)
    assert plan.actors == plan.hosts == plan.memory_mb >= 1
    assert plan.as_of == datetime(2026, 7, 10, 20, tzinfo=UTC)
    assert plan.ledger == tmp_path / "ledger-synthetic"
    assert list(tmp_path.iterdir()) == []


def test_the_plan_of_a_live_run_says_what_is_asked_of_whom() -> None:
    plan = gr.plan_scan(symbols=FEW, provider="cboe", granularity="inline")
    assert plan.as_of is None
    (vendor,) = plan.vendors
    assert (vendor.vendor, vendor.fetches) == ("cboe", 16)
    assert vendor.seconds > 0


def test_settings_are_changed_over_a_config_or_the_defaults() -> None:
    config = gr.load_config(settings={"run.batch_size": 7})
    assert gr.plan_scan(symbols=FEW, config=config, granularity="inline").batch_size == 7
    both = gr.plan_scan(symbols=FEW, config=config, settings={"run.batch_size": 5}, granularity="inline")
    assert both.batch_size == 5
    sections = {"run": {"batch_size": 4}, "run.max_attempts": 1}
    assert gr.plan_scan(symbols=FEW, config=config, settings=sections, granularity="inline").batch_size == 4
    assert sections == {"run": {"batch_size": 4}, "run.max_attempts": 1}


@pytest.mark.parametrize(
    ("as_of", "moment"),
    [
        ("2026-07-09", datetime(2026, 7, 9, tzinfo=UTC)),
        (date(2026, 7, 9), datetime(2026, 7, 9, tzinfo=UTC)),
        (datetime(2026, 7, 9, 20), datetime(2026, 7, 9, 20, tzinfo=UTC)),  # noqa: DTZ001 - read as UTC
    ],
)
def test_a_moment_may_be_text_a_day_or_a_time(as_of: str | date, moment: datetime) -> None:
    assert gr.plan_scan(symbols=FEW, as_of=as_of, granularity="inline").as_of == moment


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"universe": "dow30"}, "Expected a universe or symbols, was both"),
        ({"as_of": "yesterday"}, "Expected a timestamp such as 2026-07-12T12:00:00Z, was 'yesterday'"),
        ({"provider": "stroe"}, "Nearest: 'store'"),
        ({"settings": {"run.batchsize": 3}}, "Nearest: 'run.batch_size'"),
        ({"symbols": None, "universe": "sp50"}, "Nearest: 'sp500'"),
        ({"resume": "x"}, "drop symbols"),
        ({"symbols": None, "resume": "nope"}, "No run 'nope'"),
    ],
)
def test_what_cannot_be_meant_is_refused_before_anything_is_written(
    tmp_path: Path, options: dict[str, object], words: str
) -> None:
    with pytest.raises(gr.GnosisError, match=words) as caught:
        inline(**options)
    assert caught.value.exit_code == 2
    assert list(tmp_path.iterdir()) == []


def test_an_interrupted_scan_is_finished_with_its_own_symbols(monkeypatch: pytest.MonkeyPatch) -> None:
    """Interrupted after the first of two batches."""
    whole = inline(settings={"run.batch_size": 1}, out="whole")
    kept = InlineFanout.run

    def cut(self: InlineFanout, job: Any, batches: Any, on_receipt: Any) -> None:
        kept(self, job, batches[:1], on_receipt)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(InlineFanout, "run", cut)
        with pytest.raises(KeyboardInterrupt):
            inline(settings={"run.batch_size": 1})
    (manifest, done), *_ = gr.open_ledger("ledger-synthetic").unsealed()
    assert sorted(done) == [0]
    result = gr.scan(resume=manifest.run_id, granularity="inline")
    assert result.run_id == manifest.run_id
    left, right = (r.snapshots.drop("run_id", "run_date") for r in (result, whole))
    assert left.equals(right)
    again = gr.scan(resume=manifest.run_id, granularity="inline")
    assert again.receipt == result.receipt


def test_the_default_ledger_is_that_of_the_last_scan_without_a_name() -> None:
    result = inline()
    assert result.ledger.root == Path("ledger-synthetic").absolute()
    assert gr.open_ledger().root == result.ledger.root
    with pytest.raises(gr.errors.LedgerError, match="No ledger at"):
        gr.open_ledger("ledger")


def test_a_ledger_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(gr.errors.LedgerError, match=f"No ledger at {tmp_path}/nowhere"):
        gr.open_ledger("nowhere")


def test_the_market_reads_what_was_known(tmp_path: Path) -> None:
    now = datetime(2026, 7, 9, 16, tzinfo=UTC)
    trades = gr.open_market().fetch_intraday_trades("AAPL", 60, now)
    assert trades.height > 0
    assert trades.select((pl.col("known_at") <= now).all()).item()
