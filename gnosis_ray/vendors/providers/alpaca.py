"""Alpaca through alpaca-py: daily bars, trades, quotes, option snapshots without open interest, news.

The client retries on its own, has no time-out, and fails on the null that stands for no rows. So each of its requests
goes through a session of ours, which also counts the pages it fetches.
"""

from __future__ import annotations

import importlib
import weakref
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, TypeVar

import polars as pl
from pydantic import Field, SecretStr, TypeAdapter

from gnosis_ray.config import AlpacaConfig
from gnosis_ray.errors import SchemaError
from gnosis_ray.market.columns import UTC_TIME
from gnosis_ray.market.symbols import is_pair, vendor_symbol
from gnosis_ray.schemas.core_schemas import DataKind
from gnosis_ray.vendors.providers.addresses import OwnHosts
from gnosis_ray.vendors.providers.base import ProviderRequest, Transport
from gnosis_ray.vendors.providers.bodies import AnswerLimits
from gnosis_ray.vendors.providers.frames import SETTLING, chain, daily, newest, nothing, table, within
from gnosis_ray.vendors.providers.http_sessions import load_client, requests_session
from gnosis_ray.vendors.providers.wire_models import NO_GREEKS, ManyOf, VendorGreeks, WireModel, read

_NEW_YORK = "America/New_York"


class _Bar(WireModel):
    t: str
    o: float
    h: float
    l: float  # noqa: E741 - the vendor's name
    c: float
    v: float


class _Trade(WireModel):
    t: str
    p: float
    s: float
    side: str | None = Field(None, validation_alias="tks")
    """The taker's, of crypto pairs: B or S."""
    update: str | None = Field(None, validation_alias="u")
    """Set where the trade was canceled, corrected or found incorrect."""


class _Quote(WireModel):
    t: str
    bp: float
    bs: float
    ap: float
    as_: float = Field(validation_alias="as")


class _OptionDay(WireModel):
    t: str
    v: float


class _Contract(WireModel):
    quote: _Quote | None = Field(None, validation_alias="latestQuote")
    trade: _Trade | None = Field(None, validation_alias="latestTrade")
    day: _OptionDay | None = Field(None, validation_alias="dailyBar")
    vendor_iv: float | None = Field(None, validation_alias="impliedVolatility")
    greeks: VendorGreeks | None = None


class _Item(WireModel):
    headline: str
    summary: str = ""
    source: str
    created_at: str


_BARS = TypeAdapter(ManyOf[_Bar])
_TRADES = TypeAdapter(ManyOf[_Trade])
_QUOTES = TypeAdapter(ManyOf[_Quote])
_LATEST = TypeAdapter(_Trade)
_CONTRACTS = TypeAdapter(ManyOf[tuple[str, _Contract]])
_NEWS = TypeAdapter(ManyOf[_Item])
_HOSTS = ("data.alpaca.markets",)

T = TypeVar("T")


