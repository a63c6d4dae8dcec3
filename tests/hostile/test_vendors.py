"""What a vendor may send: so much, so often, from its own hosts, and nothing that a terminal obeys."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from gnosis_ray.clock import SystemTime
from gnosis_ray.config import Config
from gnosis_ray.errors import ConfigError
from tests.hostile.vendors import ASKED, BOMBS, dripping, endless, failure_of, gateway_to, keys_of_all, with_crumb
from tests.support.clocks import SimulatedTime
from tests.support.replay import ReplayRequest, ReplayResponse, ReplayServer, serving

MOST_GROWN_MIB = 200
"""Of a bomb of 160 to 512 MiB: the largest answer allowed has 32, is held twice for a moment, and its parts are."""

QUICK = {"requests_per_minute": 6000.0}


@pytest.fixture(autouse=True)
def _keys(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    monkeypatch.setenv("GNOSIS_RAY_HOME", str(tmp_path / "home"))
    with keys_of_all():
        yield


@pytest.fixture(scope="module")
def bombs() -> Iterator[ReplayServer]:
    """The bomb of a number at the path that begins with it; nothing at others."""
    made = [bomb() for bomb in BOMBS.values()]

    def answer(ask: ReplayRequest) -> ReplayResponse:
        number = ask.path.split("/")[1]
        return made[int(number)] if number.isdecimal() else ReplayResponse(404)

    with serving(with_crumb(answer)) as server:
        yield server


@pytest.mark.parametrize("vendor", ASKED)
def test_a_bomb_is_left_before_it_fills_the_memory(vendor: str, bombs: ReplayServer, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tests.hostile.bomb_child", vendor, bombs.url, str(tmp_path / "cache")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=150, check=False)
    assert done.returncode == 0, done.stderr
    found = [json.loads(line) for line in done.stdout.splitlines()]
    assert [line["bomb"] for line in found] == list(BOMBS)
    for line in found:
        assert line["grown_mib"] < MOST_GROWN_MIB, line
        named = f"providers.{vendor}.max_answer_mib" in line["message"]
        assert named or "Expected gzip, once" in line["message"], line


@pytest.mark.timeout(60)
@pytest.mark.parametrize("vendor", [name for name in ASKED if name != "cboe"])
def test_pages_without_end_end_with_the_deadline(vendor: str, config: Config, tmp_path: Path) -> None:
    clock = SimulatedTime()
    rate, limits = {"requests_per_minute": 300.0}, {"deadline_s": 5.0}
    with serving(with_crumb(endless)) as server:
        gateway = gateway_to(server.url, config, tmp_path, clock, vendor=rate, gateway=limits)
        failure = failure_of(gateway, vendor)
        asked = len(server.asked())
    assert "gateway.deadline_s" in failure.message
    assert clock.seconds() < 5.0 + 13 * 0.2 + 1.0  # the deadline, and what the requests planned take at the rate
    assert asked < 60


@pytest.mark.timeout(60)
@pytest.mark.parametrize("vendor", [name for name in ASKED if name != "cboe"])
def test_pages_without_end_end_in_real_time(vendor: str, config: Config, tmp_path: Path) -> None:
    """The issue's own case for one vendor, a shorter deadline for the others."""
    deadline = 5.0 if vendor == "massive" else 1.0
    with serving(with_crumb(endless)) as server:
        limits = {"deadline_s": deadline}
        gateway = gateway_to(server.url, config, tmp_path, SystemTime(), vendor=QUICK, gateway=limits)
        began = time.monotonic()
        failure = failure_of(gateway, vendor)
        took = time.monotonic() - began
    assert "gateway.deadline_s" in failure.message or "gateway.max_requests" in failure.message
    assert took < deadline + 4.0  # of which three to load a client


@pytest.mark.timeout(60)
@pytest.mark.parametrize("vendor", [name for name in ASKED if name != "cboe"])
def test_pages_without_end_end_with_the_requests_of_one_symbol(vendor: str, config: Config, tmp_path: Path) -> None:
    with serving(with_crumb(endless)) as server:
        limits = {"max_requests": 20}
        gateway = gateway_to(server.url, config, tmp_path, SimulatedTime(), vendor=QUICK, gateway=limits)
        failure = failure_of(gateway, vendor)
        asked = len(server.asked())
    assert "sent 20 requests (gateway.max_requests)" in failure.message
    assert asked == 20
    assert failure.kind == "provider"


