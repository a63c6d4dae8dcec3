"""Settings, universes, ledgers and market data from Python."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

from gnosis_ray.api import live
from gnosis_ray.app.sources import build_adapter, build_calendar
from gnosis_ray.app.worker_config import resolved_for_workers
from gnosis_ray.config import Config
from gnosis_ray.config import load_config as load_layers
from gnosis_ray.data.universe import Universe, load_universe
from gnosis_ray.errors import LedgerError
from gnosis_ray.ledger.default_ledger import ledger_to_read
from gnosis_ray.ledger.ledger_store import LedgerStore
from gnosis_ray.market.adapters import MarketAdapter
from gnosis_ray.storage.location import Location


def load_config(profile: str | None = None, settings: Mapping[str, Any] | None = None) -> Config:
    """Read the settings: ``settings``, else the environment, else the profile, else the defaults.

    Parameters
    ----------
    profile
        A YAML file, or the name of one in ``$GNOSIS_RAY_HOME/profiles``.
    settings
        Values by dotted key, over everything else.

    Returns
    -------
    Config
        Frozen and validated; ``config.replaced(run={"batch_size": 8})`` gives a changed copy.

    Raises
    ------
    ConfigError
        For an unknown key, naming the nearest valid one, and for a value that cannot be used.

    Examples
    --------
    >>> import gnosis_ray as gr
    >>> config = gr.load_config(settings={"run.batch_size": 8})
    >>> config.run.batch_size, config.data.provider
    (8, 'synthetic')
    """
    return load_layers(profile, settings).config


def universe(name: str, as_of: date | None = None) -> Universe:
    """Look up the symbols that a name stands for.

    Parameters
    ----------
    name
        An index, a sector of one (``sp500:energy``), a file with one symbol a line, or a list such as ``AAPL,MSFT``.
    as_of
        The members of an index on this day, where they are recorded; by default those of today.

    Returns
    -------
    Universe
        ``symbols``, sorted; ``note`` says where they come from, ``whole`` whether members are missing.

    Raises
    ------
    UniverseError
        For an unknown name, naming the nearest, and for impossible symbols.

    Examples
    --------
    >>> import gnosis_ray as gr
    >>> gr.universe("brk-b,AAPL").symbols
    ('AAPL', 'BRK.B')
    >>> len(gr.universe("dow30").symbols)
    30
    """
    return load_universe(name, as_of)


def open_ledger(path: str | Location | None = None) -> LedgerStore:
    """Open a ledger that is there.

    Parameters
    ----------
    path
        A folder, or ``s3://bucket/prefix``. By default ``./ledger`` where it has a run, else ``./ledger-synthetic``
        where that has one.

    Returns
    -------
    LedgerStore
        ``runs()`` lists the runs, ``read(table, run)`` gives a Polars frame, ``stream(run)`` typed records.

    Raises
    ------
    LedgerError
        Where there is no folder.

    Examples
    --------
    >>> import gnosis_ray as gr
    >>> _ = gr.scan(symbols="AAPL", granularity="inline", out="ledger")
    >>> ledger = gr.open_ledger("ledger")
    >>> [record.symbol for record in ledger.stream("latest")]
    ['AAPL']
    """
    ledger = LedgerStore(ledger_to_read() if path is None else path)
    if isinstance(ledger.root, Path) and not ledger.root.is_dir():
        raise LedgerError(f"No ledger at {ledger.root}: gnosis_ray.scan(out=...) writes one")
    return ledger


def open_market(config: Config | None = None) -> MarketAdapter:
    """Open the market data of the configured provider, as engines and agents read it.

    Parameters
    ----------
    config
        The settings; by default those of :func:`load_config`. ``data.provider`` names the provider; of a vendor what
        was fetched before is read.

    Returns
    -------
    MarketAdapter
        Chains, bars, trades, quotes and news; nothing that became known after the moment asked for.

    Raises
    ------
    ConfigError
        For an unknown provider.
    DataError
        Where there is no store of market data.

    Examples
    --------
    >>> import gnosis_ray as gr
    >>> config = gr.load_config()
    >>> market = gr.open_market(config)
    >>> bars = market.fetch_ohlcv("AAPL", 60, config.data.synthetic.as_of)
    >>> bars.height, bars.columns[:4]
    (60, ['symbol', 'timestamp', 'known_at', 'open'])
    """
    settings = resolved_for_workers(load_config() if config is None else config)
    return build_adapter(settings, build_calendar(settings, live.TIME.now()))
