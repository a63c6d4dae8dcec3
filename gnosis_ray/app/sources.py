"""Settings become a calendar, a source of market data, and the adapter that engines read."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from gnosis_ray.app.plugged import plugged_source
from gnosis_ray.config import VENDORS, Config, home
from gnosis_ray.data.chains.loader import ChainLoader
from gnosis_ray.data.source_market_adapter import SourceMarketAdapter
from gnosis_ray.data.store.catalog import Catalog
from gnosis_ray.data.store.source import StoreSource
from gnosis_ray.data.store.store_format import require_format
from gnosis_ray.data.synthetic.source import SyntheticSource
from gnosis_ray.market.calendar import SessionCalendar
from gnosis_ray.market.source import MarketSource
from gnosis_ray.plugins import PluginMaker, missing_members
from gnosis_ray.schemas.expectations import was
from gnosis_ray.storage.location import Location, resolved

CALENDAR_YEARS_AHEAD = 4
"""Beyond the longest listed options (LEAPS run to under three years)."""

CALENDAR_START = date(2015, 1, 1)
"""Enough for a scan of any chain of the last years; who reads older data asks for more."""

OLDEST_DATA = date(1990, 1, 1)
"""The first session of the oldest data that a built-in mapping reads."""


def build_calendar(config: Config, as_of: datetime, since: date = CALENDAR_START) -> SessionCalendar:
    """The exchange's sessions around ``as_of``, far enough ahead for every listed expiry."""
    start = min(since, as_of.date() - timedelta(days=366))
    end = as_of.date() + timedelta(days=366 * CALENDAR_YEARS_AHEAD)
    return SessionCalendar.build(config.market.calendar, start, end)


def data_dir(config: Config) -> Location:
    """The location of the market store: an absolute folder, or a prefix on an object store."""
    return resolved(config.data.dir or home() / "market")


def build_source(config: Config, calendar: SessionCalendar) -> MarketSource:
    """The configured provider; of a vendor the store that its answers are in."""
    name = config.data.provider
    if config.data.reads_store:
        # where every fetch failed, each symbol is to fail by its own name
        return StoreSource(data_dir(config), may_be_empty=name in VENDORS)
    if name == "synthetic":
        return SyntheticSource(calendar, config.data.synthetic, config.market)
    plugins = PluginMaker(config)
    source = plugins.make("providers", name, _source_fault, calendar)
    return plugged_source(plugins.plugin("providers", name), source)


def _source_fault(made: object) -> str | None:
    """Why an object is no source of market data; None where it is one."""
    wrong = missing_members(MarketSource)(made)
    if wrong is not None:
        return wrong
    name, synthetic = getattr(made, "name", None), getattr(made, "synthetic", None)
    if not isinstance(name, str) or not name.strip():
        return f"Expected a MarketSource with a name, was {was(name)}"
    if not isinstance(synthetic, bool):
        return f"Expected a MarketSource whose synthetic is true or false, was {was(synthetic)}"
    return None


def require_market_data(config: Config) -> None:
    """Raise :class:`NoDataError` where a run is to read a market store that is not there or is empty.

    A vendor's store may be: the run fetches into it first.
    """
    if config.data.provider == "store" and not config.data.kinds:
        require_format(data_dir(config))
        Catalog(data_dir(config)).require_some()


def build_adapter(config: Config, calendar: SessionCalendar) -> SourceMarketAdapter:
    """The configured provider, its chains made ready for engines."""
    return SourceMarketAdapter(build_source(config, calendar), ChainLoader(calendar, config.market))
