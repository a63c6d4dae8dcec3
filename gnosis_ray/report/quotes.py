"""Market data of one symbol as of a run, read again from the run's own source."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Any

import polars as pl
from pydantic import ValidationError

from gnosis_ray.app.components import ConfiguredComponents
from gnosis_ray.app.sources import build_adapter, build_calendar
from gnosis_ray.config import Config, load_config
from gnosis_ray.errors import GnosisError
from gnosis_ray.market.adapters import MarketAdapter
from gnosis_ray.market.corporate_actions import adjustment
from gnosis_ray.market.keys import one_key
from gnosis_ray.schemas.core_schemas import LedgerRecord, TradeLeg
from gnosis_ray.schemas.run_schemas import RunManifest
from gnosis_ray.storage.location import Location, locate

SESSIONS_SHOWN = 60
"""Daily bars behind the price chart."""

DROPPED = "dropped:"
"""Tag of a composite stance that led to no idea; the reason follows."""

HEADLINES_SHOWN = 8
NEWS_HOURS = 72

ContractKey = tuple[date, float, str]
"""Expiry, strike, ``C`` or ``P``."""


@dataclass(frozen=True)
class LegQuote:
    """A contract as quoted. USD per share; ``iv``, ``rate`` and ``carry`` a year; ``tau`` years from the run's moment
    to expiry; ``iv`` None where no volatility was believable."""

    quote_time: datetime
    bid: float | None
    ask: float | None
    mid: float | None
    volume: float | None
    open_interest: float | None
    iv: float | None
    iv_source: str | None
    delta: float | None
    tau: float
    rate: float
    carry: float


@dataclass(frozen=True)
class DailyBar:
    """One session, USD, adjusted for splits and dividends since."""

    closed_at: datetime
    low: float
    high: float
    close: float


@dataclass(frozen=True)
class NewsHeadline:
    """One item of news: foreign text."""

    at: datetime
    text: str
    source: str


@dataclass(frozen=True)
class MarketSnapshot:
    """What was known of a symbol as of a run; ``problem``: why some of it cannot be read any more."""

    quotes: Mapping[ContractKey, LegQuote] = field(default_factory=dict)
    bars: tuple[DailyBar, ...] = ()
    headlines: tuple[NewsHeadline, ...] = ()
    considered: Mapping[str, str] = field(default_factory=dict)
    """The outcome of every strategy, by name; empty if it cannot be computed again."""
    problem: str | None = None

    def of(self, leg: TradeLeg) -> LegQuote | None:
        """The quote of a leg; None for stock, or where the contract was not quoted."""
        if leg.expiry is None or leg.strike is None:
            return None
        return self.quotes.get((date.fromisoformat(leg.expiry), leg.strike, leg.instrument_type))


def config_of(manifest: RunManifest) -> Config | None:
    """The settings of a run; None if they cannot be read.

    If another version wrote them, settings that it did not have take today's defaults, and settings that no longer
    exist are left out: :func:`settings_note` then says so.
    """
    try:
        return Config.model_validate_json(manifest.config_json)
    except ValidationError:
        pass
    try:
        today = load_config().config.model_dump(mode="json")
        return Config.model_validate(_onto(today, json.loads(manifest.config_json)))
    except (ValidationError, ValueError):
        return None


def settings_note(manifest: RunManifest, config: Config | None) -> str | None:
    """How ``config_of(manifest)`` differs from the settings of the run; None if it does not."""
    if config is None:
        return f"gnosis-ray {manifest.version} made this run with settings that this version cannot read"
    if config.decision_hash() == manifest.config_hash:
        return None
    return f"gnosis-ray {manifest.version} made this run with other settings: what it did not have is today's default"


def read_market_snapshot(
    manifest: RunManifest, config: Config | None, record: LedgerRecord, data_dir: Location | None = None
) -> MarketSnapshot:
    """Bars, headlines and the quotes of a record's trades as of the run, and the outcome of each strategy.

    Reads the source; does not raise if that is gone.

    ``config`` as from :func:`config_of`; ``data_dir``: where the store is now; None: where it was.
    """
    note = settings_note(manifest, config)
    if config is None:
        return MarketSnapshot(problem=note)
    if data_dir is not None:
        config = config.replaced(data={"dir": locate(data_dir)})
    try:
        adapter = build_adapter(config, build_calendar(config, manifest.as_of))
        snapshot = _read(adapter, record)
    except (GnosisError, OSError) as error:
        return MarketSnapshot(problem=f"quotes, bars and headlines cannot be read: {error}")
    try:
        considered = _considered(adapter, config, record)
    except GnosisError as error:
        missing = f"the outcome of each strategy cannot be computed again: {error}"
        return replace(snapshot, problem=snapshot.problem or missing)
    return replace(snapshot, considered=considered, problem=snapshot.problem or note)


def _read(adapter: MarketAdapter, record: LedgerRecord) -> MarketSnapshot:
    symbol, now = record.symbol, record.timestamp
    chain = adapter.fetch_chain(symbol, now)
    bars = adapter.fetch_bars(one_key(symbol, now), SESSIONS_SHOWN).tail(SESSIONS_SHOWN)
    news = adapter.fetch_news(symbol, NEWS_HOURS, now).tail(HEADLINES_SHOWN)
    shown = _in_shares_of_the_last(bars).select("timestamp", "low", "high", "close").drop_nulls()
    shown_news = news.select("timestamp", "headline", "source")
    return MarketSnapshot(
        quotes=_quotes(chain, [leg for idea in record.trade_ideas for leg in idea.legs]),
        bars=tuple(DailyBar(*row) for row in shown.iter_rows()),
        headlines=tuple(NewsHeadline(at, text, source or "") for at, text, source in reversed(shown_news.rows())),
        problem="the source has neither a chain nor bars any more" if chain.is_empty() and bars.is_empty() else None,
    )


def _considered(adapter: MarketAdapter, config: Config, record: LedgerRecord) -> Mapping[str, str]:
    """The trade agent's decision on the recorded stance, made again; empty if its ideas are not those of the ledger."""
    recorded = record.composite_suggestion
    asked = recorded.model_copy(update={"tags": [tag for tag in recorded.tags if not tag.startswith(DROPPED)]})
    decision = ConfiguredComponents(config).trade_agent(adapter).decide(asked)
    same = [idea.id for idea in decision.ideas] == [idea.id for idea in record.trade_ideas]
    return decision.considered if same else {}


