"""The interface of a vendor's provider, and of the transport that it sends its requests through."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, TypeVar

import polars as pl

from gnosis_ray.schemas.core_schemas import DataKind

T = TypeVar("T")


@dataclass(frozen=True)
class ProviderRequest:
    """One kind of rows of one symbol (canonical spelling), of events from ``since`` to ``until`` (both UTC, inclusive).

    For chains it means the vendor's present snapshot; its event time is the vendor's own.
    """

    kind: DataKind
    symbol: str
    since: datetime
    until: datetime


class Transport(Protocol):
    """A vendor's access to the network: rate limit, retries, circuit breaker and deadline in one place."""

    def call(self, ask: Callable[[], T]) -> T:
        """Send one request by calling ``ask`` and return its response.

        Waits for a token of the vendor's rate. ``ask`` raises :class:`TransientError` for temporary failures (429, 5xx,
        time-outs, broken connections), which are retried, and another :class:`ProviderError` for permanent ones. Any
        error that is not a :class:`DataError` passes through and does not count for or against the vendor. Raises
        :class:`ProviderError` where a fetch has sent as many requests as it may.
        """
        ...

    def take_rows(self, count: int) -> None:
        """Count the rows of a page, where an answer has several.

        Raises :class:`ProviderError` where they are more than one fetch may bring.
        """
        ...


class Provider(Protocol):
    """One vendor. Built from its settings, a :class:`Transport` and its keys; holds no rows."""

    name: str
    kinds: frozenset[DataKind]
    """What it can give."""

    def fetch(self, request: ProviderRequest) -> pl.DataFrame:
        """The rows of a request: the columns of ``DATASETS[request.kind].columns_provided`` except ``known_at``.

        Symbols in the canonical spelling, times UTC in microseconds, absent figures null; no rows where the vendor has
        none. Every HTTP request goes through the transport. Raises :class:`NoDataError` for a symbol that the vendor
        does not know, :class:`SchemaError` for a response of another shape (naming the field, what was expected and
        what was found), :class:`ProviderError` for all other failures of a vendor.
        """
        ...
