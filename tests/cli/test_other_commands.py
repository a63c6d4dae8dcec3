"""``runs``, ``config``, ``universe``, ``doctor``, ``data``: data on stdout, talk on stderr, true exit codes."""

from __future__ import annotations

import csv
import io
import json
import shutil
from datetime import UTC, datetime, timedelta
from importlib.metadata import version
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from gnosis_ray.cli.main import VERBS
from gnosis_ray.clock import utc_now
from gnosis_ray.data.universe import load_universe
from gnosis_ray.ledger.ledger_store import LedgerStore
from tests.cli.conftest import MANY, Call, Outcome
from tests.support.clocks import SimulatedTime


def rows_of(outcome: Outcome) -> list[dict[str, Any]]:
    assert outcome.code == 0, outcome.err
    rows: list[dict[str, Any]] = json.loads(outcome.out)
    return rows


def test_help_names_every_verb_and_the_version_is_the_package_s(call: Call) -> None:
    told = call("--help")
    assert told.code == 0
    assert all(verb in told.out for verb in VERBS)
    assert version("gnosis-ray") in call("--version").out
    unknown = call("scam")
    assert (unknown.code, unknown.out) == (2, "")
    assert "Unknown command 'scam'. Nearest: 'scan'" in unknown.err


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_explains_itself(call: Call, verb: str) -> None:
    assert call(verb, "--help").out.startswith(f"Usage: gnosis-ray {verb}")