def _in_shares_of_the_last(bars: pl.DataFrame) -> pl.DataFrame:
    """One symbol's bars with earlier prices adjusted to today's shares, so that a split is no fall."""
    priced = bars.filter(pl.col("close") > 0)
    factor = adjustment(priced)
    if factor is None:
        return priced
    return priced.with_columns(pl.col(name) * factor * (1 / factor[-1]) for name in ("low", "high", "close"))


def _quotes(chain: pl.DataFrame, legs: Sequence[TradeLeg]) -> dict[ContractKey, LegQuote]:
    wanted = {
        (date.fromisoformat(leg.expiry), leg.strike, leg.instrument_type)
        for leg in legs
        if leg.expiry is not None and leg.strike is not None
    }
    found: dict[ContractKey, LegQuote] = {}
    for row in chain.filter(pl.col("strike").is_in([strike for _, strike, _ in wanted])).iter_rows(named=True):
        contract = (row["expiry"], row["strike"], row["type"])
        if contract in wanted:
            fields = {name: row[name] for name in LegQuote.__dataclass_fields__ if name != "mid"}
            found[contract] = LegQuote(mid=row["mid_price"], **fields)
    return found


def _onto(today: dict[str, Any], written: Any) -> dict[str, Any]:
    """``today`` with the values of the same names that were ``written``, at any depth."""
    if not isinstance(written, dict):
        raise ValueError(f"Expected settings, was {written!r}")  # noqa: TRY004  one error for whatever is no settings
    return {
        key: today[key]
        if key not in written
        else _onto(today[key], written[key])
        if isinstance(today[key], dict) and isinstance(written[key], dict)
        else written[key]
        for key in today
    }
