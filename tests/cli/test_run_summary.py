"""The summary of a run: five lines, what a source lacks once, and the rest where it is asked for."""

from __future__ import annotations

from pathlib import Path

import pytest

from gnosis_ray.cli.run_summary import lacking_everywhere, print_summary
from gnosis_ray.ledger.ledger_store import LedgerStore
from gnosis_ray.schemas.run_schemas import Failure, RunReceipt
from tests.ledger.samples import manifest, run_receipt

ALL = ("AAPL", "JPM", "KO", "MSFT", "XOM")
DEGRADED = {
    "liquidity:no_quotes": ALL,
    "liquidity:no_trades": ALL,
    "hedge:stale_quotes": ("AAPL", "JPM"),
    "sentiment:stale_quotes": ("JPM", "KO"),
}


def receipt(**changes: object) -> RunReceipt:
    why = {"stage": "load", "kind": "no_data", "error": "NoDataError", "message": "none"}
    failures = tuple(Failure.model_validate({"symbol": symbol, **why}) for symbol in ("EA", "NVR"))
    made = {"degraded": DEGRADED, "failures": failures, "symbols": 7, **changes}
    return run_receipt(manifest("20260712T120000-1f3a"), **made)


def test_what_a_whole_source_lacks_is_no_degradation_of_a_symbol() -> None:
    assert set(lacking_everywhere(receipt())) == {"liquidity:no_quotes", "liquidity:no_trades"}
    assert lacking_everywhere(receipt(rows={"snapshots": 1}, degraded={"liquidity:no_quotes": ("AAPL",)})) == {}


def test_a_line_says_how_many_are_worse_than_the_rest_and_what_all_lack(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("gnosis_ray.cli.run_summary.untraded", lambda *_: {"stance_flat": 3})
    print_summary(receipt(), LedgerStore(tmp_path))
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 5
    assert lines[1].strip() == "7 symbols: 5 done, 5 ideas, 2 failed (EA, NVR at load: none)"
    assert lines[2].strip() == "degraded: 3 (stale quotes 3); of all: no quotes, no trades"
    assert lines[3].strip() == "no idea: stance flat 3"
    assert f"ledger: {tmp_path}" in lines[4]
    print_summary(receipt(), LedgerStore(tmp_path), verbose=True)
    more = capsys.readouterr().err
    assert all(reason in more for reason in DEGRADED)
    assert "failed EA at load: none" in more
    assert "cboe: 12 requests" in more
