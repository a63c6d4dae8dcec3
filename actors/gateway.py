"""The actor that fetches from vendors: a shell over the plain gateway, so that a run on Ray has a single gateway."""

from __future__ import annotations

import logging
import secrets
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow as pa
import ray
from ray.exceptions import RayActorError, RayTaskError
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from actors.metering import RayMeter
from cluster.session import Session
from gnosis_ray.app.fetching import build_gateway
from gnosis_ray.clock import Time
from gnosis_ray.config import Config, home
from gnosis_ray.errors import ClusterError, GnosisError
from gnosis_ray.monitoring.log_lines import write_lines
from gnosis_ray.monitoring.traffic_meter import TrafficMeter
from gnosis_ray.schemas.core_schemas import DataKind
from gnosis_ray.schemas.run_schemas import VendorTraffic
from gnosis_ray.security.handover import keys_given, receive_keys
from gnosis_ray.vendors.gateway.gateway import FetchProgress, FetchRequest, FetchResult, GatewayPort, OnDone

logger = logging.getLogger(__name__)

POLL_S = 0.2
"""Between two polls of the gateway's progress."""


LOST = "What was fetched is kept: the same command goes on from there."


@dataclass(frozen=True)
class GatewayTraffic:
    """The traffic of one life of a gateway: one that died is started anew and counts from zero."""

    life: str
    vendors: tuple[VendorTraffic, ...]


class GatewayHost:
    """Hosts one gateway, whose calls are idempotent: what was fetched before is found in the response cache."""

    def __init__(self, open_gateway: Callable[[], GatewayPort], run: str) -> None:
        """``open_gateway`` builds the gateway in this process; ``run``: the run that the log lines name."""
        write_lines(run)
        self._life = secrets.token_hex(8)
        self._gateway = open_gateway()
        self._meter, self._ray_meter = TrafficMeter(), RayMeter()
        self._lock = threading.Lock()
        self._progress: list[FetchProgress] = []

    def fetch_all(self, requests: Sequence[FetchRequest], fresh_since: datetime | None) -> list[FetchResult]:
        """See :meth:`gnosis_ray.vendors.gateway.Gateway.fetch_all`."""
        return self._gateway.fetch_all(requests, self._note, fresh_since)

    def fetch(
        self, provider: str, kind: DataKind, symbols: Sequence[str], as_of: datetime, fresh_since: datetime | None
    ) -> pa.Table:
        """See :meth:`gnosis_ray.vendors.gateway.Gateway.fetch`."""
        return self._gateway.fetch(provider, kind, symbols, as_of, fresh_since)

    def traffic(self) -> GatewayTraffic:
        """See :meth:`gnosis_ray.vendors.gateway.Gateway.traffic`; also records the metrics."""
        traffic = self._gateway.traffic()
        with self._lock:
            self._ray_meter.record(self._meter.on_traffic(traffic))
        return GatewayTraffic(self._life, traffic)

    def new_progress(self) -> tuple[list[FetchProgress], GatewayTraffic]:
        """What was done since the last call; answers while ``fetch_all`` works."""
        traffic = self.traffic()
        with self._lock:
            progress, self._progress = self._progress, []
        return progress, traffic

    def _note(self, progress: FetchProgress) -> None:
        with self._lock:
            self._progress.append(progress)


HEALTH = "health"
"""The concurrency group in which the gateway answers while it works."""

_remote: Any = ray.remote  # its type hints leave concurrency groups out

GatewayActor = _remote(num_cpus=0, concurrency_groups={HEALTH: 1})(GatewayHost)


