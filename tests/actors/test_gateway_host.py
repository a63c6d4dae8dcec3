"""The gateway's actor and its remote port over a fake gateway, without Ray and without vendors."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from ray.exceptions import ActorDiedError

from actors.gateway import GatewayHost, RemoteGateway, remote_gateway
from cluster.session import Session
from gnosis_ray.clock import SystemTime
from gnosis_ray.config import Config, home
from gnosis_ray.errors import ClusterError, ConfigError
from gnosis_ray.schemas.core_schemas import DataKind
from gnosis_ray.schemas.run_schemas import VendorTraffic
from gnosis_ray.vendors.gateway import FetchProgress, FetchRequest, FetchResult
from gnosis_ray.vendors.gateway.gateway import OnDone
from tests.actors.fake_ray import PENDING, FakeActorClass, FakeRay

NOW = datetime(2026, 7, 10, 20, tzinfo=UTC)
BEFORE = NOW - timedelta(minutes=5)
REQUESTS = [FetchRequest("cboe", "chains", symbol) for symbol in ("AAPL", "MSFT")]


class FakeGateway:
    """Fetches at once; news is refused, and quotes break it."""

    def __init__(self) -> None:
        self.requests = 0
        self.since: list[datetime | None] = []

    def fetch_all(
        self, requests: Iterable[FetchRequest], on_done: OnDone, fresh_since: datetime | None = None
    ) -> list[FetchResult]:
        results = [FetchResult(request) for request in requests]
        self.since.append(fresh_since)
        for done, result in enumerate(results, 1):
            self.requests += 1
            on_done(FetchProgress(done, len(results), result))
        return results

    def fetch(
        self,
        provider: str,
        kind: DataKind,
        symbols: Sequence[str],
        as_of: datetime,
        fresh_since: datetime | None = None,
    ) -> pa.Table:
        if kind == "news":
            raise ConfigError(f"{provider} does not give news")
        if kind == "bars":
            raise ZeroDivisionError("no luck")
        return pa.table({"symbol": list(symbols), "as_of": [as_of] * len(symbols)})

    def traffic(self) -> tuple[VendorTraffic, ...]:
        return (VendorTraffic(vendor="cboe", requests=self.requests),)


@pytest.fixture
def recorded(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The figures that reach Ray's metrics."""
    values: list[float] = []
    monkeypatch.setattr(
        "actors.metering.RayMeter.record", lambda _, observations: values.extend(each.value for each in observations)
    )
    return values


@pytest.fixture
def remote(fake_ray: FakeRay, recorded: list[float]) -> RemoteGateway:
    actor = FakeActorClass(fake_ray, GatewayHost).options(name="gateway").remote(FakeGateway, "run-7")
    return RemoteGateway(Session(None), actor, BEFORE)


def test_progress_is_given_once_and_in_order(fake_ray: FakeRay, recorded: list[float]) -> None:
    host = GatewayHost(FakeGateway, "run-7")
    assert fake_ray.runs == ["run-7"]
    assert host.new_progress()[0] == []
    assert [result.request for result in host.fetch_all(REQUESTS, NOW)] == REQUESTS
    assert [(each.done, each.total) for each in host.new_progress()[0]] == [(1, 2), (2, 2)]
    assert host.new_progress()[0] == []


def test_traffic_is_recorded_by_what_it_grew(fake_ray: FakeRay, recorded: list[float]) -> None:
    host = GatewayHost(FakeGateway, "run-7")
    host.fetch_all(REQUESTS, None)
    host.traffic()
    host.traffic()
    host.fetch_all(REQUESTS[:1], None)
    assert host.traffic().vendors == (VendorTraffic(vendor="cboe", requests=3),)
    assert recorded == [2.0, 1.0]


def test_a_remote_gateway_answers_as_its_host_does(remote: RemoteGateway) -> None:
    seen: list[FetchProgress] = []
    results = remote.fetch_all(iter(REQUESTS), seen.append, NOW)
    assert results == [FetchResult(request) for request in REQUESTS]
    assert [each.done for each in seen] == [1, 2]
    assert remote.fetch("cboe", "chains", ("AAPL",), NOW).to_pylist() == [{"symbol": "AAPL", "as_of": NOW}]
    assert remote.traffic() == (VendorTraffic(vendor="cboe", requests=2),)


def test_the_age_limit_of_cached_responses_is_passed_on(remote: RemoteGateway) -> None:
    """Fixed here: a gateway in the place of one that died reuses what that one has fetched, however long ago."""
    remote.fetch_all(REQUESTS, lambda _: None)
    remote.fetch_all(REQUESTS, lambda _: None, NOW)
    actor: Any = remote._actor
    assert actor.instance._gateway.since == [BEFORE, NOW]


def test_the_traffic_of_a_gateway_that_died_is_kept(remote: RemoteGateway) -> None:
    remote.fetch_all(REQUESTS, lambda _: None)
    actor: Any = remote._actor
    actor.instance = GatewayHost(FakeGateway, "run-7")
    remote.fetch_all(REQUESTS[:1], lambda _: None)
    assert remote.traffic() == (VendorTraffic(vendor="cboe", requests=3),)


def test_a_gateway_that_waits_notices_that_ray_is_gone(fake_ray: FakeRay, remote: RemoteGateway) -> None:
    fake_ray.errors["gateway", "traffic"] = [PENDING]
    session: Any = remote._session
    session.watch.ended = lambda: "raylet"
    with pytest.raises(ClusterError, match="its process raylet has ended"):
        remote.traffic()


def test_typed_errors_arrive_as_raised_and_others_as_cluster_errors(remote: RemoteGateway) -> None:
    with pytest.raises(ConfigError, match="does not give news") as caught:
        remote.fetch("cboe", "news", ("AAPL",), NOW)
    assert type(caught.value) is ConfigError
    with pytest.raises(ClusterError, match="The gateway failed: no luck"):
        remote.fetch("cboe", "bars", ("AAPL",), NOW)


def test_a_gateway_whose_process_ended_is_a_cluster_error(fake_ray: FakeRay, remote: RemoteGateway) -> None:
    fake_ray.errors["gateway", "fetch_all"] = [ActorDiedError()]
    with pytest.raises(ClusterError, match=r"The gateway's process ended.*the same command goes on"):
        remote.fetch_all(REQUESTS, lambda _: None)


@pytest.mark.parametrize("address", [None, "head:6379"])
def test_only_a_cluster_is_given_the_home_folder_and_nothing_else(
    fake_ray: FakeRay, config: Config, tmp_path: Path, address: str | None
) -> None:
    with remote_gateway(Session(address), config, tmp_path, SystemTime(), "run-7"):
        (actor,) = fake_ray.started
        environment = {} if address is None else {"GNOSIS_RAY_HOME": str(home())}
        assert actor.options["runtime_env"] == {"env_vars": environment}


def test_the_gateway_ends_with_its_block_even_after_an_interrupt(
    fake_ray: FakeRay, config: Config, tmp_path: Path
) -> None:
    gateway = remote_gateway(Session(None), config, tmp_path, SystemTime(), "run-7")
    gateway.__enter__()
    assert fake_ray.killed == []
    swallowed = gateway.__exit__(KeyboardInterrupt, KeyboardInterrupt(), None)
    assert not swallowed
    assert fake_ray.killed == ["gateway"]
