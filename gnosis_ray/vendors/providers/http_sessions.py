"""HTTP sessions for vendors' client libraries: every request goes through the transport, every failure is our error.

Clients paginate, fetch cookies and time zones, and retry internally. So the hook is their HTTP session: each request
waits for the vendor's rate, and returns a response or raises one of our errors. Retries are the transport's.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from email.utils import parsedate_to_datetime
from types import ModuleType
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit, urlunsplit

from gnosis_ray.errors import ConfigError, NoDataError, ProviderError, TransientError, install_command
from gnosis_ray.redaction import redacted
from gnosis_ray.vendors.providers.base import Transport

if TYPE_CHECKING:
    import requests

_TRANSIENT = frozenset({408, 418, 425, 429})  # 418: some exchanges, to clients that continue after a 429
_READ, _SHOWN = 1 << 16, 200
"""Characters of an error response that are searched for keys, and that our error quotes."""


def rebased(url: str, base_url: str) -> str:
    """``url`` at another scheme, host and port; as it was where ``base_url`` is empty."""
    if not base_url:
        return url
    base, parts = urlsplit(base_url), urlsplit(url)
    return urlunsplit((base.scheme, base.netloc, base.path.rstrip("/") + parts.path, parts.query, parts.fragment))


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


def requests_session(vendor: str, transport: Transport, base_url: str, timeout_s: float) -> requests.Session:
    """A session of ``requests``: each request through ``transport``, to ``base_url`` if not empty, with a time-out.

    A response of status 400 or above is raised (:func:`refused`), so that clients built on it do not retry.
    """
    import requests  # only clients built on it need it

    class TransportSession(requests.Session):
        def request(self, method: str, url: str | bytes, *args: Any, **more: Any) -> requests.Response:
            target = rebased(url if isinstance(url, str) else url.decode(), base_url)
            more["timeout"] = timeout_s

            def ask() -> requests.Response:
                try:
                    answer = super(TransportSession, self).request(method, target, *args, **more)
                except requests.RequestException as error:
                    raise unreachable(vendor, target, error) from error
                if answer.status_code >= 400:
                    raise refused(vendor, target, answer.status_code, answer.headers, answer.text)
                return answer

            return transport.call(ask)

    return TransportSession()


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