class AlpacaProvider:
    """Alpaca's market data with a key and its secret.

    Raises :class:`ConfigError` where alpaca-py is not installed. Chains take a second request for the underlying's
    price, which option snapshots do not hold.
    """

    name = "alpaca"
    kinds: frozenset[DataKind] = frozenset({"bars", "chains", "news", "quotes", "trades"})

    def __init__(self, settings: AlpacaConfig, transport: Transport, key: SecretStr, secret: SecretStr) -> None:
        historical = load_client("alpaca", lambda: importlib.import_module("alpaca.data.historical"))
        self._requests = importlib.import_module("alpaca.data.requests")
        self._timeframe = importlib.import_module("alpaca.data.timeframe").TimeFrame
        self._settings = settings
        hosts = OwnHosts.of(self.name, self.name, settings.base_url, _HOSTS)
        session = requests_session(transport, AnswerLimits.of(self.name, settings), settings.base_url, hosts)
        weakref.finalize(self, session.close)

        def connected(kind: str) -> Any:
            made = _paged(getattr(historical, kind), transport)(
                key.get_secret_value(), secret.get_secret_value(), raw_data=True
            )
            made._session = session
            return made

        self._stocks = connected("StockHistoricalDataClient")
        self._crypto = connected("CryptoHistoricalDataClient")
        self._options = connected("OptionHistoricalDataClient")
        self._items = connected("NewsClient")

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
        raw = self._daily(request, symbol, "raw")
        if raw.is_empty():
            return nothing("bars")
        if is_pair(request.symbol):
            return daily(request, raw["t"].dt.date(), raw)
        adjusted = self._daily(request, symbol, "all").select("t", adjusted_close="close")
        both = raw.join(adjusted.unique("t"), on="t", how="left", maintain_order="left")
        late = max(SETTLING, timedelta(minutes=self._settings.delay_minutes))
        return daily(request, both["t"].dt.convert_time_zone(_NEW_YORK).dt.date(), both, late)

    def _daily(self, request: ProviderRequest, symbol: str, adjustment: str) -> pl.DataFrame:
        more = {"timeframe": self._timeframe.Day, "start": request.since - timedelta(days=1)}
        found = self._series(request, symbol, "Bars", _BARS, {"adjustment": adjustment}, **more)
        rows = [(b.t, b.o, b.h, b.l, b.c, b.v) for b in found]
        return _timed(rows, ["open", "high", "low", "close", "volume"], "t", f"alpaca, bars of {symbol}")

    def _trades(self, request: ProviderRequest, symbol: str) -> pl.DataFrame:
        found = self._series(request, symbol, "Trades", _TRADES)
        traded = [trade for trade in found if trade.update is None]
        rows = _timed([(t.t, t.p, t.s) for t in traded], ["price", "size"], "timestamp", f"alpaca, trades of {symbol}")
        sides = [{"B": "buy", "S": "sell"}.get(trade.side or "") for trade in traded]
        signed = rows.with_columns(pl.Series("side", sides, dtype=pl.String))
        return within(request, table("trades", request.symbol, signed))

    def _quotes(self, request: ProviderRequest, symbol: str) -> pl.DataFrame:
        found = self._series(request, symbol, "Quotes", _QUOTES)
        # a price of zero: nobody on that side
        rows = [(q.t, q.bp or None, q.bs, q.ap or None, q.as_) for q in found]
        names = ["bid", "bid_size", "ask", "ask_size"]
        return within(
            request, table("quotes", request.symbol, _timed(rows, names, "timestamp", f"alpaca, quotes of {symbol}"))
        )

    def _series(
        self,
        request: ProviderRequest,
        symbol: str,
        what: str,
        shape: TypeAdapter[tuple[T, ...]],
        stock_only: dict[str, Any] | None = None,
        **more: Any,
    ) -> tuple[T, ...]:
        """All pages of a series; the client asks for them one by one."""
        pair = is_pair(request.symbol)
        asked = {"symbol_or_symbols": symbol, "start": request.since, "end": self._until(request), **more}
        if not pair:
            asked |= {"feed": self._settings.feed, **(stock_only or {})}
        if asked["start"] >= asked["end"]:
            return ()
        name = "Quote" if pair and what == "Quotes" else what  # the client's own spelling
        ask = getattr(self._requests, f"{'Crypto' if pair else 'Stock'}{name}Request")(**asked)
        side = self._crypto if pair else self._stocks
        method = getattr(side, f"get_{'crypto' if pair else 'stock'}_{what.lower()}")
        where = f"alpaca, {request.kind} of {symbol}"
        return read(shape, _asked(method, ask, where).get(symbol, ()), where)

    def _until(self, request: ProviderRequest) -> datetime:
        """Up to when the plan shows what was traded."""
        if is_pair(request.symbol):
            return request.until
        return request.until - timedelta(minutes=self._settings.delay_minutes)

    def _chain(self, request: ProviderRequest, symbol: str) -> pl.DataFrame:
        where = f"alpaca, chain of {symbol}"
        asked = self._requests.OptionChainRequest(underlying_symbol=symbol, feed=self._settings.options_feed)
        found = _asked(self._options.get_option_chain, asked, where)
        listed: tuple[tuple[str, _Contract], ...] = read(_CONTRACTS, tuple(found.items()), where)
        contracts = dict(listed)
        if not contracts:
            return nothing("chains")
        quotes = [c.quote.t for c in contracts.values() if c.quote]
        quoted = newest(_moments(quotes, where).to_list())
        if quoted is None:
            raise SchemaError(f"{where}, field latestQuote: Expected one of any contract, found none")
        days = [c.day.t for c in contracts.values() if c.day]
        rows = [
            (
                code,
                c.quote.bp if c.quote else None,
                c.quote.ap if c.quote else None,
                c.trade.p if c.trade else None,
                _volume(c.day, max(days)) if days else None,
                None,
                c.vendor_iv,
                *(c.greeks or NO_GREEKS).values(),
            )
            for code, c in contracts.items()
        ]
        return chain(request.symbol, rows, quoted, self._price(symbol, where), where)

    def _price(self, symbol: str, where: str) -> float | None:
        asked = self._requests.StockLatestTradeRequest(symbol_or_symbols=symbol, feed=self._settings.latest_feed)
        found = _asked(self._stocks.get_stock_latest_trade, asked, where).get(symbol)
        return read(_LATEST, found, where).p if found is not None else None

    def _news(self, request: ProviderRequest, symbol: str) -> pl.DataFrame:
        where = f"alpaca, news of {symbol}"
        plain = symbol.replace("/", "")
        asked = self._requests.NewsRequest(symbols=plain, start=request.since, end=request.until, sort="asc")
        items = read(_NEWS, _asked(self._items.get_news, asked, where).get("news", ()), where)
        if not items:
            return nothing("news")
        found = pl.DataFrame(
            {
                "timestamp": _moments([item.created_at for item in items], where),
                "headline": [item.headline for item in items],
                "body": pl.Series([item.summary or None for item in items], dtype=pl.String),
                "source": [item.source for item in items],
            }
        )
        return within(request, table("news", request.symbol, found))


