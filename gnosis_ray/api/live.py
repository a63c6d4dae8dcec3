"""The first half of a live run: fetch what it needs from vendors, with progress, and store it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime

from cluster.session import Session
from gnosis_ray.api.observer import RunObserver
from gnosis_ray.app.fetching import build_gateway, reference_symbols, response_cache_dir
from gnosis_ray.app.sources import data_dir
from gnosis_ray.charts.number_formats import plural
from gnosis_ray.clock import Stopwatch, SystemTime, Time
from gnosis_ray.config import Config
from gnosis_ray.errors import ConfigError
from gnosis_ray.schemas.run_schemas import RunManifest
from gnosis_ray.vendors.fetching import STORE, Fetched, fetch_and_store, fetch_requests, routes
from gnosis_ray.vendors.gateway import FetchProgress, FetchRequest, GatewayPort

TIME: Time = SystemTime()
"""The clock of runs: when they start and end, and of what is fetched, here and in the gateway's own process."""


def historical_config(config: Config, as_of: datetime | None) -> Config:
    """The settings for a run as of ``as_of``; only the store has data of the past.

    Vendors named for single kinds beside ``data.provider: store`` are then left out. Raises :class:`ConfigError` if
    the provider is a vendor: vendors only know the present.
    """
    if as_of is None:
        return config
    if config.data.provider == STORE:
        return config.replaced(data={"kinds": {}})
    if vendors := sorted(set(routes(config).values())):
        raise ConfigError(
            f"{', '.join(vendors)}: a vendor only has present data, and --as-of asks for {as_of.isoformat()}. "
            "What was fetched before is in the store: --provider store --as-of T"
        )
    return config


def requests_for(config: Config, symbols: Iterable[str]) -> list[FetchRequest]:
    """All that a run has to fetch, with what engines read beside its symbols; nothing where no vendor is named."""
    of = routes(config)
    return fetch_requests(of, symbols, reference_symbols(config)) if of else []


def fetched(
    manifest: RunManifest,
    config: Config,
    requests: Sequence[FetchRequest],
    session: Session | None,
    watch: Stopwatch,
    observer: RunObserver,
) -> RunManifest:
    """Fetch and store what a run needs, in an actor where there is Ray; the manifest as of the moment after."""
    with watch("fetch"), gateway_to(config, session, manifest.run_id) as gateway:
        done = fetch(config, requests, gateway, observer)
    answers = f"Fetched {plural(len(requests), 'answer')}, {done.reused:,} of them already cached"
    rows = f"{plural(sum(done.rows.values()), 'row')} new to the store {data_dir(config)}"
    observer.message(f"{answers}; {rows}", "note")
    changes = {"as_of": done.as_of, "run_date": done.as_of.date(), "traffic": done.traffic}
    return manifest.model_copy(update={**changes, "fetch_failures": done.failures(manifest.symbols)})


@contextmanager
def gateway_to(config: Config, session: Session | None, run: str) -> Iterator[GatewayPort]:
    """The gateway of a run: in an actor of the session, in this process where there is none."""
    if session is None:
        gateway = build_gateway(config, response_cache_dir(), TIME)
        try:
            yield gateway
        finally:
            gateway.close()
        return
    from actors.gateway import remote_gateway  # Ray takes most of a second to import: only where it is used

    with remote_gateway(session, config, response_cache_dir(), TIME, run) as remote:
        yield remote


def fetch(
    config: Config,
    wanted: Sequence[FetchRequest],
    gateway: GatewayPort,
    observer: RunObserver,
    fresh_since: datetime | None = None,
) -> Fetched:
    """Fetch and store, reporting progress; an interrupt reports what is kept. Errors as :func:`fetch_and_store`."""
    done = 0
    try:
        with observer.progress("fetching", len(wanted)) as step:

            def on_done(progress: FetchProgress) -> None:
                nonlocal done
                done = progress.done
                last = progress.last
                step("" if last is None else f"{last.request.symbol} {last.request.kind}", done, progress.total)

            return fetch_and_store(
                gateway,
                wanted,
                data_dir(config),
                config.run.batch_size,
                TIME,
                on_done,
                lambda kind, stored, total: step(f"storing {kind}: {stored} of {total}", len(wanted), len(wanted)),
                fresh_since,
            )
    except KeyboardInterrupt:
        observer.message(
            f"Fetched {done} of {plural(len(wanted), 'answer')}: they are kept; the same command continues from there."
        )
        raise
