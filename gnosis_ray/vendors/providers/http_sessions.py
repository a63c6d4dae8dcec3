"""HTTP sessions for vendors' client libraries: every request goes through the transport, every failure is our error.

Clients paginate, fetch cookies and time zones, and retry internally. So the hook is their HTTP session: each request
waits for the vendor's rate, and returns a response or raises one of our errors. Retries are the transport's.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from types import ModuleType
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from gnosis_ray.clock import monotonic_seconds
from gnosis_ray.errors import ConfigError, NoDataError, ProviderError, TransientError, install_command
from gnosis_ray.redaction import redacted
from gnosis_ray.vendors.providers.addresses import OwnHosts, rebased
from gnosis_ray.vendors.providers.base import Transport
from gnosis_ray.vendors.providers.bodies import ACCEPT_ENCODING, CHUNK, AnswerLimits, read_body

if TYPE_CHECKING:
    import requests
    from urllib3 import BaseHTTPResponse, PoolManager

_TRANSIENT = frozenset({408, 418, 425, 429})  # 418: some exchanges, to clients that continue after a 429
_READ, _SHOWN = 1 << 16, 200
"""Characters of an error response that are searched for keys, and that our error quotes."""


def retry_after_s(headers: Mapping[str, str]) -> float | None:
    """Seconds to wait before the next request (``Retry-After``); None where the vendor names none.

    A date is counted from the answer's own ``Date`` (RFC 9110, 10.2.3), so that no clock is read.
    """
    said = headers.get("Retry-After")
    if not said:
        return None
    try:
        return max(0.0, float(said))
    except ValueError:
        pass
    try:
        wait = parsedate_to_datetime(said) - parsedate_to_datetime(headers.get("Date", ""))
    except (ValueError, TypeError):
        return None
    return max(0.0, wait.total_seconds())


def refused(vendor: str, url: str, status: int, headers: Mapping[str, str], body: str) -> ProviderError | NoDataError:
    """The error of a response of status 400 or above; its text names path and status, and shows no key."""
    said = redacted(" ".join(body.split())[:_READ])[
        :_SHOWN
    ]  # redact before cutting: a truncated key would not be recognised
    text = f"{vendor} answered {status} to {urlsplit(url).path}" + (f": {said}" if said else "")
    if status in _TRANSIENT or status >= 500:
        return TransientError(text, status=status, retry_after_s=retry_after_s(headers))
    if status == 404:
        return NoDataError(text)  # no cause: an unknown symbol is not a fault of the vendor
    if status in (401, 403):
        return ProviderError(f"{text}. Is the key valid, and does its plan include this?", status=status)
    return ProviderError(text, status=status)


def unreachable(vendor: str, url: str, error: Exception) -> TransientError:
    """The error of a connection that failed, broke off or timed out."""
    place = urlsplit(url)
    return TransientError(
        redacted(f"{vendor} could not be reached at {place.netloc}{place.path}: {type(error).__name__}: {error}"),
        cause=type(error).__name__,
    )


def redirected(vendor: str, setting: str, url: str, status: int, headers: Mapping[str, str]) -> ProviderError:
    """The error of a redirect: none is followed. ``setting``: the vendor's name in the settings."""
    to = headers.get("Location", "")
    host = urlsplit(to).hostname if to.isprintable() else None
    return ProviderError(
        f"{vendor} redirects {urlsplit(url).path} to {host or 'another path'}, which is not followed. "
        f"Is providers.{setting}.base_url right?",
        status=status,
    )


