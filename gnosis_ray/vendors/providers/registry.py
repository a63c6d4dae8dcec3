"""The built-in vendors: the kinds each gives, about how many requests they take, and how its provider is built."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from types import MappingProxyType
from typing import Any

from gnosis_ray.config import ProvidersConfig
from gnosis_ray.schemas.core_schemas import DataKind
from gnosis_ray.security.keys import KeyName, key_of
from gnosis_ray.vendors.providers.base import Provider, Transport


@dataclass(frozen=True)
class Vendor:
    """``requests``: per kind that it gives, about how many requests a symbol takes, for the plan of a dry run."""

    place: str
    requests: Mapping[DataKind, int]
    keys: tuple[KeyName, ...] = ()

    @property
    def kinds(self) -> frozenset[DataKind]:
        """The kinds that it gives."""
        return frozenset(self.requests)


_PACKAGE = "gnosis_ray.vendors.providers"
_EXPIRIES = 11
"""Requests of a chain where each expiry takes one: the median of the S&P 500 in July 2026, of 4 to 20."""

VENDOR: Mapping[str, Vendor] = MappingProxyType(
    {
        "cboe": Vendor("cboe:CboeProvider", {"chains": 1}),
        "yahoo": Vendor("yahoo:YahooProvider", {"chains": _EXPIRIES, "bars": 1, "news": 1}),
        "massive": Vendor(
            "massive:MassiveProvider", {"chains": 8, "bars": 2, "trades": 10, "quotes": 40, "news": 1}, ("massive",)
        ),
        "tradier": Vendor("tradier:TradierProvider", {"chains": 2 + _EXPIRIES, "bars": 1, "trades": 26}, ("tradier",)),
        "alpaca": Vendor(
            "alpaca:AlpacaProvider",
            {"chains": 3, "bars": 2, "trades": 5, "quotes": 20, "news": 1},
            ("alpaca_key_id", "alpaca_secret_key"),
        ),
        "ccxt": Vendor("ccxt_exchange:CcxtProvider", {"bars": 1, "trades": 5, "quotes": 1}),
    }
)
"""By name."""


def planned_requests(vendor: str, kind: DataKind) -> int:
    """About how many requests one kind of one symbol takes; 1 where it is not known."""
    return VENDOR[vendor].requests.get(kind, 1)


def provider_maker(providers: ProvidersConfig) -> Callable[[str, Transport], Provider]:
    """Returns the function that builds a vendor's provider; it loads module, client and keys when called.

    Raises :class:`ConfigError` where the client is not installed or a key is missing.
    """

    def make(name: str, transport: Transport) -> Provider:
        vendor = VENDOR[name]
        module, _, kind = vendor.place.partition(":")
        maker: Callable[..., Any] = getattr(import_module(f"{_PACKAGE}.{module}"), kind)
        keys = [key_of(each) for each in vendor.keys]
        provider: Provider = maker(getattr(providers, name), transport, *keys)
        return provider

    return make
