"""A local server that stands in for vendors: true formats, faults on demand, a record of every request."""

from __future__ import annotations

import re
import threading
import time
import zlib
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from tests.support.replay.faults import InjectedFault, ResponseFault
from tests.support.replay.http_messages import JSON, ReplayRequest, ReplayResponse, Route

_VENDORS = (
    (re.compile(r"/api/global/"), "cboe"),
    (re.compile(r"/v1/markets/"), "tradier"),
    (re.compile(r"/v[78]/finance/|/v1/finance/|/v1/test/|/xhr/|/$"), "yahoo"),
    (re.compile(r"/v[23]/"), "massive"),
)


class ReplayServer:
    """The server as tests use it."""

    def __init__(self, routes: Sequence[Route]) -> None:
        self._routes = routes
        self._faults: list[InjectedFault] = []
        self._asked: list[ReplayRequest] = []
        self._lock = threading.Lock()
        self.closing = threading.Event()
        self.url = ""

    def inject_fault(self, pattern: str, fault: ResponseFault, times: int | None = None) -> None:
        """Apply ``fault`` to the next responses whose request target matches ``pattern``; the latest fault wins."""
        with self._lock:
            self._faults.insert(0, InjectedFault(pattern, fault, times))

    def clear_faults(self) -> None:
        """Remove all faults."""
        with self._lock:
            self._faults.clear()

    def clear_requests(self) -> None:
        """Forget the requests so far."""
        with self._lock:
            self._asked.clear()

    def asked(self, vendor: str | None = None) -> list[ReplayRequest]:
        """Every request so far, or those to one vendor, in the order of arrival."""
        with self._lock:
            return [ask for ask in self._asked if vendor in (None, ask.vendor)]

    def repeated(self) -> dict[str, int]:
        """Targets that were requested more than once, and how often."""
        return {target: n for target, n in Counter(ask.target for ask in self.asked()).items() if n > 1}

    def answer(self, ask: ReplayRequest) -> ReplayResponse:
        """Record a request and answer it."""
        with self._lock:
            self._asked.append(ask)
            fault = next((f for f in self._faults if _strikes(f, ask)), None)
            if fault is not None:
                fault.applied += 1
        reply = next((r for r in (route(ask) for route in self._routes) if r is not None), None)
        reply = ReplayResponse(404, b"Not Found", "text/plain") if reply is None else reply
        return reply if fault is None else fault.apply(reply)


def _strikes(fault: InjectedFault, ask: ReplayRequest) -> bool:
    spent = fault.times is not None and fault.applied >= fault.times
    return not spent and re.search(fault.pattern, ask.target) is not None


def most_within(asks: Sequence[ReplayRequest], seconds: float) -> int:
    """The most requests that arrived within any span of so many seconds."""
    arrivals = sorted(ask.at for ask in asks)
    most = first = 0
    for last, moment in enumerate(arrivals):
        while moment - arrivals[first] > seconds:
            first += 1
        most = max(most, last - first + 1)
    return most


@contextmanager
def serving(*routes: Route) -> Iterator[ReplayServer]:
    """Serve the routes on a free port of this machine, from threads of this process; the first that answers does."""
    replay = ReplayServer(routes)
    server = _Server(("127.0.0.1", 0), _Handler, replay)
    replay.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield replay
    finally:
        replay.closing.set()
        server.shutdown()
        thread.join()
        server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False  # threads of hung connections would be waited for
    request_queue_size = 128

    def __init__(self, address: tuple[str, int], handler: type[BaseHTTPRequestHandler], replay: ReplayServer) -> None:
        super().__init__(address, handler)
        self.replay = replay

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Disconnecting clients are expected under faults: report nothing."""


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self._answer()

    def log_message(self, format: str, *args: Any) -> None:
        """Log nothing: requests are recorded."""

    def _answer(self) -> None:
        at = time.monotonic()
        url = urlsplit(self.path)
        path = unquote(url.path)
        vendor = next((name for pattern, name in _VENDORS if pattern.match(path)), "")
        headers = {name.lower(): value for name, value in self.headers.items()}
        query = dict(reversed(parse_qsl(url.query, keep_blank_values=True)))
        self._send(self.server.replay.answer(ReplayRequest(vendor, self.command, path, query, headers, at)))

    def _send(self, reply: ReplayResponse) -> None:
        if self.server.replay.closing.wait(None if reply.hangs else reply.wait_s):
            self.close_connection = True
            return
        body, encoding = reply.body, None
        if reply.content_type == JSON and "gzip" in self.headers.get("Accept-Encoding", "") and reply.sent is None:
            body, encoding = _gzipped(body), "gzip"
        self.send_response(reply.status)
        for name, value in reply.headers.items():
            self.send_header(name, value)
        if encoding:
            self.send_header("Content-Encoding", encoding)
        self.send_header("Content-Type", reply.content_type)
        self.send_header("Content-Length", str(len(body)))
        if reply.sent is not None:
            self.send_header("Connection", "close")
            self.close_connection = True
        self.end_headers()
        self.wfile.write(body[: reply.sent])


def _gzipped(body: bytes) -> bytes:
    packer = zlib.compressobj(1, wbits=31)
    return packer.compress(body) + packer.flush()
