"""What the contract tests run on: a synthetic market and what a pass measured and decided on it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from functools import cache

import polars as pl

from gnosis_ray.app.components import ConfiguredComponents
from gnosis_ray.app.sources import build_adapter, build_calendar, build_source
from gnosis_ray.config import Config, load_config
from gnosis_ray.market.adapters import MarketAdapter
from gnosis_ray.market.calendar import SessionCalendar
from gnosis_ray.market.keys import keys_at, panel_keys
from gnosis_ray.market.source import MarketSource
from gnosis_ray.pipeline.batch_pass import BatchPass
from gnosis_ray.schemas.core_schemas import LedgerRecord, StandardSnapshot, Suggestion

SAMPLE_SYMBOLS = ("AAPL", "JPM", "MSFT", "XOM")
"""The symbols of the sample market."""

SAMPLE_MOMENTS = (datetime(2026, 7, 9, 16, tzinfo=UTC), datetime(2026, 7, 10, 20, tzinfo=UTC))
"""Within a session, and at the close of the next: the market's present."""


def sample_config() -> Config:
    """Read the default settings, whatever the environment names as a provider."""
    return load_config(flags={"data.provider": "synthetic"}).config


@cache
def sample_calendar() -> SessionCalendar:
    """Build the sessions around the sample market's present."""
    return build_calendar(sample_config(), SAMPLE_MOMENTS[-1])


def synthetic_source(config: Config | None = None) -> MarketSource:
    """Make the synthetic market: a provider that knows every symbol."""
    settings = sample_config() if config is None else config.replaced(data={"provider": "synthetic"})
    return build_source(settings, sample_calendar())


def sample_market() -> MarketAdapter:
    """Make the synthetic market as engines, agents and processors read it."""
    return build_adapter(sample_config(), sample_calendar())


def keys_of(symbols: Sequence[str], moments: Sequence[datetime]) -> pl.DataFrame:
    """Make the keys of every symbol at every moment: ``columns.KEYS``, sorted."""
    return panel_keys(symbols, moments)


def sample_snapshots() -> list[StandardSnapshot]:
    """Measure the sample symbols; the last snapshot is of a symbol of which nothing is known."""
    nothing = StandardSnapshot(symbol="NOTHING", timestamp=SAMPLE_MOMENTS[-1])
    return [*(record.snapshot for record in _records()), nothing]


def sample_stances() -> list[Suggestion]:
    """Compose the stances of the sample symbols, as a trade agent receives them."""
    return [record.composite_suggestion for record in _records()]


@cache
def _records() -> tuple[LedgerRecord, ...]:
    config = sample_config()
    outcome = BatchPass(ConfiguredComponents(config), sample_market(), config).run(
        keys_at(SAMPLE_SYMBOLS, SAMPLE_MOMENTS[-1])
    )
    return tuple(outcome.records)
