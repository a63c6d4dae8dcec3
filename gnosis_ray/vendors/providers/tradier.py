"""Tradier's market data: chains with ORATS' volatilities, daily bars, ticks. A token; a request an expiry.

Answers are XML in the guise of JSON: what holds one element is that element and no list, what holds none is null.
Dates and times of day are Eastern, moments milliseconds since 1970.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta
from email.utils import parsedate_to_datetime
from typing import Annotated, Any, TypeVar
from zoneinfo import ZoneInfo

import httpx
import polars as pl
from pydantic import BeforeValidator, Field, SecretStr, TypeAdapter

from gnosis_ray.config import VendorConfig
from gnosis_ray.errors import TOO_MANY_REQUESTS, ConfigError, NoDataError, ProviderError, TransientError
from gnosis_ray.market.symbols import vendor_symbol
from gnosis_ray.schemas.core_schemas import DataKind
from gnosis_ray.vendors.providers.base import ProviderRequest, Transport
from gnosis_ray.vendors.providers.frames import chain, closes, daily, newest, nothing, table, within
from gnosis_ray.vendors.providers.http import Bearer, HttpVendor
from gnosis_ray.vendors.providers.wire_models import FIRST_FAULT_ONLY, NO_GREEKS, VendorGreeks, WireModel

_EASTERN = ZoneInfo("America/New_York")
_OPEN = time(9, 30)
_SLICE = timedelta(minutes=15)
"""Ticks of a whole session are too many for one answer, the vendor says."""

_CONTRACT_SIZE = 100
_QUOTA = re.compile(r"quota violation(?:.*?expires\s+(\d+))?", re.IGNORECASE | re.DOTALL)

T = TypeVar("T")


def _null(value: Any) -> Any:
    return None if value == "null" else value


def _each(value: Any) -> Any:
    """What holds many, one or none, as a list."""
    if value is None or value == "null":
        return []
    return value if isinstance(value, list) else [value]


def _number(value: Any) -> Any:
    """Of a day without trades the prices are none."""
    return None if value == "NaN" else value


Many = Annotated[list[T], FIRST_FAULT_ONLY, BeforeValidator(_each)]
Perhaps = Annotated[T | None, BeforeValidator(_null)]
Figure = Annotated[float | None, Field(allow_inf_nan=False)]
DayFigure = Annotated[Figure, BeforeValidator(_number)]
Millis = Annotated[int | None, Field(ge=0, lt=1 << 45)]


class _Greeks(VendorGreeks):
    mid_iv: Figure = None


class _Quoted(WireModel):
    bid: Figure
    ask: Figure
    last: Figure
    bid_date: Millis
    ask_date: Millis
    trade_date: Millis

    def moments(self) -> Iterator[datetime]:
        """When it was quoted and traded; 0 stands for never."""
        return (datetime.fromtimestamp(ms / 1000, UTC) for ms in (self.bid_date, self.ask_date, self.trade_date) if ms)


class _Option(_Quoted):
    symbol: str
    volume: Figure
    open_interest: Figure
    contract_size: int | None = None
    greeks: _Greeks | None = None


class _Options(WireModel):
    option: Many[_Option]


class _ChainAnswer(WireModel):
    options: Perhaps[_Options]


class _Underlying(_Quoted):
    symbol: str
    close: Figure = None

    def price(self) -> float | None:
        """USD: the close once the session is over, since the last trade may be one after hours; a halt has none."""
        return self.close or self.last or None


class _Quotes(WireModel):
    quote: Many[_Underlying] = Field(default_factory=list)


class _QuotesAnswer(WireModel):
    quotes: Perhaps[_Quotes]


class _Dates(WireModel):
    date: Many[str]


class _ExpirationsAnswer(WireModel):
    expirations: Perhaps[_Dates]


class _Day(WireModel):
    date: str
    open: DayFigure
    high: DayFigure
    low: DayFigure
    close: DayFigure
    volume: DayFigure


class _Days(WireModel):
    day: Many[_Day]


class _HistoryAnswer(WireModel):
    history: Perhaps[_Days]


class _Tick(WireModel):
    timestamp: Annotated[int, Field(gt=0, lt=1 << 35)]
    price: Figure
    volume: Figure


class _Ticks(WireModel):
    data: Many[_Tick]


class _TicksAnswer(WireModel):
    series: Perhaps[_Ticks]


_CHAIN = TypeAdapter(_ChainAnswer)
_QUOTES = TypeAdapter(_QuotesAnswer)
_EXPIRATIONS = TypeAdapter(_ExpirationsAnswer)
_HISTORY = TypeAdapter(_HistoryAnswer)
_TICKS = TypeAdapter(_TicksAnswer)


class TradierProvider:
    """Tradier, production or sandbox by ``settings.base_url``; real-time or delayed as the account's plan says."""

    name = "tradier"
    kinds: frozenset[DataKind] = frozenset({"bars", "chains", "trades"})

    def __init__(
        self,
        settings: VendorConfig,
        transport: Transport,
        key: SecretStr,
        *,
        http_transport: httpx.BaseTransport | None = None,
    ) -> None:
        self._transport = transport
        self._http = HttpVendor(
            self.name,
            settings,
            transport,
            bearer=Bearer("tradier", key),
            quirk=_over_quota,
            http_transport=http_transport,
        )

    def fetch(self, request: ProviderRequest) -> pl.DataFrame:
        """See :class:`~gnosis_ray.vendors.providers.base.Provider`.

        ``trades`` are Tradier's ticks, which it keeps for five days: whole seconds (those of one second are a
        microsecond apart, in the order given), no side.
        """
        symbol = vendor_symbol(request.symbol, self.name)
        if request.kind == "chains":
            return self._chain(request, symbol)
        if request.kind == "bars":
            return self._bars(request, symbol)
        if request.kind == "trades":
            return self._ticks(request, symbol)
        raise ConfigError(f"tradier gives no {request.kind}, but {', '.join(sorted(self.kinds))}")

    def _chain(self, request: ProviderRequest, symbol: str) -> pl.DataFrame:
        where = f"tradier, chain of {symbol}"
        underlying = self._underlying(request, symbol)
        asked = {"symbol": symbol, "includeAllRoots": "true"}
        found = self._http.get(_EXPIRATIONS, "/v1/markets/options/expirations", asked, where).expirations
        options = [option for expiry in (found.date if found else []) for option in self._expiry(symbol, expiry)]
        if not options:
            return nothing("chains")
        quoted_at = newest([*underlying.moments(), *(moment for option in options for moment in option.moments())])
        if quoted_at is None:
            raise ProviderError(f"{where}: no answer says when its quotes were made", symbol=request.symbol)
        return chain(request.symbol, _rows(options), quoted_at, underlying.price(), where)

    def _underlying(self, request: ProviderRequest, symbol: str) -> _Underlying:
        where = f"tradier, quote of {symbol}"
        quotes = self._http.get(_QUOTES, "/v1/markets/quotes", {"symbols": symbol}, where).quotes
        for quote in quotes.quote if quotes else []:
            if quote.symbol == symbol:
                return quote
        raise NoDataError("tradier does not know this symbol", symbol=request.symbol)

    def _expiry(self, symbol: str, expiry: str) -> list[_Option]:
        asked = {"symbol": symbol, "expiration": expiry, "greeks": "true"}
        where = f"tradier, chain of {symbol} for {expiry}"
        found = self._http.get(_CHAIN, "/v1/markets/options/chains", asked, where).options
        options = found.option if found else []
        self._transport.take_rows(len(options))
        return options

    def _bars(self, request: ProviderRequest, symbol: str) -> pl.DataFrame:
        asked = {
            "symbol": symbol,
            "interval": "daily",
            "start": request.since.astimezone(_EASTERN).date().isoformat(),
            "end": request.until.astimezone(_EASTERN).date().isoformat(),
            "session_filter": "open",
        }
        found = self._http.get(_HISTORY, "/v1/markets/history", asked, f"tradier, bars of {symbol}").history
        days = found.day if found else []
        if not days:
            return nothing("bars")
        columns = ("open", "high", "low", "close", "volume")
        rows = pl.DataFrame({name: [getattr(day, name) for day in days] for name in columns}).cast(pl.Float64)
        dates = pl.Series("date", [day.date for day in days]).str.to_date("%Y-%m-%d", strict=False)
        return daily(request, dates, rows)

    def _ticks(self, request: ProviderRequest, symbol: str) -> pl.DataFrame:
        ticks = [tick for start, end in _slices(request) for tick in self._slice(symbol, start, end)]
        if not ticks:
            return nothing("trades")
        seconds = pl.col("timestamp")
        rows = pl.DataFrame(
            {
                "timestamp": pl.Series([tick.timestamp for tick in ticks], dtype=pl.Int64),
                "price": pl.Series([tick.price for tick in ticks], dtype=pl.Float64),
                "size": pl.Series([tick.volume for tick in ticks], dtype=pl.Float64),
            }
        ).filter(pl.col("price") > 0, pl.col("size") > 0)
        moments = seconds * 1_000_000 + pl.int_range(pl.len()).over("timestamp")
        stamped = rows.with_columns(moments.cast(pl.Datetime("us", "UTC")).alias("timestamp"))
        return within(request, table("trades", request.symbol, stamped))

    def _slice(self, symbol: str, start: datetime, end: datetime) -> Iterator[_Tick]:
        """Ticks from ``start`` up to but not including ``end``; whether the vendor counts the end in is not said."""
        asked = {
            "symbol": symbol,
            "interval": "tick",
            "start": start.astimezone(_EASTERN).strftime("%Y-%m-%d %H:%M"),
            "end": end.astimezone(_EASTERN).strftime("%Y-%m-%d %H:%M"),
            "session_filter": "open",
        }
        found = self._http.get(_TICKS, "/v1/markets/timesales", asked, f"tradier, ticks of {symbol}").series
        self._transport.take_rows(len(found.data) if found else 0)
        first, beyond = start.timestamp(), end.timestamp()
        return (tick for tick in (found.data if found else []) if first <= tick.timestamp < beyond)


