"""The actor that fetches from vendors: a shell over the plain gateway, so that a run on Ray has a single gateway."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
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
from gnosis_ray.vendors.gateway.gateway import FetchProgress, FetchRequest, FetchResult, GatewayPort, OnDone

POLL_S = 0.2
"""Between two polls of the gateway's progress."""


class GatewayHost:
    """Hosts one gateway. It reads the vendors' keys itself, on its own machine: they are never sent to it."""

    def __init__(self, open_gateway: Callable[[], GatewayPort], run: str) -> None:
        """``open_gateway`` builds the gateway in this process; ``run``: the run that the log lines name."""
        write_lines(run)
        self._gateway = open_gateway()
        self._meter, self._ray_meter = TrafficMeter(), RayMeter()
        self._lock = threading.Lock()
        self._progress: list[FetchProgress] = []

    def fetch_all(self, requests: Sequence[FetchRequest], fresh_since: datetime | None) -> list[FetchResult]:
        """See :meth:`gnosis_ray.vendors.gateway.Gateway.fetch_all`."""
        return self._gateway.fetch_all(requests, self._note, fresh_since)

    def fetch(self, provider: str, kind: DataKind, symbols: Sequence[str], as_of: datetime) -> pa.Table:
        """See :meth:`gnosis_ray.vendors.gateway.Gateway.fetch`."""
        return self._gateway.fetch(provider, kind, symbols, as_of)

    def traffic(self) -> tuple[VendorTraffic, ...]:
        """See :meth:`gnosis_ray.vendors.gateway.Gateway.traffic`; also records the metrics."""
        traffic = self._gateway.traffic()
        with self._lock:
            self._ray_meter.record(self._meter.on_traffic(traffic))
        return traffic

    def new_progress(self) -> list[FetchProgress]:
        """What was done since the last call; answers while ``fetch_all`` works."""
        self.traffic()
        with self._lock:
            progress, self._progress = self._progress, []
        return progress

    def _note(self, progress: FetchProgress) -> None:
        with self._lock:
            self._progress.append(progress)


HEALTH = "health"
"""The concurrency group in which the gateway answers while it works."""

_remote: Any = ray.remote  # its type hints leave concurrency groups out

GatewayActor = _remote(num_cpus=0, max_restarts=0, max_task_retries=0, concurrency_groups={HEALTH: 1})(GatewayHost)


class RemoteGateway:
    """The :class:`~gnosis_ray.vendors.gateway.GatewayPort` to a gateway actor, whose errors arrive as raised there."""

    def __init__(self, actor: Any) -> None:
        self._actor = actor

    def fetch_all(
        self, requests: Iterable[FetchRequest], on_done: OnDone, fresh_since: datetime | None = None
    ) -> list[FetchResult]:
        """See :meth:`gnosis_ray.vendors.gateway.Gateway.fetch_all`."""
        ending = self._actor.fetch_all.remote(list(requests), fresh_since)
        finished = False
        while not finished:
            ready, _ = ray.wait([ending], timeout=POLL_S)
            finished = bool(ready)
            for progress in _result(self._actor.new_progress.options(concurrency_group=HEALTH).remote()):
                on_done(progress)
        results: list[FetchResult] = _result(ending)
        return results

    def fetch(self, provider: str, kind: DataKind, symbols: Sequence[str], as_of: datetime) -> pa.Table:
        """See :meth:`gnosis_ray.vendors.gateway.Gateway.fetch`."""
        return _result(self._actor.fetch.remote(provider, kind, list(symbols), as_of))

    def traffic(self) -> tuple[VendorTraffic, ...]:
        """See :meth:`gnosis_ray.vendors.gateway.Gateway.traffic`."""
        traffic: tuple[VendorTraffic, ...] = _result(self._actor.traffic.remote())
        return traffic


@contextmanager
def remote_gateway(session: Session, config: Config, cache_dir: Path, time: Time, run: str) -> Iterator[RemoteGateway]:
    """A gateway in an actor named ``gateway`` on this machine, which has the response cache and the keys.

    On a cluster its process has the environment that Ray was started with; only the home folder of this process, and
    with it the location of the key file, is passed on. Keys in this environment are not: Ray lists the variables that
    it sets for an actor.
    """
    session.check_open()
    here = NodeAffinitySchedulingStrategy(ray.get_runtime_context().get_node_id(), soft=False)
    namespace = f"gnosis-ray-{secrets.token_hex(8)}"
    environment = {} if session.local else {"GNOSIS_RAY_HOME": str(home())}
    actor = GatewayActor.options(
        name="gateway", namespace=namespace, scheduling_strategy=here, runtime_env={"env_vars": environment}
    ).remote(partial(build_gateway, config, cache_dir, time), run)
    try:
        yield RemoteGateway(actor)
    finally:
        ray.kill(actor)


def _result(reference: Any) -> Any:
    try:
        return ray.get(reference)
    except RayTaskError as error:
        if isinstance(error.cause, GnosisError):
            raise error.cause from None
        raise ClusterError(f"The gateway failed: {error.cause}") from error
    except RayActorError as error:
        raise ClusterError(f"The gateway's process ended: {error}") from error
