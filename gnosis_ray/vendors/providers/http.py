"""The HTTP client for vendors without a client library: one URL, one request, one validated response.

No cache: each URL is requested once a run and its rows are kept; delayed quotes would have changed at a second request.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Generator, Mapping
from importlib.metadata import version
from typing import NoReturn, TypeVar

import httpx
from pydantic import SecretStr, TypeAdapter
from pydantic_core import from_json

from gnosis_ray.clock import monotonic_seconds
from gnosis_ray.config import VendorConfig
from gnosis_ray.errors import GnosisError, ProviderError, SchemaError, TransientError
from gnosis_ray.redaction import never_show
from gnosis_ray.security.keys import KeyName, where_to_put
from gnosis_ray.vendors.providers.addresses import checked_base_url
from gnosis_ray.vendors.providers.base import Transport
from gnosis_ray.vendors.providers.bodies import ACCEPT_ENCODING, AnswerLimits, read_body
from gnosis_ray.vendors.providers.http_sessions import redirected, refused, unreachable
from gnosis_ray.vendors.providers.wire_models import read

T = TypeVar("T")

Quirk = Callable[[httpx.Response, str], GnosisError | None]
"""Maps a response of status 400 or above, and its text, to a vendor's special error; None for the usual error."""


class Bearer(httpx.Auth):
    """A token in each request's ``Authorization`` header. ``name`` is what it is called where keys are kept."""

    def __init__(self, name: KeyName, token: SecretStr) -> None:
        self.name = name
        self._token = token
        never_show(token)

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """See :class:`httpx.Auth`."""
        request.headers["Authorization"] = f"Bearer {self._token.get_secret_value()}"
        yield request


class HttpVendor:
    """One vendor's HTTP: its base URL, time-out and transport; our own ``User-Agent``; no redirect is followed.

    Thread-safe. Cannot be pickled: it holds connections, and may hold a key.
    """

    def __init__(
        self,
        name: str,
        settings: VendorConfig,
        transport: Transport,
        *,
        bearer: Bearer | None = None,
        quirk: Quirk = lambda _answer, _text: None,
        http_transport: httpx.BaseTransport | None = None,
    ) -> None:
        """Raises :class:`ConfigError` where ``settings.base_url`` is none. ``http_transport`` replaces the network."""
        self._name = name
        self._limits = AnswerLimits.of(name, settings)
        self._transport = transport
        self._bearer = bearer
        self._quirk = quirk
        self._client = httpx.Client(
            base_url=checked_base_url(name, settings.base_url),
            timeout=settings.timeout_s,
            limits=httpx.Limits(max_connections=settings.max_in_flight),
            headers={
                "User-Agent": f"gnosis-ray/{version('gnosis-ray')}",
                "Accept": "application/json",
                "Accept-Encoding": ACCEPT_ENCODING,
            },
            auth=bearer,
            transport=http_transport,
        )
        weakref.finalize(self, self._client.close)  # connections stay open while the vendor is in use

    def get(self, shape: TypeAdapter[T], path: str, asked: Mapping[str, str], where: str) -> T:
        """The response of one request as ``shape``.

        Raises :class:`TransientError` for 408, 425, 429 and 5xx, time-outs, broken connections and truncated bodies;
        :class:`NoDataError` for 404; :class:`SchemaError`, naming ``where`` and the field, for a body that is not JSON
        or has another shape; :class:`ProviderError` for every other response, with advice where a key was refused.
        """
        return self._transport.call(lambda: self._ask(shape, path, asked, where))

    def __reduce__(self) -> NoReturn:
        raise TypeError(f"The connections to {self._name} do not leave their process")

    def _ask(self, shape: TypeAdapter[T], path: str, asked: Mapping[str, str], where: str) -> T:
        started = monotonic_seconds()
        try:
            with self._client.stream("GET", path, params=asked) as answer:
                encoding = answer.headers.get("Content-Encoding")
                body = read_body(answer.iter_raw(), encoding, answer.url.path, started, self._limits)
        except httpx.RequestError as error:
            raise unreachable(self._name, str(self._client.base_url.join(path)), error) from error
        if answer.status_code >= 300:
            raise self._refusal(answer, body)
        kind = answer.headers.get("Content-Type", "application/json")
        if "json" not in kind.lower():
            raise SchemaError(f"{where}: Expected an answer of type application/json, found {kind}")
        try:
            return read(shape, body, where)
        except SchemaError as error:
            if _ends_too_early(body):
                raise TransientError(f"{where}: the answer broke off after {len(body)} bytes") from error
            raise

    def _refusal(self, answer: httpx.Response, body: bytes) -> GnosisError:
        text = body.decode("utf-8", "replace")
        if answer.status_code < 400:
            return redirected(self._name, self._name, str(answer.url), answer.status_code, answer.headers)
        if special := self._quirk(answer, text):
            return special
        if answer.status_code in (401, 403) and self._bearer is None:
            return ProviderError(
                f"{self._name} answered {answer.status_code} to {answer.url.path}, which needs no key: it may have "
                f"blocked this machine. Ask more slowly: providers.{self._name}.requests_per_minute",
                status=answer.status_code,
            )
        if answer.status_code in (401, 403) and self._bearer is not None:
            return ProviderError(
                f"{self._name} refused the key '{self._bearer.name}' ({answer.status_code}, {answer.url.path}): it is "
                f"wrong, out of date, or not for this address. {where_to_put(self._bearer.name)}",
                status=answer.status_code,
            )
        return refused(self._name, str(answer.url), answer.status_code, answer.headers, text)


def _ends_too_early(body: bytes) -> bool:
    """Whether the text is truncated JSON, as opposed to invalid JSON or complete JSON of another shape."""
    try:
        from_json(body)
    except ValueError as error:
        return "EOF while parsing" in str(error)
    return False