@pytest.mark.timeout(60)
@pytest.mark.parametrize("vendor", ["massive", "alpaca"])
def test_pages_without_end_end_with_the_rows_of_one_symbol(vendor: str, config: Config, tmp_path: Path) -> None:
    with serving(with_crumb(endless)) as server:
        limits = {"max_rows": 12}
        gateway = gateway_to(server.url, config, tmp_path, SimulatedTime(), vendor=QUICK, gateway=limits)
        failure = failure_of(gateway, vendor)
        asked = len(server.asked())
    assert "more than 12 rows (gateway.max_rows)" in failure.message
    assert asked == 13


@pytest.mark.timeout(30)
@pytest.mark.parametrize("vendor", ASKED)
def test_bytes_that_drip_hold_no_request_for_longer_than_its_time(vendor: str, config: Config, tmp_path: Path) -> None:
    quick = {**QUICK, "timeout_s": 0.5}
    with dripping() as url:
        gateway = gateway_to(url, config, tmp_path, SystemTime(), vendor=quick, gateway={"attempts": 1})
        began = time.monotonic()
        failure = failure_of(gateway, vendor)
        took = time.monotonic() - began
    assert "within 0.5 s" in failure.message or "could not be reached" in failure.message
    assert took < 5.0  # of which three to load a client


@pytest.mark.parametrize("vendor", ASKED)
@pytest.mark.parametrize("status", [301, 302, 307])
def test_no_vendor_leaves_its_hosts(vendor: str, status: int, config: Config, tmp_path: Path) -> None:
    with serving(lambda _: ReplayResponse(404)) as elsewhere:
        to = elsewhere.url.replace("127.0.0.1", "localhost")
        moved = ReplayResponse(status, headers={"Location": f"{to}/v1/anything"})
        with serving(with_crumb(lambda _: moved)) as server:
            gateway = gateway_to(server.url, config, tmp_path, SimulatedTime(), vendor=QUICK)
            failure = failure_of(gateway, vendor)
        assert elsewhere.asked() == []
    assert failure.kind == "provider"
    assert "localhost" in failure.message


@pytest.mark.parametrize("path", ["/", "/v1/test/getcrumb"])
def test_yahoos_cookies_come_from_its_hosts_too(path: str, config: Config, tmp_path: Path) -> None:
    with serving(lambda _: ReplayResponse(404)) as elsewhere:
        to = elsewhere.url.replace("127.0.0.1", "localhost")

        def answer(ask: ReplayRequest) -> ReplayResponse | None:
            return ReplayResponse(302, headers={"Location": f"{to}/cookies"}) if ask.path == path else None

        with serving(answer, with_crumb(endless)) as server:
            gateway = gateway_to(server.url, config, tmp_path, SimulatedTime(), vendor=QUICK)
            failure = failure_of(gateway, "yahoo")
        assert elsewhere.asked() == []
    assert "Expected an https address at" in failure.message


@pytest.mark.parametrize("vendor", ASKED)
def test_no_vendor_is_asked_without_encryption(vendor: str, config: Config, tmp_path: Path) -> None:
    gateway = gateway_to("http://vendor.example", config, tmp_path, SimulatedTime())
    with pytest.raises(ConfigError, match=rf"Expected https://.*providers\.{vendor}\.base_url"):
        failure_of(gateway, vendor)


@pytest.mark.parametrize("vendor", ASKED)
@pytest.mark.parametrize("base_url", ["ftp://127.0.0.1", "https://me:pw@vendor.example"])
def test_settings_hold_no_other_address(vendor: str, base_url: str, config: Config) -> None:
    with pytest.raises(ConfigError, match=rf"providers\.{vendor}\.base_url: Expected an address such as") as told:
        config.replaced(providers={vendor: {"base_url": base_url}})
    assert "pw" not in str(told.value)
