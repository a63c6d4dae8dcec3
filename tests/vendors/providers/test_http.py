"""One URL, one request, one checked answer; and each way in which that goes wrong."""

from __future__ import annotations

import gzip
import pickle
import socket
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import httpx
import pytest
from pydantic import TypeAdapter

from gnosis_ray.errors import ConfigError, GnosisError, NoDataError, ProviderError, SchemaError, TransientError
from gnosis_ray.security.keys import Key
from gnosis_ray.vendors.providers.http import Bearer, HttpVendor
from gnosis_ray.vendors.providers.wire_models import WireModel
from tests.vendors.providers.counting_transport import CountingTransport
from tests.vendors.providers.mock_transports import SETTINGS, always, answering, said

TOKEN = "t0ken-of-a-test-3f9c"  # noqa: S105 - made up
DATE = "Thu, 09 Jul 2026 16:00:00 GMT"


class Priced(WireModel):
    price: float


SHAPE = TypeAdapter(Priced)
Vendor = Callable[[httpx.BaseTransport], HttpVendor]


def vendor(
    http_transport: httpx.BaseTransport, transport: CountingTransport | None = None, *, key: bool = False
) -> HttpVendor:
    bearer = Bearer("tradier", Key(TOKEN)) if key else None
    return HttpVendor(
        "example", SETTINGS, transport or CountingTransport(), bearer=bearer, http_transport=http_transport
    )


def get(asked: HttpVendor) -> Priced:
    return asked.get(SHAPE, "/v1/price", {"symbol": "BRK/B"}, "example, price of BRK/B")


def test_an_answer_is_read_and_what_is_new_in_it_ignored() -> None:
    transport = CountingTransport()
    assert get(vendor(always({"price": 2, "mood": "new"}), transport)).price == 2.0
    assert transport.calls == 1


def test_a_request_says_who_asks_and_carries_the_token_in_its_header_only() -> None:
    seen: list[httpx.Request] = []

    def answer(asked: httpx.Request) -> httpx.Response:
        seen.append(asked)
        return said({"price": 1.0})

    get(vendor(answering(answer), key=True))
    (asked,) = seen
    assert asked.headers["User-Agent"].startswith("gnosis-ray/")
    assert asked.headers["Authorization"] == f"Bearer {TOKEN}"
    assert "gzip" in asked.headers["Accept-Encoding"]
    assert str(asked.url) == "https://vendor.example/v1/price?symbol=BRK%2FB"


def test_a_compressed_answer_is_unpacked() -> None:
    packed = gzip.compress(b'{"price": 3.5}')
    assert get(vendor(always(packed, headers={"Content-Encoding": "gzip"}))).price == 3.5


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({}, None),
        ({"Retry-After": "7"}, 7.0),
        ({"Retry-After": "0"}, 0.0),
        ({"Retry-After": "-3"}, 0.0),
        ({"Retry-After": "soon"}, None),
        ({"Retry-After": "Thu, 09 Jul 2026 16:01:30 GMT", "Date": DATE}, 90.0),
        ({"Retry-After": "Thu, 09 Jul 2026 15:00:00 GMT", "Date": DATE}, 0.0),
        ({"Retry-After": "Thu, 09 Jul 2026 16:01:30 GMT"}, None),
    ],
)
@pytest.mark.parametrize("status", [429, 503])
def test_what_may_pass_says_for_how_long_it_wants_to_be_left_alone(
    status: int, headers: dict[str, str], expected: float | None
) -> None:
    with pytest.raises(TransientError) as told:
        get(vendor(always("busy", status, headers)))
    assert told.value.retry_after_s == expected


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504, 520])
def test_a_servers_own_trouble_may_pass(status: int) -> None:
    with pytest.raises(TransientError, match=str(status)):
        get(vendor(always("<html>", status)))


@pytest.mark.parametrize(
    ("status", "kind"),
    [(404, NoDataError), (400, ProviderError), (401, ProviderError), (403, ProviderError), (422, ProviderError)],
)
def test_what_will_not_pass_is_not_asked_again(status: int, kind: type[GnosisError]) -> None:
    transport = CountingTransport(attempts=3)
    with pytest.raises(kind) as told:
        get(vendor(always("no", status), transport))
    assert not isinstance(told.value, TransientError)
    assert transport.calls == 1


