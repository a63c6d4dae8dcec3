"""Cboe's delayed quotes: whole option chains with implied volatility and open interest, of any US underlying, no key.

The answer's ``timestamp`` is the moment at which it was made, in UTC and without saying so; its quotes are those of 15
minutes before. Trades in it are in Eastern time. See ``docs/providers.md`` for how this is known.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Annotated

import httpx
import polars as pl
from pydantic import Field, TypeAdapter

from gnosis_ray.config import VendorConfig
from gnosis_ray.errors import ConfigError, NoDataError, SchemaError
from gnosis_ray.market.symbols import option_root, vendor_symbol
from gnosis_ray.schemas.core_schemas import DataKind
from gnosis_ray.vendors.providers.base import ProviderRequest, Transport
from gnosis_ray.vendors.providers.frames import chain, nothing
from gnosis_ray.vendors.providers.http import HttpVendor
from gnosis_ray.vendors.providers.wire_models import NO_GREEKS, ManyOf, VendorGreeks, WireModel

DELAY = timedelta(minutes=15)
"""How old the quotes of an answer are."""

Figure = Annotated[float | None, Field(allow_inf_nan=False)]


class _Option(VendorGreeks):
    """Zero stands for nothing: nobody bids, nobody asks, never traded, no volatility was found.

    A delta of a hopeless contract is zero as well: greeks are nothing where all of them and the volatility are.
    """

    option: str
    bid: Figure
    ask: Figure
    iv: Figure
    open_interest: Figure
    volume: Figure
    last_trade_price: Figure

    def greeks(self) -> tuple[float | None, ...]:
        """Its greeks, unless nobody computed any."""
        return self.values() if self.iv or any(self.values()) else NO_GREEKS.values()


class _Data(WireModel):
    current_price: Figure
    options: ManyOf[_Option]


class _Chain(WireModel):
    timestamp: str
    symbol: str
    data: _Data


_CHAIN = TypeAdapter(_Chain)


class CboeProvider:
    """Chains of all US optionable stocks, funds and indices, one request a symbol, delayed by 15 minutes."""

    name = "cboe"
    kinds: frozenset[DataKind] = frozenset({"chains"})

    def __init__(
        self, settings: VendorConfig, transport: Transport, *, http_transport: httpx.BaseTransport | None = None
    ) -> None:
        self._http = HttpVendor(self.name, settings, transport, quirk=_unknown_symbol, http_transport=http_transport)

    def fetch(self, request: ProviderRequest) -> pl.DataFrame:
        """See :class:`~gnosis_ray.vendors.providers.base.Provider`."""
        if request.kind != "chains":
            raise ConfigError(f"cboe gives no {request.kind}, but chains")
        name = vendor_symbol(request.symbol, self.name)
        where = f"cboe, chain of {name}"
        answer = self._http.get(_CHAIN, f"/api/global/delayed_quotes/options/{name}.json", {}, where)
        if answer.symbol.lstrip("_^").replace(".", "") != option_root(request.symbol):
            raise SchemaError(f"{where}, field symbol: Expected {name}, found {answer.symbol[:20]!r}")
        options = answer.data.options
        if not options:
            return nothing("chains")
        quoted = [
            (
                option.option,
                option.bid,
                option.ask,
                option.last_trade_price or None,
                option.volume,
                option.open_interest,
                option.iv or None,
                *option.greeks(),
            )
            for option in options
        ]
        # a halted symbol has no price: its quotes are kept, and without a price nothing is computed from them
        price = answer.data.current_price or None
        return chain(request.symbol, quoted, _made(answer.timestamp, where) - DELAY, price, where)


def _made(text: str, where: str) -> datetime:
    try:
        return datetime.strptime(text, "%Y-%m-%d %H:%M:%S").replace(tzinfo=UTC)
    except ValueError as error:
        raise SchemaError(
            f"{where}, field timestamp: Expected a time such as 2023-09-21 03:17:42, found {text[:40]!r}"
        ) from error


def _unknown_symbol(answer: httpx.Response, text: str) -> NoDataError | None:
    """Files that are not there are denied by the bucket behind; a blocked client gets a page for people instead."""
    if answer.status_code == 403 and "<Code>AccessDenied</Code>" in text:
        return NoDataError(f"cboe publishes no {answer.url.path}: it lists no options on this symbol")
    return None
