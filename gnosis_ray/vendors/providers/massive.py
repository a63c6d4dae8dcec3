"""Massive (formerly Polygon) through its official client: chain snapshots, daily bars, trades, quotes, news.

The client's paged lists stop silently at a response that is not JSON, and its errors drop the status. So its public
methods return raw pages, which are parsed here, and its connection pool sends each request through the transport.
"""

from __future__ import annotations

import importlib
import weakref
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any, TypeVar
from urllib.parse import parse_qsl, urlsplit

import polars as pl
from pydantic import Field, SecretStr, TypeAdapter

from gnosis_ray.config import VendorConfig
from gnosis_ray.errors import ProviderError, SchemaError
from gnosis_ray.market.symbols import is_pair, vendor_symbol
from gnosis_ray.schemas.core_schemas import DataKind, UtcDatetime
from gnosis_ray.vendors.providers.addresses import OwnHosts
from gnosis_ray.vendors.providers.base import ProviderRequest, Transport
from gnosis_ray.vendors.providers.bodies import AnswerLimits
from gnosis_ray.vendors.providers.frames import chain, daily, from_epoch_ns, newest, nothing, table, within
from gnosis_ray.vendors.providers.http_sessions import PoolResponse, TransportPool, load_client
from gnosis_ray.vendors.providers.wire_models import NO_GREEKS, ManyOf, VendorGreeks, WireModel, read

_HOSTS = ("api.massive.com", "api.polygon.io")
_CHAIN_PAGE = 250
_TICK_PAGE = 50_000
_NEWS_PAGE = 1_000
_SHARES = 100
_AS_TRADED = (0, 1, 2)
"""Corrections after which a record holds the trade as it stands (NYSE TAQ, CORR): others are erroneous or cancelled."""


class _Day(WireModel):
    volume: float | None = None
    updated: int | None = Field(None, validation_alias="last_updated")


class _Details(WireModel):
    code: str = Field(validation_alias="ticker")
    shares: float = Field(_SHARES, validation_alias="shares_per_contract")


class _LastQuote(WireModel):
    bid: float | None = None
    ask: float | None = None
    updated: int | None = Field(None, validation_alias="last_updated")


class _LastTrade(WireModel):
    price: float | None = None


class _Underlying(WireModel):
    price: float | None = None
    value: float | None = None
    """Of an index."""
    updated: int | None = Field(None, validation_alias="last_updated")


class _Contract(WireModel):
    details: _Details
    day: _Day = _Day()
    quote: _LastQuote = Field(_LastQuote(), validation_alias="last_quote")
    trade: _LastTrade = Field(_LastTrade(), validation_alias="last_trade")
    underlying: _Underlying = Field(_Underlying(), validation_alias="underlying_asset")
    open_interest: float | None = None
    vendor_iv: float | None = Field(None, validation_alias="implied_volatility")
    greeks: VendorGreeks = NO_GREEKS


class _Bar(WireModel):
    t: int
    o: float
    h: float
    l: float  # noqa: E741 - the vendor's name
    c: float
    v: float | None = None


class _Trade(WireModel):
    sip_timestamp: int
    price: float
    size: float
    correction: int = 0


class _Quote(WireModel):
    sip_timestamp: int
    bid_price: float | None = None
    bid_size: float | None = None
    ask_price: float | None = None
    ask_size: float | None = None


class _Publisher(WireModel):
    name: str


class _Item(WireModel):
    title: str
    published_utc: UtcDatetime
    publisher: _Publisher
    description: str | None = None


class _Page(WireModel):
    status: str | None = None
    error: str | None = None
    next_url: str | None = None
    results: tuple[Any, ...] = ()


class _Contracts(_Page):
    results: ManyOf[_Contract] = ()


class _Bars(_Page):
    results: ManyOf[_Bar] = ()


class _Trades(_Page):
    results: ManyOf[_Trade] = ()


class _Quotes(_Page):
    results: ManyOf[_Quote] = ()


class _Items(_Page):
    results: ManyOf[_Item] = ()


_CONTRACTS = TypeAdapter(_Contracts)
_BARS = TypeAdapter(_Bars)
_TRADES = TypeAdapter(_Trades)
_QUOTES = TypeAdapter(_Quotes)
_ITEMS = TypeAdapter(_Items)

P = TypeVar("P", bound=_Page)