@pytest.mark.parametrize(
    "error",
    [
        httpx.ConnectError("refused"),
        httpx.ConnectTimeout("late"),
        httpx.ReadTimeout("late"),
        httpx.WriteTimeout("late"),
        httpx.PoolTimeout("late"),
        httpx.ReadError("reset by peer"),
        httpx.RemoteProtocolError("peer closed connection without sending complete message body"),
        httpx.DecodingError("incorrect header check"),
    ],
)
def test_a_connection_that_fails_is_tried_again(error: httpx.RequestError) -> None:
    failing = [error]

    def answer(_: httpx.Request) -> httpx.Response:
        if failing:
            raise failing.pop()
        return said({"price": 1.0})

    transport = CountingTransport(attempts=2)
    assert get(vendor(answering(answer), transport)).price == 1.0
    assert transport.calls == 2
    assert transport.waits == [None]


@pytest.mark.parametrize("body", ["", "{", '{"price"', '{"price": 1.', '[{"price": 1.0}'])
def test_json_that_ends_too_early_may_pass(body: str) -> None:
    with pytest.raises(TransientError, match="broke off"):
        get(vendor(always(body)))


@pytest.mark.parametrize(
    ("body", "field", "expected", "found"),
    [
        ('{"price": "2.0"}', "price", "Expected a number, was", "'2.0'"),
        ('{"price": null}', "price", "Expected a number, was", "None"),
        ('{"price": true}', "price", "Expected a number, was", "True"),
        ("{}", "price", "Expected a value, was", "{}"),
        ("[]", "whole answer", "names with values", "[]"),
        ("null", "whole answer", "names with values", "None"),
        ('{"price": 2.0}}', "whole answer", "JSON", "price"),
        ("no such symbol", "whole answer", "JSON", "no such symbol"),
    ],
)
def test_another_shape_names_the_field_what_was_expected_and_what_was_found(
    body: str, field: str, expected: str, found: str
) -> None:
    with pytest.raises(SchemaError) as told:
        get(vendor(always(body)))
    for part in ("example, price of BRK/B", field, expected, found):
        assert part in str(told.value)


@pytest.mark.parametrize("kind", ["text/html; charset=utf-8", "text/plain", "application/xml"])
def test_another_type_is_named(kind: str) -> None:
    with pytest.raises(SchemaError, match="application/json") as told:
        get(vendor(always("<html>Checking your browser</html>", headers={"Content-Type": kind})))
    assert kind in str(told.value)


@pytest.mark.parametrize("to", ["https://elsewhere.example/x", "/v2/price", ""])
def test_no_redirect_is_followed(to: str) -> None:
    transport = CountingTransport(attempts=3)
    with pytest.raises(ProviderError, match=r"providers\.example\.base_url") as told:
        get(vendor(always("", 302, {"Location": to}), transport))
    assert transport.calls == 1
    assert ("elsewhere.example" in str(told.value)) == ("elsewhere" in to)


def test_an_answer_without_end_is_left() -> None:
    packed = gzip.compress(b" " * (1 << 26))
    with pytest.raises(ProviderError, match=r"more than 32 MiB .*providers\.example\.max_answer_mib"):
        get(vendor(always(packed, headers={"Content-Encoding": "gzip"})))


@pytest.mark.parametrize("base_url", ["", "vendor.example", "ftp://vendor.example", "https://", "https://me:pw@host"])
def test_a_base_url_that_is_none_is_refused_when_built(base_url: str) -> None:
    with pytest.raises(ConfigError, match="base_url") as told:
        HttpVendor("example", SETTINGS.replaced(base_url=base_url), CountingTransport())
    assert "pw" not in str(told.value)


def test_a_base_url_may_have_a_path() -> None:
    seen: list[str] = []

    def answer(asked: httpx.Request) -> httpx.Response:
        seen.append(asked.url.path)
        return said({"price": 1.0})

    settings = SETTINGS.replaced(base_url="http://127.0.0.1:8000/replay/")
    get(HttpVendor("example", settings, CountingTransport(), http_transport=answering(answer)))
    assert seen == ["/replay/v1/price"]


