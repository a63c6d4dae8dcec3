"""CBOE's delayed quotes: ``/api/global/delayed_quotes/options/AAPL.json``, indices as ``_SPX``.

As a true answer (of ``_RUT``, 2023-09-21): the same fields in the same order, ``timestamp`` in UTC, trades in Eastern
time, OCC codes. The quotes of an answer are those of 15 minutes before. CBOE writes 0 for what is not there, and so
does this: for what the market here does not know.
"""

from __future__ import annotations

import json
import re
from datetime import timedelta

import polars as pl

from gnosis_ray.market.symbols import is_index
from tests.support.replay.http_messages import ReplayRequest, ReplayResponse, Route
from tests.support.replay.market import ChainSnapshot, Market
from tests.support.replay.times import eastern_text, last_trade, utc_text

PATH = re.compile(r"/api/global/delayed_quotes/options/(_?[A-Z0-9.\-]+)\.json")
DELAY = timedelta(minutes=15)
DENIED = b"""<?xml version="1.0" encoding="UTF-8"?>
<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>"""
"""What a bucket answers for an object that it does not have, to whom may not list it."""


def cboe(market: Market) -> Route:
    """CBOE, knowing what the market knows."""

    def route(ask: ReplayRequest) -> ReplayResponse | None:
        found = PATH.fullmatch(ask.path)
        if found is None:
            return None
        name = found[1]
        symbol = name.removeprefix("_")
        snapshot = market.snapshot(symbol) if name.startswith("_") == is_index(symbol) else None
        return unknown() if snapshot is None else ReplayResponse(body=render(name, snapshot))

    return route


def unknown() -> ReplayResponse:
    """For a symbol without options."""
    return ReplayResponse(403, DENIED, "application/xml")


def render(name: str, snapshot: ChainSnapshot) -> bytes:
    """The answer for a path's name, such as ``_SPX``."""
    index = name.startswith("_")
    traded = eastern_text(last_trade(snapshot.moment))
    price = snapshot.spot
    head = {
        "symbol": f"^{name[1:]}" if index else name,
        "security_type": "index" if index else "stock",
        "exchange_id": 0 if index else 5,
        "current_price": price,
        "price_change": 0.0,
        "price_change_percent": 0.0,
        "bid": 0.0,
        "ask": 0.0,
        "bid_size": 0,
        "ask_size": 0,
        "open": price,
        "high": price,
        "low": price,
        "close": price,
        "prev_day_close": price,
        "volume": 0,
        "iv30": 0.0,
        "iv30_change": 0.0,
        "iv30_change_percent": 0.0,
        "seqno": 0,
        "last_trade_time": traded,
        "tick": "no_change",
    }
    options = _options(snapshot.options).write_json()
    told = json.dumps(head, separators=(",", ":"))[1:]
    moment, name_ = json.dumps(utc_text(snapshot.moment + DELAY)), json.dumps(name)
    return f'{{"timestamp":{moment},"data":{{"options":{options},{told},"symbol":{name_}}}'.encode()


def _options(rows: pl.DataFrame) -> pl.DataFrame:
    nothing, none = pl.lit(0.0), pl.lit(None, pl.String)
    return rows.select(
        "option",
        _or_zero("bid"),
        nothing.alias("bid_size"),
        _or_zero("ask"),
        nothing.alias("ask_size"),
        *(_or_zero(name) for name in ("iv", "open_interest", "volume", "delta", "gamma", "theta", "rho", "vega")),
        nothing.alias("theo"),
        nothing.alias("change"),
        nothing.alias("open"),
        nothing.alias("high"),
        nothing.alias("low"),
        pl.lit("no_change").alias("tick"),
        _or_zero("last").alias("last_trade_price"),
        none.alias("last_trade_time"),
        nothing.alias("percent_change"),
        nothing.alias("prev_day_close"),
    )


def _or_zero(name: str) -> pl.Expr:
    return pl.col(name).fill_null(0.0)