def requests_session(
    transport: Transport,
    limits: AnswerLimits,
    base_url: str,
    hosts: OwnHosts,
    hook: Callable[[Any], None] | None = None,
) -> requests.Session:
    """A session of ``requests``: each request through ``transport``, to ``base_url`` if not empty, within ``limits``.

    A response of status 300 or above is raised (:func:`redirected`, :func:`refused`), so that clients built on it
    neither follow nor retry. ``hook`` is called with each response before that.
    """
    import requests  # only clients built on it need it
    from urllib3.exceptions import HTTPError

    vendor = limits.place

    class TransportSession(requests.Session):
        def get_redirect_target(self, resp: requests.Response) -> str | None:  # noqa: ARG002 - the library's signature
            """None: for a redirect that it does not follow, requests would read the body, however long."""
            return None

        def request(self, method: str, url: str | bytes, *args: Any, **more: Any) -> requests.Response:
            target = rebased(url if isinstance(url, str) else url.decode(), base_url)
            hosts.require(target)
            headers = requests.structures.CaseInsensitiveDict(more.pop("headers", None) or {})
            headers["Accept-Encoding"] = ACCEPT_ENCODING
            more |= {"headers": headers, "timeout": limits.timeout_s, "stream": True, "allow_redirects": False}

            def ask() -> requests.Response:
                started = monotonic_seconds()
                try:
                    with super(TransportSession, self).request(method, target, *args, **more) as answer:
                        encoding = answer.headers.get("Content-Encoding")
                        body = read_body(_as_sent(answer.raw), encoding, urlsplit(target).path, started, limits)
                except (requests.RequestException, HTTPError) as error:
                    raise unreachable(vendor, target, error) from error
                answer._content = body  # where requests keeps what it has read itself
                answer._content_consumed = True
                if hook:
                    hook(answer)
                if answer.status_code >= 400:
                    raise refused(vendor, target, answer.status_code, answer.headers, answer.text)
                if answer.status_code >= 300:
                    raise redirected(vendor, limits.vendor, target, answer.status_code, answer.headers)
                return answer

            return transport.call(ask)

    return TransportSession()


@dataclass(frozen=True)
class PoolResponse:
    """A response of :class:`TransportPool`, read and unpacked."""

    status: int
    data: bytes


class TransportPool:
    """A connection pool of urllib3, each request through the transport, within limits; no retries, no redirects.

    A response of another status than 200 is raised.
    """

    def __init__(self, pool: PoolManager, transport: Transport, limits: AnswerLimits, hosts: OwnHosts) -> None:
        self._pool = pool
        self._transport = transport
        self._limits = limits
        self._hosts = hosts

    def request(
        self, method: str, url: str, fields: Mapping[str, Any] | None = None, headers: Mapping[str, str] | None = None
    ) -> PoolResponse:
        """See :class:`urllib3.PoolManager`."""
        from urllib3.exceptions import HTTPError

        self._hosts.require(url)
        vendor, asked = self._limits.place, {**(headers or {}), "Accept-Encoding": ACCEPT_ENCODING}

        def ask() -> PoolResponse:
            started = monotonic_seconds()
            try:
                answer = self._pool.request(
                    method, url, fields=fields, headers=asked, retries=False, redirect=False, preload_content=False
                )
                try:
                    encoding = answer.headers.get("Content-Encoding")
                    data = read_body(_as_sent(answer), encoding, urlsplit(url).path, started, self._limits)
                finally:
                    answer.close()  # what was read whole has given its connection back already
                    answer.release_conn()
            except HTTPError as error:
                raise unreachable(vendor, url, error) from error
            if 300 <= answer.status < 400:
                raise redirected(vendor, self._limits.vendor, url, answer.status, answer.headers)
            if answer.status != 200:
                raise refused(vendor, url, answer.status, answer.headers, data.decode(errors="replace"))
            return PoolResponse(answer.status, data)

        return self._transport.call(ask)


def _as_sent(answer: BaseHTTPResponse) -> Iterator[bytes]:
    """The bytes of a body as they arrive: to read a fixed number of them would wait for those that drip."""
    while piece := answer.read1(CHUNK, decode_content=False):
        yield piece


def load_client(extra: str, load: Callable[[], ModuleType]) -> ModuleType:
    """A vendor's client library, imported at its first use: all are slow to import.

    Raises :class:`ConfigError` with the command that installs it where it is missing.
    """
    try:
        with warnings.catch_warnings():  # alpaca-py 0.44 imports what websockets deprecates
            warnings.simplefilter("ignore", DeprecationWarning)
            return load()
    except ModuleNotFoundError as error:
        raise ConfigError(
            f"The vendor '{extra}' needs a package that is not installed ({error.name}). "
            f"Install it with: {install_command(extra)}",
            cause=type(error).__name__,
        ) from error
