"""A scan from Python: the same run that ``gnosis-ray scan`` makes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, time
from typing import Any

from cluster.topology import Granularity
from gnosis_ray.api.cluster_options import ClusterOptions
from gnosis_ray.api.console_observer import ConsoleObserver, plain_console
from gnosis_ray.api.observer import RunObserver, SilentObserver
from gnosis_ray.api.plan import RunPlan
from gnosis_ray.api.reading import load_config
from gnosis_ray.api.recipes import SCAN_RUN
from gnosis_ray.api.run_flow import PreparedRun, prepare, prepare_resumed
from gnosis_ray.api.scan_result import ScanResult
from gnosis_ray.app.worker_config import resolved_for_workers
from gnosis_ray.config import Config
from gnosis_ray.config.market import FIRST_YEAR, LAST_YEAR
from gnosis_ray.errors import ConfigError
from gnosis_ray.schemas.core_schemas import to_utc
from gnosis_ray.schemas.expectations import was
from gnosis_ray.storage.location import Location, locate

DEFAULT_UNIVERSE = "sp500"

Moment = datetime | date | str


def scan(
    universe: str | None = None,
    *,
    symbols: str | Iterable[str] | None = None,
    provider: str | None = None,
    as_of: Moment | None = None,
    granularity: Granularity | None = None,
    out: str | Location | None = None,
    config: Config | None = None,
    settings: Mapping[str, Any] | None = None,
    address: str | None = None,
    resume: str | None = None,
    progress: bool = False,
) -> ScanResult:
    """Measure every symbol of a universe, take stances, propose costed trades, write everything to a ledger.

    Parameters
    ----------
    universe
        The name of a universe (``sp500`` where neither it nor ``symbols`` is given), of a sector of one
        (``sp500:energy``), or a file with one symbol a line.
    symbols
        Symbols instead of a universe: ``["AAPL", "MSFT"]`` or ``"AAPL,MSFT"``.
    provider
        Where market data comes from: ``synthetic``, ``store``, a vendor or a plug-in; the setting ``data.provider``.
    as_of
        Decide as of this moment, UTC where it is naive; a day is its start. By default the latest that is known.
    granularity
        What one Ray actor runs: ``component``, ``symbol``, ``shard`` or ``auto``; ``inline`` works without Ray.
    out
        Where the ledger is: a folder, or ``s3://bucket/prefix``; by default ``./ledger``, of synthetic runs
        ``./ledger-synthetic``. A run to resume is looked for in both.
    config
        The settings; by default those of :func:`load_config`.
    settings
        Changes to them, by dotted key: ``{"run.batch_size": 8}``.
    address
        ``HOST:PORT`` of a Ray cluster to join. By default a local Ray is started, and stopped at the end.
    resume
        Finish this interrupted run of the ledger, with its own symbols and settings.
    progress
        Show messages and progress bars on standard error; else nothing is printed.

    Returns
    -------
    ScanResult
        The tables of the run as Polars frames, and its receipt. Symbols that failed are in ``failures``.

    Raises
    ------
    ConfigError, UniverseError
        For what cannot be meant; nothing is written then.
    DataError
        Where the provider has no data at all.
    ClusterError
        Where Ray cannot be started, joined or kept alive. What was finished stays: ``resume`` goes on from there.

    Examples
    --------
    >>> import gnosis_ray as gr
    >>> result = gr.scan(symbols=["AAPL", "MSFT"], granularity="inline", out="ledger")
    >>> result.snapshots["symbol"].to_list()
    ['AAPL', 'MSFT']
    >>> result.receipt.status, result.receipt.synthetic
    ('done', True)
    """
    observer: RunObserver = ConsoleObserver(plain_console()) if progress else SilentObserver()
    overrides = _overrides(settings, provider, granularity)
    if resume is None:
        run = _prepared(universe, symbols, as_of, out, config, overrides, address, observer)
    else:
        _refuse_with_resume(universe=universe, symbols=symbols, as_of=as_of, provider=provider)
        today = _settings(config, overrides)
        run = prepare_resumed(SCAN_RUN, resume, today, None if out is None else locate(out), ClusterOptions(address))
    receipt = run.execute(observer)
    return ScanResult(run.store, receipt)


def plan_scan(
    universe: str | None = None,
    *,
    symbols: str | Iterable[str] | None = None,
    provider: str | None = None,
    as_of: Moment | None = None,
    granularity: Granularity | None = None,
    out: str | Location | None = None,
    config: Config | None = None,
    settings: Mapping[str, Any] | None = None,
    address: str | None = None,
) -> RunPlan:
    """Show what :func:`scan` would do with the same arguments. Starts, fetches and writes nothing.

    Parameters
    ----------
    universe, symbols, provider, as_of, granularity, out, config, settings, address
        As :func:`scan` takes them.

    Returns
    -------
    RunPlan
        Symbols, what would be fetched of whom and how long that takes, batches, actors and memory.

    Raises
    ------
    ConfigError, UniverseError, DataError
        As :func:`scan` does.
    ClusterError
        Where not one host fits the memory or the cores, or the cluster at ``address`` does not answer.

    Examples
    --------
    >>> import gnosis_ray as gr
    >>> plan = gr.plan_scan(symbols="AAPL,MSFT,XOM", granularity="inline", settings={"run.batch_size": 2})
    >>> plan.symbols, plan.batches, plan.actors
    (('AAPL', 'MSFT', 'XOM'), 2, 0)
    """
    silent = SilentObserver()
    overrides = _overrides(settings, provider, granularity)
    return _prepared(universe, symbols, as_of, out, config, overrides, address, silent).plan(silent)


def _prepared(
    universe: str | None,
    symbols: str | Iterable[str] | None,
    as_of: Moment | None,
    out: str | Location | None,
    config: Config | None,
    overrides: Mapping[str, Any],
    address: str | None,
    observer: RunObserver,
) -> PreparedRun:
    wanted, moment = _wanted(universe, symbols), None if as_of is None else _moment(as_of)
    settings, cluster = _settings(config, overrides), ClusterOptions(address)
    cluster.check(settings.run.granularity)
    return prepare(SCAN_RUN, wanted, settings, None if out is None else locate(out), cluster, observer, moment)


def _settings(config: Config | None, overrides: Mapping[str, Any]) -> Config:
    if config is None:
        return resolved_for_workers(load_config(settings=overrides))
    return resolved_for_workers(config.replaced(**_nested(overrides)))


def _overrides(
    settings: Mapping[str, Any] | None, provider: str | None, granularity: Granularity | None
) -> dict[str, Any]:
    own = {"data.provider": provider, "run.granularity": granularity}
    given: object = {} if settings is None else settings
    if not isinstance(given, Mapping) or not all(isinstance(key, str) for key in given):
        raise ConfigError(f"settings: Expected values by dotted key, as {{'run.batch_size': 8}}, was {was(given)}")
    return {**(settings or {}), **{key: value for key, value in own.items() if value is not None}}


def _nested(overrides: Mapping[str, Any]) -> dict[str, Any]:
    """Dotted keys as sections within sections."""
    nested: dict[str, Any] = {}
    for key, value in overrides.items():
        *sections, name = key.split(".")
        place = nested
        for section in sections:
            place[section] = dict(place.get(section, {}))
            place = place[section]
        place[name] = value
    return nested


def _wanted(universe: str | None, symbols: str | Iterable[str] | None) -> str:
    """What :func:`gnosis_ray.data.universe.load_universe` takes."""
    if universe is not None and symbols is not None:
        raise ConfigError("Expected a universe or symbols, was both")
    if symbols is None:
        return DEFAULT_UNIVERSE if universe is None else universe
    if not isinstance(symbols, Iterable) or not all(isinstance(symbol, str) for symbol in symbols):
        raise ConfigError(f"symbols: Expected symbols as text, such as ['AAPL', 'MSFT'], was {was(symbols)}")
    return f"{symbols if isinstance(symbols, str) else ','.join(symbols)},"


def _moment(as_of: Moment) -> datetime:
    try:
        when = datetime.fromisoformat(as_of) if isinstance(as_of, str) else as_of
    except ValueError as error:
        raise ConfigError(f"as_of: Expected a timestamp such as 2026-07-12T12:00:00Z, was {as_of!r}") from error
    if not isinstance(when, date):  # a datetime is one
        raise ConfigError(f"as_of: Expected a timestamp such as 2026-07-12T12:00:00Z, was {was(as_of)}")
    if not FIRST_YEAR <= when.year <= LAST_YEAR:
        raise ConfigError(f"as_of: Expected a moment of the years {FIRST_YEAR} to {LAST_YEAR}, was {as_of}")
    return to_utc(when) if isinstance(when, datetime) else datetime.combine(when, time(), UTC)


def _refuse_with_resume(**given: object) -> None:
    named = [name for name, value in given.items() if value is not None]
    if named:
        raise ConfigError(f"A resumed run keeps its own: drop {', '.join(named)}")
