"""A disk that fills up in a scan: it ends at once, writes nobody off, and goes on once there is room."""

from __future__ import annotations

from pathlib import Path

import pytest

from gnosis_ray.ledger.ledger_store import LedgerStore
from gnosis_ray.ledger.tables import SCAN_TABLES
from tests.cli.conftest import Call
from tests.support.mounts import grow, small_disk

SYMBOLS = "AAPL,AMZN,CVX,GOOGL,JPM,KO,META,MSFT,NVDA,PFE,PG,XOM"


@pytest.mark.parametrize("granularity", ["inline", "shard"])
def test_a_full_disk_writes_no_symbol_off(
    call: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, granularity: str
) -> None:
    monkeypatch.setenv("GNOSIS_RAY__RUN__BATCH_SIZE", "4")
    scan = ("scan", "--granularity", granularity)
    whole = tmp_path / "whole"
    assert call(*scan, "--symbols", SYMBOLS, "--out", whole).code == 0
    with small_disk(tmp_path / "disk", 500) as disk:
        out = disk / "ledger"
        ended = call(*scan, "--symbols", SYMBOLS, "--out", out)
        store = LedgerStore(out)
        ((manifest, _),) = store.unsealed()
        assert ended.code == 7
        assert f"gnosis-ray scan --resume {manifest.run_id} --out {out}" in ended.err
        assert "No space left on device" in ended.err
        assert ended.err.count("error:") == 1, "it is said once"
        assert store.read("failures").is_empty()
        grow(disk, 20_000)
        assert call(*scan, "--resume", "latest", "--out", out).code == 0
        for table in SCAN_TABLES:
            ours, theirs = (LedgerStore(root).read(table.name) for root in (out, whole))
            assert ours.drop("run_id").equals(theirs.drop("run_id")), table.name