class MassiveProvider:
    """Massive with a key. Adjusted closes are adjusted for splits, not for dividends: the vendor's own are so.

    Raises :class:`ConfigError` where the client is not installed.
    """

    name = "massive"
    kinds: frozenset[DataKind] = frozenset({"bars", "chains", "news", "quotes", "trades"})

    def __init__(self, settings: VendorConfig, transport: Transport, key: SecretStr) -> None:
        massive = load_client("massive", lambda: importlib.import_module("massive"))
        hosts = OwnHosts.of(self.name, self.name, settings.base_url, _HOSTS)
        more = {"base": settings.base_url.rstrip("/")} if settings.base_url else {}
        self._client = massive.RESTClient(
            key.get_secret_value(),
            connect_timeout=settings.timeout_s,
            read_timeout=settings.timeout_s,
            maxsize=settings.max_in_flight,
            **more,
        )
        pool = self._client.client
        self._transport = transport
        self._client.client = TransportPool(pool, transport, AnswerLimits.of(self.name, settings), hosts)
        weakref.finalize(self, pool.clear)

    def fetch(self, request: ProviderRequest) -> pl.DataFrame:
        """See :class:`~gnosis_ray.vendors.providers.base.Provider`."""
        by_kind: dict[DataKind, Callable[[ProviderRequest, str], pl.DataFrame]] = {
            "bars": self._bars,
            "chains": self._chain,
            "news": self._news,
            "quotes": self._quotes,
            "trades": self._trades,
        }
        return by_kind[request.kind](request, vendor_symbol(request.symbol, self.name))

    def _bars(self, request: ProviderRequest, symbol: str) -> pl.DataFrame:
        raw = self._aggregates(request, symbol, adjusted=False)
        if raw.is_empty():
            return nothing("bars")
        if not is_pair(request.symbol):
            adjusted = self._aggregates(request, symbol, adjusted=True).select("t", adjusted_close="close")
            raw = raw.join(adjusted.unique("t"), on="t", how="left", maintain_order="left")
        zone = "UTC" if is_pair(request.symbol) else "America/New_York"  # a day's bar is stamped with its midnight
        days = raw["t"].cast(pl.Datetime("ms", "UTC")).dt.convert_time_zone(zone).dt.date()
        return daily(request, days, raw)

    def _aggregates(self, request: ProviderRequest, symbol: str, *, adjusted: bool) -> pl.DataFrame:
        def ask(params: dict[str, Any]) -> PoolResponse:
            answer: PoolResponse = self._client.list_aggs(
                symbol,
                1,
                "day",
                (request.since - timedelta(days=1)).date(),  # the session of a moment may be the date before it in UTC
                request.until.date(),
                adjusted=adjusted,
                sort="asc",
                limit=_TICK_PAGE,
                params=params,
                raw=True,
            )
            return answer

        where = f"massive, bars of {symbol}"
        page = read(_BARS, ask({}).data, where)
        if page.next_url:
            raise ProviderError(f"{where}: more days than one answer holds", symbol=request.symbol)
        rows = [(b.t, b.o, b.h, b.l, b.c, b.v) for b in page.results]
        names = ["open", "high", "low", "close", "volume"]
        return pl.DataFrame(rows, schema={"t": pl.Int64} | dict.fromkeys(names, pl.Float64), orient="row")

    def _chain(self, request: ProviderRequest, symbol: str) -> pl.DataFrame:
        where = f"massive, chain of {symbol}"

        def ask(params: dict[str, Any]) -> PoolResponse:
            answer: PoolResponse = self._client.list_snapshot_options_chain(symbol, params=params, raw=True)
            return answer

        found = [c for page in self._pages(_CONTRACTS, ask, {"limit": _CHAIN_PAGE}, where) for c in page.results]
        if not found:
            return nothing("chains")
        quoted = _event_time(found)
        if quoted is None:
            raise SchemaError(f"{where}: Expected last_updated in a quote or in the underlying, found none")
        prices = [(c.underlying.updated or 0, c.underlying.price or c.underlying.value) for c in found]
        spot = max((p for p in prices if p[1] is not None), default=(0, None))[1]
        session = max((c.day.updated or 0 for c in found), default=0)
        rows = [
            (
                c.details.code,
                c.quote.bid,
                c.quote.ask,
                c.trade.price,
                # the figures of a contract's last day stay until it trades again
                c.day.volume if c.day.updated == session else 0.0,
                c.open_interest,
                c.vendor_iv,
                *c.greeks.values(),
            )
            for c in found
            if c.details.shares == _SHARES
        ]
        return chain(request.symbol, rows, quoted, spot, where)

    def _trades(self, request: ProviderRequest, symbol: str) -> pl.DataFrame:
        pages = self._ticks(_TRADES, self._client.list_trades, request, symbol)
        rows = [
            (t.sip_timestamp // 1000, t.price, t.size)
            for page in pages
            for t in page.results
            if t.correction in _AS_TRADED
        ]
        return _series(request, rows, ["price", "size"])

    def _quotes(self, request: ProviderRequest, symbol: str) -> pl.DataFrame:
        pages = self._ticks(_QUOTES, self._client.list_quotes, request, symbol)
        rows = [
            (
                q.sip_timestamp // 1000,
                q.bid_price or None,
                q.bid_size,
                q.ask_price or None,
                q.ask_size,
            )  # 0: no such side
            for page in pages
            for q in page.results
        ]
        return _series(request, rows, ["bid", "bid_size", "ask", "ask_size"])

    def _ticks(
        self, shape: TypeAdapter[P], method: Callable[..., PoolResponse], request: ProviderRequest, symbol: str
    ) -> Iterator[P]:
        asked = {
            "timestamp.gte": _epoch_ns(request.since),
            "timestamp.lte": _epoch_ns(request.until),
            "sort": "timestamp",
            "order": "asc",
            "limit": _TICK_PAGE,
        }

        def ask(params: dict[str, Any]) -> PoolResponse:
            return method(symbol, params=params, raw=True)

        return self._pages(shape, ask, asked, f"massive, {request.kind} of {symbol}")

    def _pages(
        self, shape: TypeAdapter[P], ask: Callable[[dict[str, Any]], PoolResponse], asked: dict[str, Any], where: str
    ) -> Iterator[P]:
        """Every page: the address of the next page holds a cursor, which replaces the first parameters."""
        seen: list[dict[str, Any]] = []
        while True:
            seen.append(asked)
            page = read(shape, ask(dict(asked)).data, where)  # the client adds to what it is given
            if page.status == "ERROR":
                raise ProviderError(f"{where}: {page.error or 'an error without a reason'}")
            self._transport.take_rows(len(page.results))
            yield page
            if not page.next_url:
                return
            asked = dict(parse_qsl(urlsplit(page.next_url).query))
            if asked in seen:
                raise ProviderError(f"{where}: the next page is one that was read before")

    def _news(self, request: ProviderRequest, symbol: str) -> pl.DataFrame:
        asked = {
            "ticker": symbol,
            "published_utc.gte": f"{request.since:%Y-%m-%dT%H:%M:%SZ}",
            "published_utc.lte": f"{request.until:%Y-%m-%dT%H:%M:%SZ}",
            "sort": "published_utc",
            "order": "asc",
            "limit": _NEWS_PAGE,
        }

        def ask(params: dict[str, Any]) -> PoolResponse:
            answer: PoolResponse = self._client.list_ticker_news(params=params, raw=True)
            return answer

        rows = [
            (item.published_utc, item.title, item.description, item.publisher.name)
            for page in self._pages(_ITEMS, ask, asked, f"massive, news of {symbol}")
            for item in page.results
        ]
        found = pl.DataFrame(rows, schema=["timestamp", "headline", "body", "source"], orient="row")
        return within(request, table("news", request.symbol, found)) if rows else nothing("news")


def _event_time(contracts: list[_Contract]) -> datetime | None:
    """The vendor's latest quote; where the plan has no quotes, the latest of the underlying."""
    quotes = [c.quote.updated for c in contracts]
    seen = quotes if any(quotes) else [c.underlying.updated for c in contracts]
    return newest(from_epoch_ns(stamp) for stamp in seen if stamp)


def _series(request: ProviderRequest, rows: list[tuple[Any, ...]], names: list[str]) -> pl.DataFrame:
    found = pl.DataFrame(rows, schema={"timestamp": pl.Int64} | dict.fromkeys(names, pl.Float64), orient="row")
    timed = found.with_columns(pl.col("timestamp").cast(pl.Datetime("us", "UTC")))
    return within(request, table(request.kind, request.symbol, timed))


def _epoch_ns(moment: datetime) -> int:
    seconds = int(moment.timestamp())
    return (seconds * 1_000_000 + moment.microsecond) * 1000
