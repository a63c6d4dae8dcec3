"""Yahoo Finance through yfinance: daily bars with adjusted closes, option chains without greeks, headlines.

Of yfinance what carries requests is used: browser impersonation, cookies, crumbs and consent. Its tables are not:
``Ticker.history`` asks twice and keeps time zones in a database in the user's cache folder, ``Search`` answers from a
memory that never ages, both hide errors unless a global switch is set, and prices before a split come back divided.
"""

from __future__ import annotations

import importlib
import weakref
from datetime import UTC, datetime
from typing import Annotated, Any
from urllib.parse import quote

import polars as pl
from pydantic import BeforeValidator, Field, TypeAdapter

from gnosis_ray.config import VendorConfig, home
from gnosis_ray.errors import ConfigError, NoDataError, ProviderError, SchemaError, TransientError
from gnosis_ray.market.symbols import vendor_symbol
from gnosis_ray.schemas.core_schemas import DataKind
from gnosis_ray.vendors.providers.base import ProviderRequest, Transport
from gnosis_ray.vendors.providers.frames import chain, daily, newest, nothing, table, within
from gnosis_ray.vendors.providers.http_sessions import load_client, refused
from gnosis_ray.vendors.providers.wire_models import NO_GREEKS, ManyOf, WireModel, read
from gnosis_ray.vendors.providers.yahoo_session import yahoo_session

_API = "https://query2.finance.yahoo.com"
_EVER = 9_999_999_999
"""Seconds since 1970, beyond any present: prices are adjusted for every split to date, so every split must be seen."""
_HEADLINES = 100
_ZONES = ("America/New_York", "America/Chicago", "UTC")
"""Of US shares, of Cboe's indices, of crypto pairs."""

Seconds = Annotated[int, Field(ge=0, lt=_EVER)]


class _Split(WireModel):
    date: Seconds
    numerator: float = Field(gt=0)
    denominator: float = Field(gt=0)


def _values(named: Any) -> Any:
    return tuple(named.values()) if isinstance(named, dict) else named


class _Events(WireModel):
    splits: Annotated[ManyOf[_Split], BeforeValidator(_values)] = ()


class _Prices(WireModel):
    open: ManyOf[float | None] = ()
    high: ManyOf[float | None] = ()
    low: ManyOf[float | None] = ()
    close: ManyOf[float | None] = ()
    volume: ManyOf[float | None] = ()


class _Adjusted(WireModel):
    adjclose: ManyOf[float | None] = ()


class _Indicators(WireModel):
    quote: ManyOf[_Prices]
    adjclose: ManyOf[_Adjusted] = ()


class _Meta(WireModel):
    zone: str = Field(validation_alias="exchangeTimezoneName")


class _Chart(WireModel):
    meta: _Meta
    timestamp: ManyOf[Seconds] = ()
    events: _Events = _Events()
    indicators: _Indicators


class _Fault(WireModel):
    code: str | None = None
    description: str | None = None


class _Charts(WireModel):
    result: ManyOf[_Chart] | None
    error: _Fault | None = None


class _ChartAnswer(WireModel):
    chart: _Charts


class _Contract(WireModel):
    code: str = Field(validation_alias="contractSymbol")
    bid: float | None = None
    ask: float | None = None
    last: float | None = Field(None, validation_alias="lastPrice")
    volume: float | None = None
    open_interest: float | None = Field(None, validation_alias="openInterest")
    vendor_iv: float | None = Field(None, validation_alias="impliedVolatility")
    traded: Seconds | None = Field(None, validation_alias="lastTradeDate")


class _Expiry(WireModel):
    calls: ManyOf[_Contract]
    puts: ManyOf[_Contract]


class _Underlying(WireModel):
    price: float | None = Field(None, validation_alias="regularMarketPrice")
    time: Seconds | None = Field(None, validation_alias="regularMarketTime")


