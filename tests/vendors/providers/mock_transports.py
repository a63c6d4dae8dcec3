"""Vendors that answer from memory, and small answers in their documented formats."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

import httpx

from gnosis_ray.config import VendorConfig
from gnosis_ray.schemas.core_schemas import DataKind
from gnosis_ray.vendors.providers.base import ProviderRequest

SETTINGS = VendorConfig(
    base_url="https://vendor.example",
    requests_per_minute=6000,
    burst=100,
    max_in_flight=4,
    timeout_s=5,
    max_answer_mib=32,
)

JSON = {"Content-Type": "application/json"}

NOON = datetime(2026, 7, 9, 16, 0, tzinfo=UTC)
"""Noon in New York, a Thursday."""

Answering = Callable[[httpx.Request], httpx.Response]


def request(kind: DataKind, symbol: str, since: datetime = NOON, until: datetime = NOON) -> ProviderRequest:
    return ProviderRequest(kind, symbol, since, until)


def said(body: Any, status: int = 200, headers: Mapping[str, str] = JSON) -> httpx.Response:
    """An answer of JSON, or of the text given."""
    text = body if isinstance(body, (str, bytes)) else json.dumps(body)
    content = text.encode() if isinstance(text, str) else text
    return httpx.Response(status, content=iter([content]), headers={**JSON, **headers})  # unread, as from the network


def always(body: Any, status: int = 200, headers: Mapping[str, str] = JSON) -> httpx.MockTransport:
    """A vendor that says the same to everything."""
    return httpx.MockTransport(lambda _: said(body, status, headers))


def answering(answer: Answering) -> httpx.MockTransport:
    """A vendor that thinks before it speaks."""
    return httpx.MockTransport(answer)
