"""What the store holds and what is odd about it, by command."""

from __future__ import annotations

import json
from pathlib import Path

import polars as pl

from gnosis_ray.data.store import StoreWriter
from tests.cli.conftest import Call
from tests.data.store.frames import bars, chain


def a_store(root: Path, *, broken: bool = False) -> Path:
    writer = StoreWriter(root)
    table = bars("AAPL", 5)  # Monday to Friday
    writer.append("bars", table.with_columns(volume=pl.lit(-1.0)) if broken else table)
    writer.append("chains", chain("AAPL", table["timestamp"][0]))
    return root


def test_a_store_is_listed_with_the_sessions_it_covers(call: Call, tmp_path: Path) -> None:
    root = a_store(tmp_path / "market")
    held = {row["kind"]: row for row in json.loads(call("data", "list", "--data-dir", root, "--format", "json").out)}
    assert (held["bars"]["sessions"], held["bars"]["of_sessions"], held["bars"]["rows"]) == (5, 5, 5)
    assert (held["chains"]["sessions"], held["chains"]["of_sessions"]) == (1, 1)
    for kind, row in held.items():
        parts = list((root / kind).rglob("*.parquet"))
        assert (row["parts"], row["bytes"]) == (len(parts), sum(part.stat().st_size for part in parts))


def test_findings_are_data_and_only_errors_fail(call: Call, tmp_path: Path) -> None:
    fine, broken = a_store(tmp_path / "fine"), a_store(tmp_path / "broken", broken=True)
    seen = call("data", "verify", "--data-dir", fine, "--format", "json")
    assert seen.code == 0
    assert {row["severity"] for row in json.loads(seen.out)} == {"warning", "note"}
    seen = call("data", "verify", "--data-dir", broken, "--format", "json")
    assert seen.code == 3
    worst = json.loads(seen.out)[0]
    assert (worst["severity"], worst["finding"], worst["rows"], worst["most"]) == (
        "error",
        "impossible figure",
        5,
        ["AAPL"],
    )
    table = call("data", "verify", "--data-dir", broken)
    assert (table.code, "impossible figure" in table.out, "--checks" in table.err) == (3, True, True)


def test_kinds_symbols_and_days_bound_what_is_looked_at(call: Call, tmp_path: Path) -> None:
    broken = a_store(tmp_path / "market", broken=True)
    assert call("data", "verify", "--data-dir", broken, "--kind", "chains").code == 0
    assert call("data", "verify", "--data-dir", broken, "--kind", "bars", "--symbols", "aapl").code == 3
    nothing = call("data", "verify", "--data-dir", broken, "--from", "2026-08-01")
    assert (nothing.code, "holds nothing of what is to be verified" in nothing.err) == (4, True)
    wrong = call("data", "verify", "--data-dir", broken, "--kind", "gold")
    assert (wrong.code, "Unknown kind of market data 'gold'" in wrong.err) == (2, True)


def test_a_damaged_file_is_no_finding(call: Call, tmp_path: Path) -> None:
    part = next(a_store(tmp_path / "market").glob("chains/*/*.parquet"))
    part.write_bytes(part.read_bytes()[:-100])
    broken = call("data", "verify", "--data-dir", tmp_path / "market")
    assert (broken.code, broken.out, part.name in broken.err) == (6, "", True)


def test_what_each_check_looks_for_is_told(call: Call) -> None:
    told = json.loads(call("data", "verify", "--checks", "--format", "json").out)
    assert {"unadjusted split", "crossed quote", "repeated headline"} <= {row["finding"] for row in told}
    assert {row["severity"] for row in told} == {"error", "warning", "note"}
