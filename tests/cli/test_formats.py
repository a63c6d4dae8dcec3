"""What earlier versions wrote, on the command line: read, resumed, copied; what later ones write: refused by name."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from gnosis_ray.ledger.ledger_store import LedgerStore
from tests.cli.conftest import Call, Outcome
from tests.support.recorded import (
    CUT_OFF,
    FORMAT_1,
    LEDGER_ROWS,
    SEALED,
    STORE_ROWS,
    files_of,
    ledger_of_format_1,
    store_of_format_1,
)

LEDGER, STORE, PROFILE = FORMAT_1 / "ledger", FORMAT_1 / "store", FORMAT_1 / "profile.yaml"


def _rows(outcome: Outcome) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = json.loads(outcome.out)
    return rows


def _newer(root: Path, run_id: str) -> None:
    path = next((root / "manifests").glob(f"*/run_id={run_id}/manifest.json"))
    path.write_text(json.dumps({**json.loads(path.read_text()), "format": 3}))


def test_a_ledger_of_format_1_is_listed_shown_and_explained(call: Call) -> None:
    before = files_of(LEDGER)
    listed = call("runs", "list", "--out", LEDGER, "--format", "json")
    assert listed.code == 0
    assert [(r["run"], r["status"], r["snapshots"], r["ideas"]) for r in _rows(listed)] == [
        (SEALED, "done", 4, 3),
        (CUT_OFF, "cut off", 2, 1),
    ]
    assert f"gnosis-ray scan --resume {CUT_OFF}" in listed.err
    shown = call("runs", "show", "--out", LEDGER, "--format", "json")
    assert (shown.code, len(_rows(shown))) == (0, LEDGER_ROWS["trade_ideas"])
    unfinished = call("runs", "show", CUT_OFF, "--out", LEDGER)
    assert (unfinished.code, "has not finished" in unfinished.err) == (2, True)
    for run in (SEALED, CUT_OFF):
        explained = call("explain", "AAPL", "--run", run, "--out", LEDGER)
        assert (explained.code, "AAPL" in explained.out) == (0, True)
    assert files_of(LEDGER) == before


def test_a_cut_off_run_of_format_1_is_resumed_or_refused_in_one_sentence(call: Call, tmp_path: Path) -> None:
    root = ledger_of_format_1(tmp_path)
    resumed = call("scan", "--resume", CUT_OFF, "--out", root, "--granularity", "inline", "--format", "json")
    if resumed.code == 2:
        assert f"made run {CUT_OFF} with settings that this one does not have" in resumed.err
        assert (resumed.err.count("error:"), "Traceback" in resumed.err) == (1, False)
        return
    assert resumed.code == 0
    store = LedgerStore(root)
    assert store.unsealed() == []
    assert store.receipt(CUT_OFF).snapshots == 4
    assert [record.symbol for record in store.stream(CUT_OFF)] == ["AAPL", "JPM", "NOPE", "XOM"]
    assert list(store.stream(CUT_OFF))[:2] == list(store.stream(SEALED))[:2]
    assert store.receipt(CUT_OFF).rows == {"snapshots": 4, "trade_ideas": store.read("trade_ideas", CUT_OFF).height}
    copied = call("runs", "upgrade", CUT_OFF, "--out", root, "--to", tmp_path / "copy")
    assert copied.code == 0, copied.err
    copy = LedgerStore(tmp_path / "copy")
    assert list(copy.stream(CUT_OFF)) == list(store.stream(CUT_OFF))
    assert copy.receipt(CUT_OFF).rows["suggestions"] == copy.read("suggestions").height == 16


def test_a_store_and_a_profile_of_format_1_are_read(call: Call) -> None:
    listed = call("data", "list", "--data-dir", STORE, "--format", "json")
    assert {row["kind"]: row["rows"] for row in _rows(listed)} == STORE_ROWS
    assert call("data", "verify", "--data-dir", STORE, "--format", "json").code == 0
    settings = call("--profile", PROFILE, "config", "show", "--format", "json")
    values = {row["setting"]: row["value"] for row in _rows(settings)}
    assert (values["run.batch_size"], values["trade.max_ideas"]) == ("2", "1")


def test_a_newer_run_is_listed_as_such_and_hides_no_other(call: Call, tmp_path: Path) -> None:
    root = ledger_of_format_1(tmp_path)
    _newer(root, SEALED)
    next((root / "commits").glob(f"*/run_id={CUT_OFF}/batch-00000")).write_bytes(b"{")
    listed = call("runs", "list", "--out", root, "--format", "json")
    assert listed.code == 6
    assert [(r["run"], r["status"], r["symbols"], r["as_of"]) for r in _rows(listed)] == [
        (SEALED, "newer format", None, None),
        (CUT_OFF, "unreadable", None, "2026-07-10T20:00:00Z"),
    ]
    assert listed.err.count("error:") == 2
    assert f"error: Run {SEALED} in {root} has format 3; gnosis-ray" in listed.err
    for verb in (("runs", "show", SEALED), ("explain", "AAPL", "--run", SEALED), ("scan", "--resume", SEALED)):
        refused = call(*verb, "--out", root)
        assert (refused.code, refused.out) == (2, "")
        assert "has format 3; gnosis-ray" in refused.err
        assert "Read it with the version that wrote it, or a newer one" in refused.err
    assert "newer format" in call("runs", "list", "--out", root).out


@pytest.mark.parametrize("verb", [("data", "list"), ("data", "verify"), ("scan", "--provider", "store")])
def test_a_newer_store_is_refused_by_name(call: Call, tmp_path: Path, verb: tuple[str, ...]) -> None:
    root = store_of_format_1(tmp_path)
    (root / "format.json").write_text('{"format": 3}')
    more = ("--symbols", "AAPL", "--granularity", "inline") if verb[0] == "scan" else ()
    refused = call(*verb, *more, "--data-dir", root)
    assert (refused.code, refused.out) == (2, "")
    assert f"The market store {root} has format 3; gnosis-ray" in refused.err


def test_a_newer_profile_is_refused_by_name(call: Call, tmp_path: Path) -> None:
    profile = tmp_path / "future.yaml"
    profile.write_text("format: 99\ntrade:\n  of_the_future: 1\n")
    refused = call("--profile", profile, "config", "show")
    assert (refused.code, refused.out) == (2, "")
    assert f"Profile {profile} has format 99; gnosis-ray" in refused.err
    assert "reads format 1. Read it with the version that wrote it" in refused.err


def test_runs_are_upgraded_into_another_ledger(call: Call, tmp_path: Path) -> None:
    before, copy = files_of(LEDGER), tmp_path / "copy"
    one = call("runs", "upgrade", SEALED[:12], "--out", LEDGER, "--to", copy, "--format", "json")
    assert (one.code, one.out) == (2, "")  # the start of two runs
    one = call("runs", "upgrade", SEALED, "--out", LEDGER, "--to", copy, "--format", "json")
    total = sum(LEDGER_ROWS.values())
    assert _rows(one) == [{"run": SEALED, "status": "upgraded", "from_format": 1, "batches": 2, "rows": total}]
    again = call("runs", "upgrade", SEALED, "--out", LEDGER, "--to", copy)
    assert (again.code, again.out) == (2, "")
    assert f"holds run {SEALED} already" in again.err
    rest = call("runs", "upgrade", "--all", "--out", LEDGER, "--to", copy, "--format", "json")
    assert rest.code == 0
    assert {row["run"]: row["status"] for row in _rows(rest)} == {CUT_OFF: "upgraded, cut off", SEALED: "held already"}
    assert files_of(LEDGER) == before
    listed = _rows(call("runs", "list", "--out", copy, "--format", "json"))
    assert [(row["run"], row["status"]) for row in listed] == [(SEALED, "done"), (CUT_OFF, "cut off")]
    onward = call("runs", "upgrade", "--all", "--out", copy, "--to", tmp_path / "third", "--format", "json")
    assert {row["status"] for row in _rows(onward)} == {"today's format"}
    explained = [call("explain", "AAPL", "--run", SEALED, "--out", ledger).out for ledger in (LEDGER, copy)]
    assert explained[0] == explained[1].replace(str(copy), str(LEDGER))


def test_one_run_that_is_refused_stops_no_other(call: Call, tmp_path: Path) -> None:
    root = ledger_of_format_1(tmp_path)
    _newer(root, CUT_OFF)
    done = call("runs", "upgrade", "--all", "--out", root, "--to", tmp_path / "copy", "--format", "json")
    assert done.code == 2
    assert {row["run"]: row["status"] for row in _rows(done)} == {CUT_OFF: "refused", SEALED: "upgraded"}
    assert f"error: {CUT_OFF}: Run {CUT_OFF} in {root} has format 3" in done.err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "Expected a RUN or --all"),
        (("--all", SEALED), "Expected a RUN or --all"),
        (("nope",), "Unknown run 'nope'"),
    ],
)
def test_what_to_upgrade_must_be_clear(call: Call, tmp_path: Path, arguments: tuple[str, ...], said: str) -> None:
    refused = call("runs", "upgrade", *arguments, "--out", LEDGER, "--to", tmp_path / "copy")
    assert (refused.code, refused.out) == (2, "")
    assert said in refused.err
    assert not (tmp_path / "copy").exists()
    assert "--to" in call("runs", "upgrade", "--all", "--out", LEDGER).err


def test_a_store_is_upgraded_into_a_new_one(call: Call, tmp_path: Path) -> None:
    before, copy = files_of(STORE), tmp_path / "copy"
    done = call("data", "upgrade", "--data-dir", STORE, "--to", copy, "--format", "json")
    assert {row["kind"]: row["rows"] for row in _rows(done)} == STORE_ROWS
    assert f"{copy} has format 2" in done.err
    assert files_of(STORE) == before
    again = call("data", "upgrade", "--data-dir", STORE, "--to", copy)
    assert (again.code, again.out) == (2, "")
    assert "was a market store" in again.err
    listed = [call("data", "list", "--data-dir", store, "--format", "csv") for store in (STORE, copy)]
    assert listed[0].out.splitlines()[0] == listed[1].out.splitlines()[0]
    assert {row.split(",")[0] for row in listed[1].out.splitlines()[1:]} == set(STORE_ROWS)