def test_runs_are_listed_newest_first(
    call: Call, ledger: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    later = utc_now() + timedelta(minutes=1)  # ids tell the seconds in which runs start
    monkeypatch.setattr("gnosis_ray.api.live.TIME", SimulatedTime(later))
    out = tmp_path / "two"
    shutil.copytree(ledger, out)
    assert call("scan", "--symbols", "AAPL", "--granularity", "inline", "--out", out).code == 0
    rows = rows_of(call("runs", "list", "--out", out, "--format", "json"))
    assert [row["symbols"] for row in rows] == [1, len(MANY)]
    assert {row["provider"] for row in rows} == {"synthetic (SYNTHETIC)"}
    assert {row["as_of"] for row in rows} == {"2026-07-10T20:00:00Z"}
    newest = rows[0]["run"]
    for name in (newest, "latest"):
        assert f"Run {newest}" in call("runs", "show", name, "--out", out).err
    assert call("runs", "show", rows[1]["run"], "--out", out).code == 0


def test_no_run_yet_is_said(call: Call) -> None:
    empty = call("runs", "list", "--out", "none", "--format", "json")
    assert rows_of(empty) == []
    assert "gnosis-ray scan --out none" in empty.err
    assert call("runs", "show", "--out", "none").code == 2
    assert not Path("none").exists()


def test_a_run_that_was_cut_off_is_listed_with_how_to_go_on(call: Call, tmp_path: Path) -> None:
    out = tmp_path / "a ledger"
    assert call("scan", "--symbols", "SYN00", "--granularity", "inline", "--out", out).code == 0
    store = LedgerStore(out)
    manifest = store.manifest("latest").model_copy(update={"run_id": "20990101T000000000-0000"})
    store.begin(manifest)
    listed = call("runs", "list", "--out", out, "--format", "json")
    cut, done = rows_of(listed)
    assert (cut["run"], cut["status"], cut["symbols"], cut["snapshots"], cut["seconds"]) == (
        *(manifest.run_id, "cut off", 1, 0),
        None,
    )
    assert done["status"] == "done"
    again = f"gnosis-ray scan --resume {manifest.run_id} --out '{out}' --granularity inline"
    assert f"resume it with: {again}\n" in listed.err
    unfinished = call("runs", "show", manifest.run_id, "--out", out)
    assert (unfinished.code, again in unfinished.err) == (2, True)
    assert call("scan", "--resume", manifest.run_id, "--out", out, "--granularity", "inline").code == 0
    assert [row["status"] for row in rows_of(call("runs", "list", "--out", out, "--format", "json"))] == ["done"] * 2


@pytest.mark.parametrize(
    "wrong",
    [
        ("--min-confidence", "nan"),
        ("--min-confidence", "2"),
        ("--strategy", ""),
        ("--strategy", "iron_condr"),
        ("--side", "both"),
        ("--top", "-1"),
        ("--out", ""),
    ],
)
def test_a_filter_that_means_nothing_is_refused(call: Call, ledger: Path, wrong: tuple[str, str]) -> None:
    refused = call("runs", "show", "--out", ledger, *wrong)
    assert refused.code == 2
    assert refused.out == ""
    assert wrong[0] in refused.err


def test_an_unknown_run_names_the_nearest(call: Call, ledger: Path) -> None:
    (run_id,) = [receipt.run_id for receipt in LedgerStore(ledger).runs()]
    wrong = call("runs", "show", f"{run_id[:-1]}~", "--out", ledger)
    assert (wrong.code, wrong.out) == (2, "")
    assert f"Nearest: '{run_id}'" in wrong.err


def test_a_run_shows_its_degradations_and_its_failures(call: Call, ledger: Path) -> None:
    receipt = LedgerStore(ledger).receipt("latest")
    degraded = rows_of(call("runs", "show", "--what", "degraded", "--out", ledger, "--format", "json"))
    assert {row["reason"]: tuple(row["symbols"]) for row in degraded} == receipt.degraded
    assert rows_of(call("runs", "show", "--what", "failures", "--out", ledger, "--format", "json")) == []
    table = call("runs", "show", "--what", "degraded", "--out", ledger)
    assert "SYNTHETIC" in table.out


def test_settings_say_where_they_come_from(call: Call, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("GNOSIS_RAY__RUN__BATCH_SIZE", "7")
    (tmp_path / "mine.yaml").write_text("run: {batch_size: 9, max_attempts: 5}\n")
    shown = rows_of(call("--profile", "mine.yaml", "config", "show", "--format", "json"))
    settings = {row["setting"]: (row["value"], row["origin"]) for row in shown}
    assert settings["run.batch_size"] == ("7", "environment")
    assert settings["run.max_attempts"][0] == "5"
    assert settings["run.max_attempts"][1].endswith("mine.yaml")
    assert settings["data.provider"] == ("synthetic", "default")
    assert settings["data.dir"] == ("null", "default")


def test_universes_are_listed_and_shown(call: Call) -> None:
    sizes = {row["universe"]: row["symbols"] for row in rows_of(call("universe", "list", "--format", "json"))}
    assert sizes["sp500"] == 503
    shown = call("universe", "show", "us-etfs", "--format", "csv")
    listed = list(csv.DictReader(io.StringIO(shown.out)))
    assert tuple(row["symbol"] for row in listed) == load_universe("us-etfs").symbols
    assert len(listed) == sizes["us-etfs"]
    unknown = call("universe", "show", "us-etf")
    assert (unknown.code, unknown.out) == (2, "")
    assert "us-etfs" in unknown.err


def test_members_of_a_day_are_shown_with_what_to_distrust(call: Call) -> None:
    past = call("universe", "show", "sp500", "--as-of", "2019-01-02", "--format", "json")
    assert "ATVI" in {row["symbol"] for row in rows_of(past)}
    assert "members on 2019-01-02" in past.err
    biased = call("universe", "show", "sp100", "--as-of", "2019-01-02", "--format", "json")
    assert len(rows_of(biased)) > 100
    assert biased.err.startswith("warning: no membership of sp100 is recorded by day")
    assert "survivorship" in biased.err


def test_sectors_are_listed_and_shown(call: Call) -> None:
    sizes = {
        row["universe"]: row["symbols"] for row in rows_of(call("universe", "list", "--sectors", "--format", "json"))
    }
    slices = [size for name, size in sizes.items() if name.startswith("sp500:")]
    assert len(slices) == 11
    assert 502 <= sum(slices) <= 503
    shown = rows_of(call("universe", "show", "sp500:energy", "--format", "json"))
    assert len(shown) == sizes["sp500:energy"]
    assert {row["sector"] for row in shown} == {"energy"}


def test_the_doctor_answers_with_its_exit_code(call: Call, tmp_path: Path) -> None:
    seen = call("doctor", "--out", tmp_path / "ledger", "--format", "json")
    checks = json.loads(seen.out)
    problems = [check for check in checks if check["state"] != "ok"]
    assert seen.code == (5 if problems else 0)
    assert all(check["advice"] for check in problems)
    assert {"python", "ray"} <= {check["check"] for check in checks}


CHAIN: dict[str, list[Any]] = {
    "underlying": ["BRK-B", "BRK-B"],
    "snapshot_ts": ["2026-07-10T20:00:00Z", "2026-07-10T20:00:00"],
    "spot": [100.0, 100.0],
    "contract": ["BRKB260821C00100000", "BRKB260821P00100000"],
    "expiration": ["2026-08-21"] * 2,
    "side": ["call", "put"],
    "strike": [100.0] * 2,
    "bid": [1.0, 1.0],
    "ask": [1.1, 0.9],
    "last": [1.0] * 2,
    "volume": [5.0] * 2,
    "open_interest": [50.0, float("nan")],
    "iv": [0.2] * 2,
    "delta": [0.5, -0.5],
    "gamma": [0.01] * 2,
    "theta": [-0.1] * 2,
    "vega": [0.1] * 2,
}
BARS: dict[str, list[Any]] = {
    "symbol": ["BRK-B"],
    "date": ["2026-07-10"],
    "open": [10.0],
    "high": [11.0],
    "low": [9.0],
    "close": [10.5],
    "volume": [100.0],
}


def write(folder: Path, chain: dict[str, list[Any]], bars: dict[str, list[Any]] | None = None) -> Path:
    folder.mkdir()
    pl.DataFrame(chain).write_parquet(folder / "chains.parquet")
    if bars is not None:
        pl.DataFrame(bars).write_parquet(folder / "ohlcv.parquet")
    return folder


def test_an_import_counts_what_it_did_and_again_is_harmless(call: Call, tmp_path: Path) -> None:
    folder = write(tmp_path / "us_2026_07", CHAIN, BARS)
    first = call("data", "import", folder, "--data-dir", "market", "--format", "json")
    found = {row["reason"]: (row["column"], row["kept"], row["rows"]) for row in rows_of(first)}
    assert found == {
        "naive time read as UTC": ("event_time", True, 1),
        "not a number": ("open_interest", True, 1),
        "crossed: ask below bid": ("ask", True, 1),
    }
    assert "Read 3 rows: 3 written, 0 known before, 0 refused." in first.err
    again = call("data", "import", folder, "--data-dir", "market")
    assert "Read 3 rows: 0 written, 3 known before, 0 refused." in again.err
    held = {row["kind"]: row for row in rows_of(call("data", "list", "--data-dir", "market", "--format", "json"))}
    assert {kind: (row["symbols"], row["rows"]) for kind, row in held.items()} == {"chains": (1, 2), "bars": (1, 1)}
    assert datetime.fromisoformat(held["chains"]["last_known"]) == datetime(2026, 7, 10, 20, tzinfo=UTC)


@pytest.mark.parametrize(
    ("chain", "bars", "told"),
    [
        ({name: v for name, v in CHAIN.items() if name != "bid"}, BARS, "chains.parquet, column bid: Expected the"),
        (CHAIN, None, "Expected a file ohlcv.parquet"),
    ],
)
def test_an_import_names_the_file_and_the_column_that_are_wrong(
    call: Call, tmp_path: Path, chain: dict[str, list[Any]], bars: dict[str, list[Any]] | None, told: str
) -> None:
    folder = write(tmp_path / "feed", chain, bars)
    failed = call("data", "import", folder, "--mapping", "us_2026_07", "--data-dir", "market")
    assert (failed.code, failed.out) == (4, "")
    assert told in failed.err
    assert "Traceback" not in failed.err


def test_a_file_all_of_whose_rows_are_refused_is_a_finding(call: Call, tmp_path: Path) -> None:
    folder = write(tmp_path / "feed", {**CHAIN, "strike": ["a hundred"] * 2}, BARS)
    done = call("data", "import", folder, "--mapping", "us_2026_07", "--data-dir", "market")
    assert done.code == 3
    assert "chains.parquet: all of its rows were refused." in done.err


def test_an_unknown_mapping_names_the_nearest(call: Call, tmp_path: Path) -> None:
    unknown = call("data", "import", write(tmp_path / "us_2026", CHAIN, BARS))
    assert (unknown.code, unknown.out) == (2, "")
    assert "us_2026_07" in unknown.err


def test_an_import_of_a_folder_that_is_not_there_says_so(call: Call, tmp_path: Path) -> None:
    missing = call("data", "import", tmp_path / "us_2026_7")
    assert (missing.code, missing.out) == (2, "")
    assert "does not exist" in missing.err
    assert "mapping" not in missing.err


def test_a_store_that_is_not_there_is_no_data(call: Call) -> None:
    missing = call("data", "list")
    assert (missing.code, missing.out) == (4, "")
    assert "gnosis-ray data import" in missing.err