class _Chain(WireModel):
    expiries: ManyOf[Seconds] = Field(validation_alias="expirationDates")
    quote: _Underlying
    options: ManyOf[_Expiry]


class _Chains(WireModel):
    result: ManyOf[_Chain]
    error: _Fault | None = None


class _ChainAnswer(WireModel):
    chains: _Chains = Field(validation_alias="optionChain")


class _Item(WireModel):
    title: str
    publisher: str
    published: Seconds = Field(validation_alias="providerPublishTime")
    tickers: ManyOf[str] | None = Field(None, validation_alias="relatedTickers")


class _SearchAnswer(WireModel):
    news: ManyOf[_Item]


_CHART = TypeAdapter(_ChartAnswer)
_CHAIN = TypeAdapter(_ChainAnswer)
_SEARCH = TypeAdapter(_SearchAnswer)


class YahooProvider:
    """Yahoo Finance without a key. US listings and crypto pairs; chains cost one request an expiry.

    ``base_url`` empty: Yahoo's own hosts; else every one of them is found there. Raises :class:`ConfigError` where
    yfinance is not installed.
    """

    name = "yahoo"
    kinds: frozenset[DataKind] = frozenset({"bars", "chains", "news"})

    def __init__(self, settings: VendorConfig, transport: Transport) -> None:
        data = load_client("yahoo", lambda: importlib.import_module("yfinance.data"))
        cache = importlib.import_module("yfinance.cache")
        cache.set_cache_location(str(home() / "cache" / "yfinance"))  # else in the user's own cache folder
        # yfinance keeps one object a process, and swaps its session under whoever holds it: this one is not shared
        session = yahoo_session(settings, transport)
        self._transport = transport
        self._said = session.said
        self._carrier = type.__call__(data.YfData, session=session)
        session.carrier = weakref.ref(self._carrier)
        weakref.finalize(self, session.close)
        self._timeout_s = settings.timeout_s

    def fetch(self, request: ProviderRequest) -> pl.DataFrame:
        """See :class:`~gnosis_ray.vendors.providers.base.Provider`."""
        symbol = vendor_symbol(request.symbol, self.name)
        if request.kind == "bars":
            return self._bars(request, symbol)
        if request.kind == "chains":
            return self._chain(request, symbol)
        if request.kind == "news":
            return self._news(request, symbol)
        raise ConfigError(f"yahoo gives no {request.kind}, but {', '.join(sorted(self.kinds))}")

    def _bars(self, request: ProviderRequest, symbol: str) -> pl.DataFrame:
        where = f"yahoo, bars of {symbol}"
        asked = {
            "period1": int(request.since.timestamp()),
            "period2": _EVER,
            "interval": "1d",
            "includePrePost": "false",
            "events": "div,splits",
        }
        answer = read(_CHART, self._get(f"/v8/finance/chart/{quote(symbol)}", asked), where).chart
        if not answer.result:
            said = answer.error.description if answer.error else None
            raise NoDataError(f"yahoo has no bars: {said or 'no reason given'}", symbol=request.symbol)
        chart = answer.result[0]
        if chart.meta.zone not in _ZONES:
            raise NoDataError(f"{symbol} at yahoo is listed in {chart.meta.zone}, not the US", symbol=request.symbol)
        if not chart.timestamp:
            return nothing("bars")
        return daily(request, _days(chart), _raw(chart, where))

    def _chain(self, request: ProviderRequest, symbol: str) -> pl.DataFrame:
        where = f"yahoo, chain of {symbol}"
        path = f"/v7/finance/options/{quote(symbol)}"
        first = self._expiry(path, {}, where)
        if first is None:
            raise NoDataError("yahoo does not know this symbol", symbol=request.symbol)
        if not first.expiries:
            return nothing("chains")
        # the answer without a date holds the nearest expiry
        rest = [self._expiry(path, {"date": expiry}, where) for expiry in first.expiries[1:]]
        answers = [first, *(answer for answer in rest if answer is not None)]
        contracts = [c for a in answers for o in a.options for side in (o.calls, o.puts) for c in side]
        quoted = newest(_moment(seconds) for seconds in _seen(answers, contracts))
        if quoted is None:
            raise ProviderError(f"{where}: no answer says when its quotes were made", symbol=request.symbol)
        greeks = NO_GREEKS.values()
        rows = [
            (c.code, c.bid, c.ask, c.last or None, c.volume, c.open_interest, c.vendor_iv, *greeks) for c in contracts
        ]
        return chain(request.symbol, rows, quoted, answers[-1].quote.price, where)

    def _expiry(self, path: str, asked: dict[str, int], where: str) -> _Chain | None:
        found = read(_CHAIN, self._get(path, asked), where).chains.result
        if not found:
            return None
        self._transport.take_rows(sum(len(each.calls) + len(each.puts) for each in found[0].options))
        return found[0]

    def _news(self, request: ProviderRequest, symbol: str) -> pl.DataFrame:
        asked = {"q": symbol, "quotesCount": 0, "newsCount": _HEADLINES, "enableFuzzyQuery": "false"}
        items = read(_SEARCH, self._get("/v1/finance/search", asked), f"yahoo, headlines of {symbol}").news
        rows = [
            (_moment(item.published), item.title, item.publisher)
            for item in items
            if item.tickers is None or symbol in item.tickers
        ]
        found = pl.DataFrame(rows, schema=["timestamp", "headline", "source"], orient="row")
        return within(request, table("news", request.symbol, found)) if rows else nothing("news")

    def _get(self, path: str, asked: dict[str, Any]) -> bytes:
        self._said.refused = False
        answer = self._carrier.get(_API + path, params=asked, timeout=self._timeout_s)
        if answer.status_code >= 400:  # refused, and yfinance did not look for another cookie
            raise refused("yahoo", answer.url, answer.status_code, answer.headers, answer.text)
        content: bytes = answer.content
        if content.lstrip().startswith(b"<"):
            raise TransientError(f"yahoo answered {path} with a page instead of data")
        return content