class RemoteGateway:
    """The :class:`~gnosis_ray.vendors.gateway.GatewayPort` to a gateway actor, whose errors arrive as raised there."""

    def __init__(self, session: Session, actor: Any, reusable_since: datetime) -> None:
        """``reusable_since``: responses cached since then are reused where a call does not say, by every life."""
        self._session = session
        self._actor = actor
        self._fresh_since = reusable_since
        self._lives: dict[str, tuple[VendorTraffic, ...]] = {}

    def fetch_all(
        self, requests: Iterable[FetchRequest], on_done: OnDone, fresh_since: datetime | None = None
    ) -> list[FetchResult]:
        """See :meth:`gnosis_ray.vendors.gateway.Gateway.fetch_all`; progress starts anew with another life."""
        self._fresh_since = fresh_since or self._fresh_since
        ending = self._actor.fetch_all.remote(list(requests), self._fresh_since)
        finished = False
        while not finished:
            ready, _ = ray.wait([ending], timeout=POLL_S)
            finished = bool(ready)
            done, traffic = self._result(self._actor.new_progress.options(concurrency_group=HEALTH).remote())
            self._note(traffic)
            for progress in done:
                on_done(progress)
        results: list[FetchResult] = self._result(ending)
        return results

    def fetch(
        self,
        provider: str,
        kind: DataKind,
        symbols: Sequence[str],
        as_of: datetime,
        fresh_since: datetime | None = None,
    ) -> pa.Table:
        """See :meth:`gnosis_ray.vendors.gateway.Gateway.fetch`; another life finds in the cache what was fetched."""
        since = fresh_since or self._fresh_since
        return self._result(self._actor.fetch.remote(provider, kind, list(symbols), as_of, since))

    def traffic(self) -> tuple[VendorTraffic, ...]:
        """The traffic of all lives, of one that died as it was at most :data:`POLL_S` before, one entry per vendor."""
        self._note(self._result(self._actor.traffic.remote()))
        return _summed(vendor for vendors in self._lives.values() for vendor in vendors)

    def _note(self, traffic: GatewayTraffic) -> None:
        if traffic.life not in self._lives and self._lives:
            logger.warning("the gateway's process died: another goes on with what was fetched")
        self._lives[traffic.life] = traffic.vendors

    def _result(self, reference: Any) -> Any:
        try:
            while not ray.wait([reference], timeout=POLL_S)[0]:
                self._session.check_open()
            return ray.get(reference)
        except RayTaskError as error:
            if isinstance(error.cause, GnosisError):
                raise error.cause from None
            raise ClusterError(f"The gateway failed: {error.cause}. {LOST}") from error
        except RayActorError as error:
            self._session.check_open()
            raise ClusterError(f"The gateway's process ended, and so did those in its place. {LOST}") from error


@contextmanager
def remote_gateway(session: Session, config: Config, cache_dir: Path, time: Time, run: str) -> Iterator[RemoteGateway]:
    """A gateway in an actor named ``gateway`` on this machine, which has the response cache and the key file.

    Keys in the environment of this process are given to it over a socket in the session's private folder: Ray lists
    the arguments and the variables that it is given for an actor. On a cluster its process has the environment that Ray
    was started with, and is told the home folder of this process, and with it the location of the key file.

    If it dies it is started anew, ``run.max_attempts`` times, and its calls are made once more.
    """
    session.check_open()
    here = NodeAffinitySchedulingStrategy(ray.get_runtime_context().get_node_id(), soft=False)
    environment = {} if session.local else {"GNOSIS_RAY_HOME": str(home())}
    options = {
        "name": "gateway",
        "namespace": f"gnosis-ray-{secrets.token_hex(8)}",
        "scheduling_strategy": here,
        "runtime_env": {"env_vars": environment},
        "max_restarts": config.run.max_attempts,
        "max_task_retries": config.run.max_attempts,
    }
    with ExitStack() as stack:
        keys = None if session.folder is None else stack.enter_context(keys_given(session.folder))
        actor = GatewayActor.options(**options).remote(partial(_open, config, cache_dir, time, keys), run)
        try:
            yield RemoteGateway(session, actor, time.now() - timedelta(seconds=config.gateway.reuse_s))
        finally:
            if session.watch.ended() is None:  # else it ends with Ray
                ray.kill(actor)


def _open(config: Config, cache_dir: Path, time: Time, keys: Path | None) -> GatewayPort:
    """The gateway, in the actor's process."""
    if keys is not None:
        receive_keys(keys)
    return build_gateway(config, cache_dir, time)


def _summed(traffic: Iterable[VendorTraffic]) -> tuple[VendorTraffic, ...]:
    """One entry per vendor, sorted."""
    totals: dict[str, Counter[str]] = {}
    for each in traffic:
        totals.setdefault(each.vendor, Counter()).update(each.model_dump(exclude={"vendor"}))
    return tuple(VendorTraffic(vendor=vendor, **totals[vendor]) for vendor in sorted(totals))
