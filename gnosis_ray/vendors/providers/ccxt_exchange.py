"""Crypto exchanges through ccxt: daily bars, trades, and the top of the order book as a quote.

ccxt spells pairs, parses every exchange's own formats and names its errors. Its own rate limiter is off: the transport
limits the rate. Some exchanges refuse with status 200, so the transport sees each request together with ccxt's parsing
of its response. Of a response in another shape ccxt omits what it cannot parse: that appears as missing rows, not as an
error.
"""

from __future__ import annotations

import importlib
import threading
import weakref
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from types import ModuleType
from typing import Annotated, Any, NamedTuple, TypeVar
from urllib.parse import urlsplit

import polars as pl
from pydantic import Field, TypeAdapter

from gnosis_ray.config import CcxtConfig
from gnosis_ray.errors import (
    TOO_MANY_REQUESTS,
    ConfigError,
    DataError,
    NoDataError,
    ProviderError,
    SchemaError,
    TransientError,
)
from gnosis_ray.market.symbols import vendor_symbol
from gnosis_ray.redaction import redacted
from gnosis_ray.schemas.core_schemas import DataKind
from gnosis_ray.vendors.providers.addresses import OwnHosts
from gnosis_ray.vendors.providers.base import ProviderRequest, Transport
from gnosis_ray.vendors.providers.bodies import AnswerLimits
from gnosis_ray.vendors.providers.frames import daily, nothing, table, within
from gnosis_ray.vendors.providers.http_sessions import load_client, requests_session
from gnosis_ray.vendors.providers.wire_models import FIRST_FAULT_ONLY, ManyOf, WireModel, read

_DAY_MS = 86_400_000
_DEPTH = 5
"""Levels asked for: some exchanges refuse fewer."""

Milliseconds = Annotated[int, Field(ge=0)]


class _Candle(NamedTuple):
    t: Milliseconds
    open: float | None
    high: float | None
    low: float | None
    close: float | None
    volume: float | None


class _Trade(WireModel):
    id: str | None = None
    timestamp: Milliseconds
    price: float
    amount: float
    side: str | None = None


_Side = Annotated[list[Annotated[list[float | None], FIRST_FAULT_ONLY]], FIRST_FAULT_ONLY]


class _Book(WireModel):
    timestamp: Milliseconds | None = None
    bids: _Side
    asks: _Side


_CANDLES = TypeAdapter(ManyOf[_Candle])
_TRADES = TypeAdapter(ManyOf[_Trade])
_BOOK = TypeAdapter(_Book)

T = TypeVar("T")


