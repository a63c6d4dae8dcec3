"""The session that yfinance asks Yahoo through: rate, bounds and redirects are ours, the looks are a browser's."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any
from urllib.parse import urljoin, urlsplit

from gnosis_ray.config import VendorConfig
from gnosis_ray.errors import ProviderError, TransientError
from gnosis_ray.vendors.providers.addresses import OwnHosts, rebased
from gnosis_ray.vendors.providers.base import Transport
from gnosis_ray.vendors.providers.bodies import AnswerLimits
from gnosis_ray.vendors.providers.http_sessions import refused, unreachable

_COOKIES = "fc.yahoo.com"
_CRUMB = "/v1/test/getcrumb"
_HOSTS = ("yahoo.com",)
_MOST_REDIRECTS = 5
"""Yahoo's consent takes two or three."""

_BODIES = ("params", "data", "json", "content", "files")
"""Arguments that belong to a request and not to where it is redirected."""


class _NotDataError(Exception):
    """A response that says nothing about Yahoo's data service: the breaker counts it neither as success nor failure."""

    def __init__(self, answer: Any) -> None:
        super().__init__()
        self.answer = answer


class _BoundedBody:
    """Takes what curl has unpacked, until it is too much; curl then breaks off."""

    def __init__(self, most: int, break_off: int) -> None:
        self._most = most
        self._break_off = break_off
        self.data = bytearray()
        self.too_large = False

    def __call__(self, piece: bytes) -> int:
        self.too_large = len(self.data) + len(piece) > self._most
        if self.too_large:
            return self._break_off
        self.data += piece
        return len(piece)


def yahoo_session(settings: VendorConfig, transport: Transport) -> Any:
    """A browser-like session: each request through the transport, failures of data requests raised as our errors.

    What fetches cookies is left as it is, since yfinance lives without; so is a first refusal, which another crumb may
    mend. The second one is raised: who is turned away must not go on with every symbol. Redirects are followed one by
    one, each a request of its own, among Yahoo's hosts alone: its consent needs them. curl unpacks what it is sent,
    because a browser that took no more than gzip would be none.
    """
    from curl_cffi import requests
    from curl_cffi.curl import CURL_WRITEFUNC_ERROR

    limits = AnswerLimits.of("yahoo", settings)
    base = OwnHosts.of("yahoo", "yahoo", settings.base_url, ()).names
    hosts = OwnHosts("yahoo", frozenset({*_HOSTS, *base}))

    class YahooSession(requests.Session):  # type: ignore[type-arg]
        carrier: Callable[[], Any]
        """yfinance's object that asks through this session."""
        said = threading.local()
        """``refused``: whether the data that this thread is after were refused once."""

        def request(self, method: Any, url: str, *args: Any, **more: Any) -> Any:
            more |= {"timeout": limits.timeout_s, "allow_redirects": False}
            for _ in range(_MOST_REDIRECTS + 1):
                answer = self._one(method, url, *args, **more)
                to = answer.headers.get("Location") if 300 <= answer.status_code < 400 else None
                if not to:
                    return answer
                url = urljoin(url, to)
                if answer.status_code not in (307, 308):
                    method, args = "GET", ()
                    more = {name: value for name, value in more.items() if name not in _BODIES}
            raise ProviderError(f"yahoo redirects {urlsplit(url).path} more than {_MOST_REDIRECTS} times")

        def _one(self, method: Any, url: str, *args: Any, **more: Any) -> Any:
            hosts.require(url)
            target = rebased(url, settings.base_url)
            path = urlsplit(target).path
            host = urlsplit(url).hostname or ""
            data, crumb = host.startswith("query"), urlsplit(url).path == _CRUMB

            def ask() -> Any:
                body = _BoundedBody(limits.max_mib << 20, CURL_WRITEFUNC_ERROR)
                try:
                    answer = super(YahooSession, self).request(
                        method, target, *args, **{**more, "content_callback": body}
                    )
                except requests.exceptions.RequestException as error:
                    if body.too_large:
                        raise limits.too_large(path) from error
                    if not data:
                        raise
                    raise unreachable("yahoo", target, error) from error
                limits.one_encoding(answer.headers.get("Content-Encoding"), path)
                answer.content = bytes(body.data)
                limits.check_values(answer.content, path)
                if data and answer.status_code in (401, 403) and not crumb:
                    if self.said.refused:
                        raise _turned_away(target, answer.status_code)
                    self.said.refused = True
                    raise _NotDataError(answer)
                if data and answer.status_code >= 400 and not (crumb and answer.status_code in (401, 403)):
                    raise refused("yahoo", target, answer.status_code, answer.headers, answer.text)
                if data and answer.content.lstrip().startswith(b"<"):
                    raise TransientError(f"yahoo answered {path} with a page instead of data")
                if crumb or not data:
                    raise _NotDataError(answer)
                return answer

            try:
                answer = transport.call(ask)
            except _NotDataError as not_data:
                answer = not_data.answer
            if host == _COOKIES:  # yfinance only knows of a cookie that it could keep on disk, and else asks each time
                self.carrier()._cookie = True
            return answer

    return YahooSession(impersonate="chrome")


def _turned_away(url: str, status: int) -> ProviderError:
    return ProviderError(
        f"yahoo answered {status} to {urlsplit(url).path}, with another cookie too. It needs no key: it may have "
        "blocked this machine. Ask more slowly: providers.yahoo.requests_per_minute",
        status=status,
    )
