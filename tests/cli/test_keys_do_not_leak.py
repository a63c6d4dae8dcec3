"""Keys are in the headers of the requests that need them, and nowhere else."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest

from gnosis_ray.app.sources import build_source
from gnosis_ray.config import Config
from gnosis_ray.ledger.ledger_store import LedgerStore
from gnosis_ray.market.calendar import SessionCalendar
from gnosis_ray.security.keys import key_of
from gnosis_ray.vendors.providers.http_sessions import refused
from tests.support.replay import ReplayRequest, ReplayResponse, ReplayServer, SyntheticMarket, serving
from tests.support.replay.http_messages import json_reply
from tests.support.replay.tradier import tradier

ROOT = Path(__file__).parents[2]
KEYS = {
    "tradier": "7f3aTRADIERleakme91",
    "massive": "c04eMASSIVEleakme52",
    "alpaca_key_id": "PK6dALPACAleakme88",
    "alpaca_secret_key": "e19bSECRETleakme07",
}
IN_ENVIRONMENT = {"tradier": "TRADIER_TOKEN", "alpaca_key_id": "APCA_API_KEY_ID"}
"""The others are in the key file."""
HEADERS = {
    "tradier": ("authorization", "Bearer {}"),
    "massive": ("authorization", "Bearer {}"),
    "alpaca_key_id": ("apca-api-key-id", "{}"),
    "alpaca_secret_key": ("apca-api-secret-key", "{}"),
}
SHOWN = {header for header, _ in HEADERS.values()}
PIECE = 8
"""Characters of a key by which it could be told."""
PROFILE = """
data: {fetch: [chains]}
providers:
  tradier: {base_url: "URL", requests_per_minute: 60000}
  massive: {base_url: "URL", requests_per_minute: 60000}
  alpaca: {base_url: "URL", requests_per_minute: 60000}
gateway: {attempts: 2, backoff_s: 0.01}
"""


def echoing(ask: ReplayRequest) -> ReplayResponse | None:
    """What a careless vendor does: it says which key it refuses (MSFT), or what it choked on (XOM)."""
    padding = "." * (120 + 7 * len(ask.path) % 90)  # so that a text cut somewhere is cut within a key
    told = {"fault": padding, "keys": [v for n, v in ask.headers.items() if n in SHOWN], "headers": dict(ask.headers)}
    if "MSFT" in ask.target:
        return json_reply(told, 401)
    if "XOM" in ask.target:
        return json_reply(told, 500)
    return None if ask.vendor == "tradier" else json_reply({"results": [], "status": "OK", "bars": {}})


@pytest.fixture(scope="module")
def replay(config: Config, market_calendar: SessionCalendar) -> Iterator[ReplayServer]:
    market = SyntheticMarket(build_source(config, market_calendar), frozenset({"AAPL"}), config.data.synthetic.as_of)
    with serving(echoing, tradier(market, KEYS["tradier"])) as started:
        yield started


@pytest.fixture(scope="module")
def left_behind(replay: ReplayServer, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with all that scans and fetches with keys leave, the key file taken away."""
    folder = tmp_path_factory.mktemp("with_keys")
    (folder / "wire.yaml").write_text(PROFILE.replace("URL", replay.url))
    key_file = folder / "home" / "keys.yaml"
    key_file.parent.mkdir()
    key_file.touch(mode=0o600)
    key_file.write_text("".join(f'{n}: "{key}"\n' for n, key in KEYS.items() if n not in IN_ENVIRONMENT))
    common = ["--profile", str(folder / "wire.yaml"), "--log-level", "debug"]
    three = ["--symbols", "AAPL,MSFT,XOM", "--data-dir", str(folder / "market")]
    fetch = [*common, "data", "fetch", *three]
    commands = [
        [*common, "scan", *three, "--provider", "tradier", "--granularity", "shard", "--out", str(folder / "ledger")],
        [*fetch, "--provider", "massive", "--kinds", "bars,news"],
        [*fetch, "--provider", "alpaca", "--kinds", "bars"],
        [*common, "runs", "show", "--out", str(folder / "ledger"), "--what", "failures"],
        ["config", "show"],
    ]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GNOSIS_RAY__")}
    environment |= {"GNOSIS_RAY_HOME": str(folder / "home"), "PYTHONPATH": str(ROOT)}
    environment |= {variable: KEYS[name] for name, variable in IN_ENVIRONMENT.items()}
    done = subprocess.run(
        [sys.executable, "-m", "tests.support.replay.on_ray", str(folder)],
        input=json.dumps(commands),
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    key_file.unlink()
    (folder / "out").write_text(done.stdout)
    (folder / "err").write_text(done.stderr)
    return folder


def pieces(key: str) -> list[str]:
    """All parts of a key that are long enough to tell it by."""
    return [key[i : i + PIECE] for i in range(len(key) - PIECE + 1)]


def said_by(path: Path) -> bytes:
    """A file as it lies, and what is packed in it."""
    raw = path.read_bytes()
    if path.suffix != ".parquet":
        return raw
    return raw + pl.read_parquet(path, hive_partitioning=False).write_json().encode()


def test_the_keys_were_used(replay: ReplayServer, left_behind: Path) -> None:
    """Else it is no wonder that they are not found."""
    shown = [ask.headers for ask in replay.asked()]
    for name, (header, form) in HEADERS.items():
        assert any(headers.get(header) == form.format(KEYS[name]) for headers in shown), name
    codes = json.loads((left_behind / "codes.json").read_text())
    assert codes[:3] == [3, 3, 3], (left_behind / "err").read_text()
    errors = {failure.error for failure in LedgerStore(left_behind / "ledger").receipt("latest").failures}
    assert {"HTTP 401", "HTTP 500"} <= errors


def test_keys_are_in_no_address(replay: ReplayServer, left_behind: Path) -> None:
    assert left_behind.is_dir()
    assert not [ask.target for ask in replay.asked() if any(key in ask.target for key in KEYS.values())]


def test_a_key_is_shown_to_its_own_vendor_only(replay: ReplayServer, left_behind: Path) -> None:
    assert left_behind.is_dir()
    for ask in replay.asked("tradier"):
        others = [key for name, key in KEYS.items() if name != "tradier"]
        assert not any(key in value for key in others for value in ask.headers.values())


def test_keys_are_nowhere_else(left_behind: Path) -> None:
    """Not in what was said, logged, stored, kept in hand, written to the ledger, or listed by Ray."""
    files = [path for path in left_behind.rglob("*") if path.is_file() and not path.is_symlink()]
    kinds = {path.relative_to(left_behind).parts[0] for path in files}
    assert {"out", "err", "control_store", "ray", "ledger", "market", "home"} <= kinds
    leaks = [
        (name, str(path.relative_to(left_behind)))
        for path in files
        for said in [said_by(path)]
        for name, key in KEYS.items()
        if any(piece.encode() in said for piece in pieces(key))
    ]
    assert leaks == []


def test_no_part_of_a_key_is_left_where_a_text_is_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRADIER_TOKEN", KEYS["tradier"])
    key = key_of("tradier").get_secret_value()
    for length in range(260):
        for blank in ("x", " "):
            told = str(refused("tradier", "https://vendor.test/v1", 500, {}, f"{blank * length} {key} is unknown"))
            assert not any(piece in told for piece in pieces(key)), length


def test_a_leak_would_be_found(tmp_path: Path) -> None:
    path = tmp_path / "part.parquet"
    pl.DataFrame({"message": [f"refused {KEYS['tradier']}"] * 1000}).write_parquet(path, compression="zstd")
    assert KEYS["tradier"].encode() in said_by(path)
