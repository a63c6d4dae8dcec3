"""Recorded responses of vendors, each served for the request that it answered."""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tests.support.replay.http_messages import ReplayRequest, ReplayResponse, Route, json_reply

_MASSIVE: tuple[tuple[str, Mapping[str, str], str], ...] = (
    (r"/v2/aggs/ticker/AAPL/range/1/day/.*", {}, "v2_aggs_ticker_AAPL_range_1_day_2005-04-01_2005-04-04"),
    (r"/v2/aggs/ticker/AAPL/prev", {}, "v2_aggs_ticker_AAPL_prev"),
    (
        r"/v2/aggs/grouped/locale/us/market/stocks/.*",
        {},
        "v2_aggs_grouped_locale_us_market_stocks_2005-04-04_adjusted_true",
    ),
    (r"/v2/reference/news", {"ticker": "NFLX"}, "v2_reference_news_ticker_NFLX"),
    (r"/v3/quotes/AAPL", {"cursor": ""}, "v3_quotes_AAPL_cursor_*"),
    (r"/v3/quotes/AAPL", {}, "v3_quotes_AAPL"),
    (r"/v3/snapshot/options/AAPL", {}, "v3_snapshot_options_AAPL"),
    (r"/v3/snapshot/options/AAPL/.*", {}, "v3_snapshot_options_AAPL_O;*"),
    (r"/v3/trades/AAPL", {}, "v3_trades_AAPL_limit_2"),
)
_MASSIVE_HOST = re.compile(r"https://api\.(?:massive|polygon)\.(?:com|io)")
_NOTHING = {"results": [], "status": "OK", "request_id": "0"}
_UNAUTHORISED = {"status": "ERROR", "request_id": "0", "error": "Unknown API Key"}


def recorded_cboe(folder: Path) -> Route:
    """CBOE's answer of 2023-09-21 for the Russell 2000."""

    def route(ask: ReplayRequest) -> ReplayResponse | None:
        if ask.path != "/api/global/delayed_quotes/options/_RUT.json":
            return None
        return ReplayResponse(body=gzip.decompress((folder / "cboe" / "_RUT.json.gz").read_bytes()))

    return route


def recorded_yahoo(folder: Path) -> Route:
    """Yahoo's charts, option chains and searches, each with the status that it came with."""

    def route(ask: ReplayRequest) -> ReplayResponse | None:
        name = _yahoo_name(ask)
        if name is None:
            return None
        path = folder / "yahoo" / f"{name}.json"
        if not path.is_file():
            return None
        answer: dict[str, Any] = json.loads(path.read_text())
        return json_reply(answer["body"], answer["status"])

    return route


def recorded_massive(folder: Path, key: str) -> Route:
    """Massive's answers to whom shows the key; pages lead on at this server; empty lists for what is not recorded."""

    def route(ask: ReplayRequest) -> ReplayResponse | None:
        if ask.vendor != "massive":
            return None
        shown = ask.headers.get("authorization", "").removeprefix("Bearer ") or ask.query.get("apiKey")
        if shown != key:
            return json_reply(_UNAUTHORISED, 401)
        for pattern, asked, file in _MASSIVE:
            if re.fullmatch(pattern, ask.path) and all(
                ask.query.get(k, "").startswith(v) and k in ask.query for k, v in asked.items()
            ):
                text = next((folder / "massive").glob(f"{file}.json")).read_text()
                return ReplayResponse(body=_MASSIVE_HOST.sub(f"http://{ask.headers['host']}", text).encode())
        return json_reply(_NOTHING)

    return route


def recorded_tradier(folder: Path, token: str) -> Route:
    """Tradier's chain of two contracts, PLTR 2024-07-05, expiring 2026-12-18."""

    def route(ask: ReplayRequest) -> ReplayResponse | None:
        if ask.headers.get("authorization") != f"Bearer {token}" or ask.query.get("symbol") != "PLTR":
            return None
        if ask.path == "/v1/markets/options/expirations":
            return json_reply({"expirations": {"date": "2026-12-18"}})
        if ask.path == "/v1/markets/options/chains":
            return ReplayResponse(body=(folder / "tradier" / "chain_PLTR_20240705_excerpt.json").read_bytes())
        return None

    return route


def _yahoo_name(ask: ReplayRequest) -> str | None:
    kind, _, symbol = ask.path.removeprefix("/").rpartition("/")
    plain = re.sub(r"[^A-Za-z0-9.\-]", "_", ask.query.get("q", symbol))
    if kind == "v8/finance/chart":
        if "period1" not in ask.query:
            return f"chart-{plain}"
        return f"chart-{plain}-{_day(ask.query['period1'])}-to-{_day(ask.query['period2'])}"
    if kind == "v7/finance/options":
        return f"options-{plain}" + (f"-expire-{_day(ask.query['date'])}" if "date" in ask.query else "")
    if (kind, symbol) == ("v1/finance", "search"):
        return f"search-{plain}"
    return None


def _day(seconds: str) -> str:
    return datetime.fromtimestamp(int(seconds), UTC).strftime("%Y-%m-%d")
