"""What the market showed of one symbol at a run's moment, read again from the run's own source."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path

import polars as pl
from pydantic import ValidationError

from gnosis_ray.app import build_adapter, build_calendar
from gnosis_ray.config import Config, load_config
from gnosis_ray.engines.inputs.adapters import MarketAdapter, one_key
from gnosis_ray.errors import GnosisError
from gnosis_ray.schemas.core_schemas import TradeLeg
from gnosis_ray.schemas.run_schemas import RunManifest

SESSIONS_SHOWN = 60
"""Daily bars behind the price chart."""

HEADLINES_SHOWN = 8
NEWS_HOURS = 72

SECTIONS_READ = ("market", "data", "composer")
"""Of the settings: what the quotes of that moment and the vote are rebuilt from."""

Contract = tuple[date, float, str]
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
class Bar:
    """One session."""

    closed_at: datetime
    low: float
    high: float
    close: float


@dataclass(frozen=True)
class Headline:
    """One item of news: foreign text."""

    at: datetime
    text: str
    source: str


@dataclass(frozen=True)
class MarketThen:
    """What was known of a symbol then; ``problem`` says why something of it cannot be shown any more."""

    quotes: Mapping[Contract, LegQuote] = field(default_factory=dict)
    bars: tuple[Bar, ...] = ()
    headlines: tuple[Headline, ...] = ()
    underlying: float | None = None
    """Price of the underlying that came with the chain, USD."""
    problem: str | None = None

    def of(self, leg: TradeLeg) -> LegQuote | None:
        """The quote of a leg; None for stock, or where the contract was not quoted."""
        if leg.expiry is None or leg.strike is None:
            return None
        return self.quotes.get((date.fromisoformat(leg.expiry), leg.strike, leg.instrument_type))


def config_of(manifest: RunManifest) -> Config | None:
    """The settings that a run decided by, as far as a story reads them; None where they cannot be read.

    Where another version wrote settings that this one does not have, the sections of :data:`SECTIONS_READ` are the
    run's and the others the defaults of today, of which nothing is told.
    """
    try:
        return Config.model_validate_json(manifest.config_json)
    except ValidationError:
        pass
    try:
        today, written = load_config().config, json.loads(manifest.config_json)
        own = {name: type(getattr(today, name)).model_validate(written[name]) for name in SECTIONS_READ}
    except (ValidationError, KeyError, TypeError, ValueError):
        return None
    return today.model_copy(update=own)


def market_then(
    manifest: RunManifest, config: Config | None, symbol: str, legs: Sequence[TradeLeg], data_dir: Path | None = None
) -> MarketThen:
    """Bars, headlines and the quotes of ``legs`` as of the run's moment. Reads the source; never raises for its lack.

    ``config`` as from :func:`config_of`; ``data_dir``: where the store lies now; None: where it lay then.
    """
    if config is None:
        problem = f"gnosis-ray {manifest.version} made this run with settings that this version cannot read"
        return MarketThen(problem=problem)
    if data_dir is not None:
        config = config.model_copy(update={"data": config.data.model_copy(update={"dir": data_dir.absolute()})})
    try:
        adapter = build_adapter(config, build_calendar(config, manifest.as_of))
        return _read(adapter, symbol, manifest.as_of, legs)
    except (GnosisError, OSError) as error:
        return MarketThen(problem=str(error))


def _read(adapter: MarketAdapter, symbol: str, now: datetime, legs: Sequence[TradeLeg]) -> MarketThen:
    chain = adapter.fetch_chain(symbol, now)
    bars = adapter.fetch_bars(one_key(symbol, now), SESSIONS_SHOWN).tail(SESSIONS_SHOWN)
    news = adapter.fetch_news(symbol, NEWS_HOURS, now).tail(HEADLINES_SHOWN)
    shown = bars.select("timestamp", "low", "high", "close").drop_nulls()
    told = news.select("timestamp", "headline", "source")
    return MarketThen(
        quotes=_quotes(chain, legs),
        bars=tuple(Bar(*row) for row in shown.iter_rows()),
        headlines=tuple(Headline(at, text, source or "") for at, text, source in reversed(told.rows())),
        underlying=None if chain.is_empty() else chain["underlying_price"][0],
        problem="Neither a chain nor bars are there any more" if chain.is_empty() and bars.is_empty() else None,
    )


def _quotes(chain: pl.DataFrame, legs: Sequence[TradeLeg]) -> dict[Contract, LegQuote]:
    wanted = {
        (date.fromisoformat(leg.expiry), leg.strike, leg.instrument_type)
        for leg in legs
        if leg.expiry is not None and leg.strike is not None
    }
    found: dict[Contract, LegQuote] = {}
    for row in chain.filter(pl.col("strike").is_in([strike for _, strike, _ in wanted])).iter_rows(named=True):
        contract = (row["expiry"], row["strike"], row["type"])
        if contract in wanted:
            fields = {name: row[name] for name in LegQuote.__dataclass_fields__ if name != "mid"}
            found[contract] = LegQuote(mid=row["mid_price"], **fields)
    return found
