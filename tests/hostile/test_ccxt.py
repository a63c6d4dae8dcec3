"""The same of an exchange through ccxt, in an environment of its own (``make test-ccxt``, ``make hostile``)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from types import MappingProxyType

import pytest

from gnosis_ray.config import Config
from gnosis_ray.errors import ProviderError
from gnosis_ray.schemas.core_schemas import DataKind
from gnosis_ray.vendors.gateway.vendor_client import VendorClient
from gnosis_ray.vendors.providers.base import ProviderRequest
from gnosis_ray.vendors.providers.ccxt_exchange import CcxtProvider
from tests.hostile.vendors import BOMBS, said
from tests.support.clocks import SimulatedTime
from tests.support.replay import ReplayRequest, ReplayResponse, serving
from tests.vendors.providers.test_ccxt import ASSETS, PAIR, trade

pytest.importorskip("ccxt", reason="ccxt is not installed: pip install 'gnosis-ray[ccxt]'")

SINCE = datetime(2024, 8, 5, tzinfo=UTC)
FIRST = int(SINCE.timestamp())


def exchange(harm: Callable[[ReplayRequest], ReplayResponse]) -> Callable[[ReplayRequest], ReplayResponse]:
    """Kraken, whose markets are as they are, and whose data are what harms."""

    def answer(ask: ReplayRequest) -> ReplayResponse:
        found = {"Assets": ASSETS, "AssetPairs": {"XXBTZUSD": PAIR}}.get(ask.path.removeprefix("/0/public/"))
        return harm(ask) if found is None else said({"error": [], "result": found})

    return answer


def endless(ask: ReplayRequest) -> ReplayResponse:
    """Two trades a millisecond after those asked for, for ever."""
    since = float(ask.query.get("since", FIRST))
    trades = [trade(since - FIRST + 1 + step, 54000.0, "b", int(since * 10) + step) for step in range(2)]
    return said({"error": [], "result": {"XXBTZUSD": trades, "last": "1"}})


def failing(
    harm: Callable[[ReplayRequest], ReplayResponse],
    config: Config,
    clock: SimulatedTime,
    kind: DataKind = "trades",
    gateway: Mapping[str, object] = MappingProxyType({}),
) -> tuple[str, int]:
    """What the error says, and how many requests there were."""
    with serving(exchange(harm)) as server:
        settings = config.providers.ccxt.replaced(base_url=server.url, requests_per_minute=300.0)
        client = VendorClient("ccxt", settings, config.gateway.replaced(**gateway), clock)
        provider = CcxtProvider(settings, client)
        asked = ProviderRequest(kind, "BTC-USD", SINCE, SINCE + timedelta(days=3000))
        with client.fetching(5), pytest.raises(ProviderError) as told:
            provider.fetch(asked)
        return str(told.value), len(server.asked())


@pytest.mark.timeout(60)
@pytest.mark.parametrize(
    ("limits", "told"),
    [
        ({"deadline_s": 5.0}, "gateway.deadline_s"),
        ({"max_requests": 20}, "gateway.max_requests"),
        ({"max_rows": 20}, "gateway.max_rows"),
    ],
)
def test_pages_without_end_end(limits: dict[str, object], told: str, config: Config) -> None:
    clock = SimulatedTime()
    message, requests = failing(endless, config, clock, gateway=limits)
    assert told in message
    assert requests < 60
    assert clock.seconds() < 5.0 + 5 * 0.2 + 1.0


@pytest.mark.parametrize("bomb", BOMBS)
def test_a_bomb_is_left(bomb: str, config: Config) -> None:
    made = BOMBS[bomb]()
    message, _ = failing(lambda _: made, config, SimulatedTime(), "quotes", {"attempts": 1})
    assert "providers.ccxt.max_answer_mib" in message or "Expected gzip, once" in message


@pytest.mark.parametrize("status", [301, 302, 307])
def test_no_exchange_leaves_its_hosts(status: int, config: Config) -> None:
    with serving(lambda _: ReplayResponse(404)) as elsewhere:
        to = elsewhere.url.replace("127.0.0.1", "localhost")
        moved = ReplayResponse(status, headers={"Location": f"{to}/v1/anything"})
        message, _ = failing(lambda _: moved, config, SimulatedTime(), "quotes")
        assert elsewhere.asked() == []
    assert "localhost, which is not followed" in message


def test_an_exchange_is_asked_at_the_hosts_that_ccxt_knows(config: Config) -> None:
    client = VendorClient("ccxt", config.providers.ccxt, config.gateway, SimulatedTime())
    session = CcxtProvider(config.providers.ccxt, client)._exchange.session
    for url in ("https://elsewhere.example/x", "http://api.kraken.com/0/public/Time", "file:///etc/passwd"):
        with pytest.raises(ProviderError, match=r"https address at .*api\.kraken\.com"):
            session.request("GET", url)