def _rows(options: Sequence[_Option]) -> list[tuple[Any, ...]]:
    return [
        (
            option.symbol,
            option.bid,
            option.ask,
            option.last or None,
            option.volume,
            option.open_interest,
            (option.greeks.mid_iv or None) if option.greeks else None,
            *(option.greeks or NO_GREEKS).values(),
        )
        for option in options
        if option.contract_size in (None, _CONTRACT_SIZE)
    ]


def _slices(request: ProviderRequest) -> Iterator[tuple[datetime, datetime]]:
    """The sessions in the asked time, in whole minutes and slices short enough for one answer."""
    first, last = (moment.astimezone(_EASTERN).date() for moment in (request.since, request.until))
    days = [first + timedelta(days=i) for i in range((last - first).days + 1)]
    for day, close in zip(days, closes(request, pl.Series("day", days)), strict=True):
        if close is None:
            continue
        start, end = max(_opening(day), request.since.replace(second=0, microsecond=0)), min(close, request.until)
        while start < end:
            yield start, min(start + _SLICE, _whole_minute(end))
            start += _SLICE


def _opening(day: date) -> datetime:
    return datetime.combine(day, _OPEN, _EASTERN).astimezone(UTC)


def _whole_minute(moment: datetime) -> datetime:
    floor = moment.replace(second=0, microsecond=0)
    return floor if floor == moment else floor + timedelta(minutes=1)


def _over_quota(answer: httpx.Response, text: str) -> TransientError | None:
    """Too many requests, which Tradier says with 400 as well: "Quota Violation: Expires 1769804340000"."""
    found = _QUOTA.search(text) if answer.status_code in (400, 429) else None
    if found is None:
        return None
    return TransientError(
        f"tradier answered {answer.status_code} to {answer.url.path}: too many requests (429)",
        status=TOO_MANY_REQUESTS,
        retry_after_s=_seconds_until(int(found[1]), answer) if found[1] else None,
    )


def _seconds_until(expires_ms: int, answer: httpx.Response) -> float | None:
    """From the answer's own ``Date``, so that no clock is read."""
    try:
        sent = parsedate_to_datetime(answer.headers.get("Date", ""))
    except (ValueError, TypeError):
        return None
    return max(0.0, expires_ms / 1000 - sent.timestamp())