def _days(chart: _Chart) -> pl.Series:
    """The date of each bar where it is listed; stamps are the session's open, of a live bar the latest trade."""
    moments = pl.Series("day", chart.timestamp, dtype=pl.Int64) * 1_000_000
    return moments.cast(pl.Datetime("us", "UTC")).dt.convert_time_zone(chart.meta.zone).dt.date()


def _raw(chart: _Chart, where: str) -> pl.DataFrame:
    """Prices and volume as traded: Yahoo gives both in today's shares, here each split since is undone."""
    prices = chart.indicators.quote[0] if chart.indicators.quote else _Prices()
    adjusted = chart.indicators.adjclose[0].adjclose if chart.indicators.adjclose else ()
    columns = {**prices.model_dump(), "adjusted_close": adjusted}
    bars = len(chart.timestamp)
    for name, values in columns.items():
        if len(values) not in (bars, 0):
            raise SchemaError(f"{where}: Expected {bars} values of {name}, found {len(values)}")
    rows = pl.DataFrame(
        {name: values or [None] * bars for name, values in columns.items()},
        schema=dict.fromkeys(columns, pl.Float64),
    )
    factor = [1.0] * bars
    for split in chart.events.splits:
        ratio = split.numerator / split.denominator
        factor = [f * ratio if t < split.date else f for f, t in zip(factor, chart.timestamp, strict=True)]
    shares = pl.Series("factor", factor, dtype=pl.Float64)
    return rows.with_columns(
        *((pl.col(name) * shares).alias(name) for name in ("open", "high", "low", "close")),
        volume=pl.col("volume") / shares,
    )


def _seen(answers: list[_Chain], contracts: list[_Contract]) -> list[int | None]:
    return [*(answer.quote.time for answer in answers), *(contract.traded for contract in contracts)]


def _moment(seconds: int | None) -> datetime | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)