@pytest.mark.parametrize("status", [401, 403])
def test_a_refused_key_is_named_and_where_to_put_another(status: int) -> None:
    with pytest.raises(ProviderError, match="refused the key 'tradier'") as told:
        get(vendor(always("Invalid Access Token", status), key=True))
    assert "TRADIER_TOKEN" in str(told.value)
    assert "keys.yaml" in str(told.value)


@pytest.mark.parametrize(
    "http_transport",
    [
        always(f"session {TOKEN} is over", 400),
        always(f"Invalid token: Bearer {TOKEN}", 400),
        always(f"no such path, Authorization: Bearer {TOKEN}", 404),
        always(f'{{"price": "Bearer {TOKEN}"}}'),
        always(f"busy, apiKey={TOKEN}", 503),
        always("", 302, {"Location": f"https://elsewhere.example/?token={TOKEN}"}),
        always("", 401),
        answering(lambda asked: (_ for _ in ()).throw(httpx.ReadTimeout(f"late: {asked.headers['Authorization']}"))),
    ],
)
def test_no_error_holds_the_key(http_transport: httpx.MockTransport) -> None:
    with pytest.raises(GnosisError) as told:
        get(vendor(http_transport, key=True))
    shown = f"{told.value} {told.value!r} {vars(told.value)}"
    assert TOKEN not in shown
    assert TOKEN.encode() not in pickle.dumps(told.value)


def test_no_log_line_and_no_text_of_a_vendor_holds_the_key(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    asked = vendor(always({"price": 1.0}), key=True)
    get(asked)
    assert TOKEN not in caplog.text
    assert TOKEN not in f"{asked!r} {vars(asked)}"


@pytest.mark.parametrize("key", [False, True])
def test_a_vendor_does_not_leave_its_process(key: bool) -> None:
    with pytest.raises(TypeError, match="process"):
        pickle.dumps(vendor(always({}), key=key))


@contextmanager
def listening(serve: Callable[[socket.socket], None]) -> Iterator[str]:
    """A server on loopback for one connection."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def accept() -> None:
            connection, _ = server.accept()
            with connection:
                connection.recv(1 << 16)
                serve(connection)

        thread = threading.Thread(target=accept, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}"
        thread.join(5)


HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"


@pytest.mark.parametrize(
    "sent",
    [
        b"",
        b"HTTP/1.1 200",
        HEAD + b'Content-Length: 14\r\n\r\n{"pri',
        HEAD + b'Transfer-Encoding: chunked\r\n\r\n5\r\n{"pri\r\n',
        HEAD + b"Content-Encoding: gzip\r\nContent-Length: 100\r\n\r\n" + gzip.compress(b'{"price": 1.0}')[:12],
        HEAD + b"Content-Encoding: gzip\r\nContent-Length: 4\r\n\r\nnope",
    ],
)
def test_a_body_that_breaks_off_on_the_wire_may_pass(sent: bytes) -> None:
    with listening(lambda connection: connection.sendall(sent)) as url:
        asked = HttpVendor("example", SETTINGS.replaced(base_url=url), CountingTransport())
        with pytest.raises(TransientError):
            get(asked)


def test_bytes_that_drip_do_not_hold_a_request_for_ever() -> None:
    done = threading.Event()

    def drip(connection: socket.socket) -> None:
        connection.sendall(HEAD + b"Content-Length: 1000000\r\n\r\n")
        while not done.wait(0.05):
            try:
                connection.sendall(b" ")
            except OSError:
                return

    with listening(drip) as url:
        settings = SETTINGS.replaced(base_url=url, timeout_s=0.3)
        started = time.monotonic()
        try:
            with pytest.raises(TransientError, match=r"within 0\.3 s"):
                get(HttpVendor("example", settings, CountingTransport()))
        finally:
            done.set()
        assert time.monotonic() - started < 2


def test_a_failure_keeps_what_happened() -> None:
    with pytest.raises(TransientError) as told:
        get(vendor(always("", 503)))
    assert told.value.cause == "HTTP 503"
    assert "TransientError" in "".join(traceback.format_exception(told.value))