def _paged(kind: type, transport: Transport) -> type:
    """A client class that reads null as no rows, and counts the rows of the pages that it asks for by itself."""

    class PagedClient(kind):  # type: ignore[misc]
        def get(self, *args: Any, **more: Any) -> Any:
            found = super().get(*args, **more)
            if not isinstance(found, dict):
                raise TypeError(f"Expected an object, found {type(found).__name__}")
            nothing: dict[str, Any] = {"news": [], "next_page_token": None}
            page = {name: nothing.get(name, {}) if rows is None else rows for name, rows in found.items()}
            transport.take_rows(sum(map(_rows_in, page.values())))
            return page

    return PagedClient


def _rows_in(answer: Any) -> int:
    """Rows of a page: in a list, in the lists of each symbol, or one a contract."""
    if isinstance(answer, dict):
        return sum(len(rows) if isinstance(rows, list) else 1 for rows in answer.values())
    return len(answer) if isinstance(answer, list) else 0


def _volume(day: _OptionDay | None, session: str) -> float:
    """Contracts traded in the chain's latest session: the figures of a contract's last day stay until it trades."""
    return day.v if day and day.t == session else 0.0


def _asked(method: Callable[[Any], Any], request: Any, where: str) -> dict[str, Any]:
    """What the client returns; its own failures to read an answer as ours."""
    try:
        return dict(method(request))
    except (AttributeError, KeyError, TypeError, ValueError, RecursionError) as error:
        raise SchemaError(f"{where}: alpaca-py cannot read the answer: {error}", cause=type(error).__name__) from error


def _moments(texts: list[str], where: str) -> pl.Series:
    """RFC 3339 times, with up to nine decimals of a second, to the microsecond."""
    try:
        return pl.Series("t", texts, dtype=pl.String).str.to_datetime("%+", time_unit="us", time_zone="UTC")
    except pl.exceptions.PolarsError as error:
        raise SchemaError(f"{where}, field t: Expected a time in RFC 3339: {error}", cause="PolarsError") from error


def _timed(rows: list[tuple[Any, ...]], names: list[str], time: str, where: str) -> pl.DataFrame:
    schema = {time: pl.String} | dict.fromkeys(names, pl.Float64)
    found = pl.DataFrame(rows, schema=schema, orient="row")
    return found.with_columns(_moments(found[time].to_list(), where).cast(UTC_TIME).alias(time))
