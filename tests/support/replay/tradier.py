"""Tradier's market data: ``/v1/markets/options/{expirations,chains}``, ``/v1/markets/{quotes,history}``; bearer token.

As a true answer (of PLTR, 2024-07-05) and the vendor's documentation: what holds one element is that element, not a
list of one; what holds none is null.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

import polars as pl

from tests.support.replay.http_messages import ReplayRequest, ReplayResponse, Route, json_reply
from tests.support.replay.market import ChainSnapshot, Market
from tests.support.replay.times import last_trade, utc_text

PATH = re.compile(r"/v1/markets/(options/expirations|options/chains|quotes|history|timesales)")
TURNED_AWAY = ReplayResponse(401, b"Invalid Access Token", "text/plain")


def tradier(market: Market, token: str) -> Route:
    """Tradier, knowing what the market knows, to whom shows the token."""

    def route(ask: ReplayRequest) -> ReplayResponse | None:
        found = PATH.fullmatch(ask.path)
        if found is None:
            return None
        if ask.headers.get("authorization") != f"Bearer {token}":
            return TURNED_AWAY
        symbol = ask.query.get("symbol", ask.query.get("symbols", "")).replace("/", ".")
        snapshot, days = market.snapshot(symbol), market.days(symbol)
        made: dict[str, Callable[[], dict[str, Any]]] = {
            "options/expirations": lambda: {"expirations": _expirations(snapshot)},
            "options/chains": lambda: {"options": _chain(symbol, snapshot, ask.query)},
            "quotes": lambda: {"quotes": _quotes(symbol, snapshot)},
            "history": lambda: {"history": _history(days, ask.query)},
            "timesales": lambda: {"series": None},
        }
        return json_reply(made[found[1]]())

    return route


def one_or_many(rows: list[Any]) -> Any:
    """As the vendor writes lists: it translates XML."""
    return rows[0] if len(rows) == 1 else rows


def _expirations(snapshot: ChainSnapshot | None) -> dict[str, Any] | None:
    if snapshot is None:
        return None
    days = snapshot.options["expiry"].unique().sort()
    return {"date": one_or_many([day.isoformat() for day in days])}


def _chain(symbol: str, snapshot: ChainSnapshot | None, query: Mapping[str, str]) -> dict[str, Any] | None:
    if snapshot is None:
        return None
    rows = snapshot.options.filter(pl.col("expiry").cast(pl.String) == query.get("expiration", ""))
    stamp = int(last_trade(snapshot.moment).timestamp() * 1000)
    options = [_option(symbol, row, stamp, utc_text(snapshot.moment), query) for row in rows.iter_rows(named=True)]
    return {"option": one_or_many(options)} if options else None


def _option(symbol: str, row: Mapping[str, Any], stamp: int, updated: str, query: Mapping[str, str]) -> dict[str, Any]:
    word = "Put" if row["type"] == "P" else "Call"
    return {
        "symbol": row["option"],
        "description": f"{symbol} {row['expiry']:%b %d %Y} ${row['strike']:.2f} {word}",
        "exch": "Z",
        "type": "option",
        "last": row["last"],
        "change": None,
        "volume": _whole(row["volume"]),
        "open": None,
        "high": None,
        "low": None,
        "close": None,
        "bid": row["bid"],
        "ask": row["ask"],
        "underlying": symbol.replace(".", "/"),
        "strike": row["strike"],
        **({"greeks": _greeks(row, updated)} if query.get("greeks") == "true" else {}),
        "change_percentage": None,
        "average_volume": 0,
        "last_volume": 1,
        "trade_date": stamp,
        "prevclose": None,
        "week_52_high": 0.0,
        "week_52_low": 0.0,
        "bidsize": 24,
        "bidexch": "A",
        "bid_date": stamp,
        "asksize": 78,
        "askexch": "X",
        "ask_date": stamp,
        "open_interest": _whole(row["open_interest"]),
        "contract_size": 100,
        "expiration_date": row["expiry"].isoformat(),
        "expiration_type": "standard",
        "option_type": word.lower(),
        "root_symbol": row["option"][:-15],
    }


def _whole(figure: float | None) -> int | None:
    return None if figure is None else int(figure)


def _greeks(row: Mapping[str, Any], updated: str) -> dict[str, Any]:
    known = {name: row[name] or 0.0 for name in ("delta", "gamma", "theta", "vega", "rho")}
    volatility = dict.fromkeys(("bid_iv", "mid_iv", "ask_iv", "smv_vol"), row["iv"] or 0.0)
    return {**known, "phi": 0.0, **volatility, "updated_at": updated}


def _quotes(symbol: str, snapshot: ChainSnapshot | None) -> dict[str, Any]:
    name = symbol.replace(".", "/")
    if snapshot is None:
        return {"unmatched_symbols": {"symbol": name}}
    stamp = int(last_trade(snapshot.moment).timestamp() * 1000)
    return {
        "quote": {
            "symbol": name,
            "description": name,
            "exch": "Q",
            "type": "stock",
            "last": snapshot.spot,
            "change": 0.0,
            "volume": 0,
            "open": snapshot.spot,
            "high": snapshot.spot,
            "low": snapshot.spot,
            "close": snapshot.spot,
            "bid": snapshot.spot,
            "ask": snapshot.spot,
            "change_percentage": 0.0,
            "average_volume": 0,
            "last_volume": 0,
            "trade_date": stamp,
            "prevclose": snapshot.spot,
            "week_52_high": snapshot.spot,
            "week_52_low": snapshot.spot,
            "bidsize": 1,
            "bidexch": "Q",
            "bid_date": stamp,
            "asksize": 1,
            "askexch": "Q",
            "ask_date": stamp,
            "root_symbols": symbol.replace(".", ""),
        }
    }


def _history(days: pl.DataFrame | None, query: Mapping[str, str]) -> dict[str, Any] | None:
    if days is None:
        return None
    text = pl.col("date").cast(pl.String)
    rows = days.filter(text >= query.get("start", ""), text <= query.get("end", "9999"))
    told = rows.with_columns(text, pl.col("volume").cast(pl.Int64)).to_dicts()
    return {"day": one_or_many(told)} if told else None
