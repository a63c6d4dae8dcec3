"""What a vendor must be able to answer, and the one way in which it may use the network."""

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
    """One kind of rows of one symbol (inside spelling), of events from ``since`` to ``until`` (both UTC, inclusive).

    Of chains the vendor's present snapshot is meant; its event time is the vendor's own.
    """

    kind: DataKind
    symbol: str
    since: datetime
    until: datetime


class Transport(Protocol):
    """A vendor's gate to the network: rate, concurrency, retries and circuit breaker in one place."""

    def call(self, ask: Callable[[], T]) -> T:
        """Make one request on the wire and return its answer.

        Waits for a token of the vendor's rate. ``ask`` raises :class:`TransientError` for what may pass (429, 5xx,
        time-outs, broken connections), which is retried, and any other :class:`ProviderError` for what will not.
        An error that is no :class:`DataError` passes through, and says nothing of whether the vendor is up.
        """
        ...


class Provider(Protocol):
    """One vendor. Built from its settings, its keys and a :class:`Transport`; holds no rows."""

    name: str
    kinds: frozenset[DataKind]
    """What it can give."""

    def fetch(self, request: ProviderRequest) -> pl.DataFrame:
        """The rows of a request: the columns of ``DATASETS[request.kind].columns_provided`` except ``known_at``.

        Symbols in the inside spelling, times UTC in microseconds, absent figures null; no rows where the vendor says
        that there are none. Every request on the wire goes through the wire. Raises :class:`NoDataError` for a symbol
        that the vendor does not know, :class:`SchemaError` for an answer in another shape (naming the field, what was
        expected and what was found), :class:`ProviderError` for everything else that a vendor can do wrong.
        """
        ...
