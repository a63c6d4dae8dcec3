"""Vendors that mean harm: bombs, pages without end, redirects; asked through the gateway, as a run asks them."""

from __future__ import annotations

import gzip
import json
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import lru_cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from gnosis_ray.app.fetching import fetch_requirements
from gnosis_ray.clock import Time
from gnosis_ray.config import Config
from gnosis_ray.schemas.core_schemas import DataKind
from gnosis_ray.schemas.run_schemas import Failure
from gnosis_ray.vendors.fetching import windows
from gnosis_ray.vendors.gateway import FetchRequest, Gateway
from gnosis_ray.vendors.gateway.response_cache import ResponseCache
from gnosis_ray.vendors.providers.registry import provider_maker
from tests.support.replay.http_messages import ReplayRequest, ReplayResponse

UNZIPPED = "application/json; charset=utf-8"
"""A type that the replay server leaves as it is."""

KEYS = {
    "TRADIER_TOKEN": "t0ken-of-a-test-3f9c",
    "MASSIVE_API_KEY": "t0ken-of-a-test-3f9d",
    "APCA_API_KEY_ID": "t0ken-of-a-test-3f9e",
    "APCA_API_SECRET_KEY": "t0ken-of-a-test-3f9f",
}

ASKED: Mapping[str, DataKind] = {
    "cboe": "chains",
    "tradier": "chains",
    "yahoo": "chains",
    "massive": "chains",
    "alpaca": "chains",
}
"""The vendors, and what each is asked for. ccxt is tested in an environment of its own."""

MIB = 1 << 20


@lru_cache
def _spaces(mib: int, times: int) -> bytes:
    body = b" " * (mib * MIB)
    for _ in range(times):
        body = gzip.compress(body, 9)
    return body


BOMBS: Mapping[str, Callable[[], ReplayResponse]] = {
    "512 MiB, packed": lambda: _packed(_spaces(512, 1), "gzip"),
    "512 MiB, packed twice": lambda: _packed(_spaces(512, 2), "gzip, gzip"),
    "160 MiB, plain": lambda: ReplayResponse(body=_spaces(160, 0), content_type=UNZIPPED),
    "four million objects in 12 MiB": lambda: ReplayResponse(
        body=b"[" + b"{}," * (4 * MIB) + b"{}]", content_type=UNZIPPED
    ),
    "an error of 512 MiB, packed": lambda: _packed(_spaces(512, 1), "gzip", 400),
    "a redirect of 512 MiB, packed": lambda: _packed(_spaces(512, 1), "gzip", 302),
}
"""Answers that are small on the way or harmless to look at."""


def _packed(body: bytes, encoding: str, status: int = 200) -> ReplayResponse:
    more = {"Location": "/elsewhere"} if status == 302 else {}
    return ReplayResponse(status, body, UNZIPPED, {"Content-Encoding": encoding, **more})


def with_crumb(route: Callable[[ReplayRequest], ReplayResponse]) -> Callable[[ReplayRequest], ReplayResponse]:
    """``route`` for all but what yfinance asks for on the way."""

    def answer(ask: ReplayRequest) -> ReplayResponse:
        if ask.path.endswith("/getcrumb"):
            return ReplayResponse(body=b"Ab1.cdEf", content_type="text/plain")
        return ReplayResponse(404) if ask.path in ("", "/", "/consent") else route(ask)

    return answer


def said(body: Any) -> ReplayResponse:
    return ReplayResponse(body=json.dumps(body).encode(), content_type=UNZIPPED)


def endless(ask: ReplayRequest) -> ReplayResponse:
    """Every vendor's own way to say that there is more, ever anew."""
    turn = str(endless_turns.setdefault(ask.at, len(endless_turns)))
    contract = f"AAPL270115C{int(turn) + 1:05d}000"
    if "/snapshot/options/" in ask.path:
        held = {"ticker": f"O:{contract}", "shares_per_contract": 100}
        return said({"status": "OK", "results": [{"details": held}], "next_url": f"http://x/y?cursor={turn}"})
    if "/snapshots/" in ask.path:
        return said({"snapshots": {contract: {}}, "next_page_token": turn})
    if ask.path.endswith("/options/expirations"):
        return said({"expirations": {"date": [f"2027-01-{day % 28 + 1:02d}" for day in range(50_000)]}})
    if ask.path.endswith("/markets/quotes"):
        quote = {"symbol": "AAPL", "bid": 1.0, "ask": 1.0, "last": 1.0, "bid_date": 1, "ask_date": 1, "trade_date": 1}
        return said({"quotes": {"quote": quote}})
    if ask.path.endswith("/options/chains"):
        return said({"options": None})
    expiry: dict[str, list[object]] = {"calls": [], "puts": []}
    chain = {"expirationDates": list(range(1, 50_000)), "quote": {}, "options": [expiry]}
    return said({"optionChain": {"result": [chain], "error": None}})


endless_turns: dict[float, int] = {}


def gateway_to(url: str, config: Config, folder: Path, time: Time, **changes: Mapping[str, object]) -> Gateway:
    """A gateway to vendors that are all at ``url``; ``changes``: of ``vendor`` and ``gateway`` settings."""
    moved = {"base_url": url, **changes.get("vendor", {})}
    providers = config.providers.replaced(**dict.fromkeys(ASKED, moved))
    settings = config.gateway.replaced(**changes.get("gateway", {}))
    needed = windows(fetch_requirements(config))
    return Gateway(providers, settings, provider_maker(providers), ResponseCache(folder), needed, time)


def failure_of(gateway: Gateway, vendor: str, symbol: str = "AAPL") -> Failure:
    """Why a symbol could not be fetched."""
    (result,) = gateway.fetch_all([FetchRequest(vendor, ASKED[vendor], symbol)], lambda _: None)
    assert result.failure is not None
    return result.failure


@contextmanager
def dripping() -> Iterator[str]:
    """A vendor that promises a megabyte and sends a byte now and then, to whoever asks for data; gives its address."""
    over = threading.Event()

    class Drip(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            idle = not self.path.strip("/") or self.path.endswith(("/getcrumb", "/consent"))
            self.send_response(401 if idle else 200)  # no crumb: yfinance goes on without
            self.send_header("Content-Type", UNZIPPED)
            self.send_header("Content-Length", "0" if idle else str(MIB))
            self.end_headers()
            with suppress(OSError):
                while not idle and not over.wait(0.05):
                    self.wfile.write(b" ")

        def log_message(self, format: str, *args: Any) -> None:
            """Log nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Drip) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            over.set()
            server.shutdown()


@contextmanager
def keys_of_all() -> Iterator[None]:
    """Made-up keys for the vendors that want one."""
    with pytest.MonkeyPatch.context() as patch:
        for name, key in KEYS.items():
            patch.setenv(name, key)
        yield