class CcxtProvider:
    """Public data of one exchange (``settings.exchange``), without a key. Pairs only: ``BTC-USD``.

    Raises :class:`ConfigError` where ccxt is not installed or does not know the exchange.
    """

    name = "ccxt"
    kinds: frozenset[DataKind] = frozenset({"bars", "quotes", "trades"})

    def __init__(self, settings: CcxtConfig, transport: Transport) -> None:
        ccxt = load_client("ccxt", lambda: importlib.import_module("ccxt"))
        if settings.exchange not in ccxt.exchanges:
            raise ConfigError(f"ccxt knows no exchange '{settings.exchange}' (providers.ccxt.exchange)")
        self._ccxt = ccxt
        self._place = f"{settings.exchange} through ccxt"
        self._transport = transport
        self._said = threading.local()
        self._exchange = self._connected(ccxt, settings, transport)
        weakref.finalize(self, self._exchange.session.close)
        self._loading = threading.Lock()

    def fetch(self, request: ProviderRequest) -> pl.DataFrame:
        """See :class:`~gnosis_ray.vendors.providers.base.Provider`."""
        by_kind: dict[DataKind, Callable[[ProviderRequest, str], pl.DataFrame]] = {
            "bars": self._bars,
            "quotes": self._quotes,
            "trades": self._trades,
        }
        pair = vendor_symbol(request.symbol, self.name)
        with self._loading:  # once a process; ccxt asks again in each thread that comes while it is asking
            markets = self._asked(self._exchange.load_markets)
        if pair not in markets:
            raise NoDataError(f"{self._place}: there is no market {pair}", symbol=request.symbol)
        return by_kind[request.kind](request, pair)

    def _bars(self, request: ProviderRequest, pair: str) -> pl.DataFrame:
        candles = [c for page in self._candles(request, pair) for c in page]
        if not candles:
            return nothing("bars")
        rows = pl.DataFrame(candles, schema=list(_Candle._fields), orient="row")
        return daily(request, rows["t"].cast(pl.Datetime("ms", "UTC")).dt.date(), rows)

    def _candles(self, request: ProviderRequest, pair: str) -> Iterator[tuple[_Candle, ...]]:
        since, until = _ms(request.since) // _DAY_MS * _DAY_MS, _ms(request.until)
        while since <= until:
            found = self._read(_CANDLES, self._exchange.fetch_ohlcv, f"bars of {pair}", pair, "1d", since)
            self._transport.take_rows(len(found))
            yield found
            if not found or found[-1].t < since:
                return
            since = found[-1].t + _DAY_MS

    def _trades(self, request: ProviderRequest, pair: str) -> pl.DataFrame:
        rows = [(t.timestamp * 1000, t.price, t.amount, t.side) for t in self._prints(request, pair)]
        schema = {"timestamp": pl.Int64, "price": pl.Float64, "size": pl.Float64, "side": pl.String}
        found = pl.DataFrame(rows, schema=schema, orient="row")
        side = pl.when(pl.col("side").is_in(["buy", "sell"])).then(pl.col("side"))
        timed = found.with_columns(pl.col("timestamp").cast(pl.Datetime("us", "UTC")), side=side)
        return within(request, table("trades", request.symbol, timed))

    def _prints(self, request: ProviderRequest, pair: str) -> Iterator[_Trade]:
        """Each trade once: pages start at the millisecond at which the page before ended."""
        since, until = _ms(request.since), _ms(request.until)
        last: tuple[_Trade, ...] = ()
        while since <= until:
            page = self._read(_TRADES, self._exchange.fetch_trades, f"trades of {pair}", pair, since)
            self._transport.take_rows(len(page))
            new = _not_in(last, page)
            yield from new
            if not new or page[-1].timestamp < since:
                return
            last, since = page, page[-1].timestamp

    def _quotes(self, request: ProviderRequest, pair: str) -> pl.DataFrame:
        book = self._read(_BOOK, self._exchange.fetch_order_book, f"order book of {pair}", pair, _DEPTH)
        moment = datetime.fromtimestamp(book.timestamp / 1000, UTC) if book.timestamp else self._answered_at()
        if moment is None:
            raise SchemaError(f"{self._place}: the order book of {pair} says nowhere when it was made")
        bid, ask = (side[0][:2] if side else (None, None) for side in (book.bids, book.asks))
        row = {"timestamp": [moment], "bid": bid[:1], "bid_size": bid[1:], "ask": ask[:1], "ask_size": ask[1:]}
        return table("quotes", request.symbol, pl.DataFrame(row))  # as of a chain: the present one is meant

    def _answered_at(self) -> datetime | None:
        """The exchange's own clock as of its latest answer to this thread, in seconds."""
        try:
            return parsedate_to_datetime(getattr(self._said, "date", "")).astimezone(UTC)
        except ValueError:
            return None

    def _read(self, shape: TypeAdapter[T], method: Callable[..., Any], what: str, *args: Any) -> T:
        where = f"{self._place}, {what}"
        return read(shape, self._asked(lambda: method(*args)), where)

    def _asked(self, ask: Callable[[], Any]) -> Any:
        """What ccxt makes of an exchange's answers; what it cannot read is an answer in another shape."""
        try:
            return ask()
        except DataError:
            raise
        except Exception as error:
            raise _ours(self._ccxt, error, self._place) from error

    def _connected(self, ccxt: ModuleType, settings: CcxtConfig, transport: Transport) -> Any:
        said, place = self._said, self._place
        kind = getattr(ccxt, settings.exchange)

        class TransportExchange(kind):  # type: ignore[misc, valid-type]
            def fetch(self, url: str, method: str = "GET", headers: Any = None, body: Any = None) -> Any:
                def ask() -> Any:
                    try:
                        found = super(TransportExchange, self).fetch(url, method, headers, body)
                    except ccxt.BaseError as error:
                        raise _ours(ccxt, error, place) from error
                    if not isinstance(found, (dict, list)):  # ccxt would read no rows from it
                        raise SchemaError(
                            f"{place}: Expected JSON from {urlsplit(url).path}, found {str(found)[:60]!r}"
                        )
                    return found

                return transport.call(ask)

        exchange = TransportExchange({"enableRateLimit": False, "timeout": int(settings.timeout_s * 1000)})

        def keep_date(answer: Any) -> None:
            said.date = answer.headers.get("Date", "")

        limits = AnswerLimits.of(CcxtProvider.name, settings, place)
        hosts = OwnHosts.of(place, CcxtProvider.name, settings.base_url, _hosts(exchange))
        exchange.session = requests_session(_DirectTransport(), limits, settings.base_url, hosts, keep_date)
        return exchange


class _DirectTransport:
    """Calls at once: the exchange's own request already went through the transport."""

    def call(self, ask: Callable[[], T]) -> T:
        return ask()

    def take_rows(self, count: int) -> None:
        """Count nothing: the provider does."""


def _hosts(exchange: Any) -> set[str]:
    """The hosts of an exchange's interfaces, as ccxt knows them."""
    found, left = set(), [exchange.urls.get("api")]
    while left:
        one = left.pop()
        if isinstance(one, Mapping):
            left += one.values()
        elif isinstance(one, str) and (host := urlsplit(exchange.implode_hostname(one)).hostname):
            found.add(host)
    return found


def _ours(ccxt: ModuleType, error: Exception, place: str) -> DataError:
    """An error of ccxt, by its place in ccxt's tree of errors."""
    name = type(error).__name__
    text = redacted(f"{place}: {name}: {error}")
    if isinstance(error, ccxt.BadSymbol):
        return NoDataError(text, cause=name)
    if isinstance(error, (ccxt.BadResponse, ccxt.NullResponse)) or not isinstance(error, ccxt.BaseError):
        return SchemaError(text, cause=name)
    if isinstance(error, ccxt.NetworkError):
        too_many = isinstance(error, (ccxt.RateLimitExceeded, ccxt.DDoSProtection))
        return TransientError(text, cause=name, status=TOO_MANY_REQUESTS if too_many else None)
    return ProviderError(text, cause=name)


def _not_in(last: Sequence[_Trade], page: Sequence[_Trade]) -> list[_Trade]:
    """The trades of ``page`` that the page before did not have; by id, or all of them by what they are."""
    known = set(map(_identity, last))
    return [trade for trade in page if _identity(trade) not in known]


def _identity(trade: _Trade) -> tuple[object, ...]:
    return (trade.id,) if trade.id else (trade.timestamp, trade.price, trade.amount, trade.side)


def _ms(moment: datetime) -> int:
    return int(moment.timestamp()) * 1000 + moment.microsecond // 1000
