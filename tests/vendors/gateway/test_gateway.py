"""The gateway: each thing asked once, the same rows whatever the order, dead vendors bounded, the future dropped."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from time import perf_counter

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import SecretStr

from gnosis_ray.clock import SystemTime
from gnosis_ray.config import Config
from gnosis_ray.errors import ConfigError, DataError, ProviderError, TransientError
from gnosis_ray.redaction import never_show
from gnosis_ray.vendors.gateway import FetchProgress, FetchRequest, FetchResult
from gnosis_ray.vendors.providers.base import ProviderRequest
from tests.support.clocks import SimulatedTime
from tests.vendors.gateway.fake_vendor import DAY, FakeVendorGateway, bars, chain

SYMBOLS = [f"S{number:02d}" for number in range(30)]


def chains_of(*symbols: str) -> list[FetchRequest]:
    return [FetchRequest("cboe", "chains", symbol) for symbol in symbols]


def silent(_progress: FetchProgress) -> None:
    """Hears it, says nothing."""


def failed(results: list[FetchResult]) -> dict[str, str]:
    return {each.request.symbol: each.failure.message for each in results if each.failure is not None}


@pytest.fixture
def fake(config: Config, tmp_path: Path) -> FakeVendorGateway:
    return FakeVendorGateway(config, tmp_path)


def test_what_is_fetched_is_handed_out_as_of_one_moment(fake: FakeVendorGateway) -> None:
    told: list[FetchProgress] = []
    began = fake.now()
    results = fake.gateway.fetch_all([*chains_of("B", "A"), FetchRequest("cboe", "bars", "A")], told.append)
    assert [each.request.symbol for each in results] == ["A", "A", "B"]
    assert failed(results) == {}
    assert [(each.done, each.total) for each in told] == [(1, 3), (2, 3), (3, 3)]
    as_of = fake.now() + timedelta(seconds=1)
    rows = pl.DataFrame(pl.from_arrow(fake.gateway.fetch("cboe", "chains", ["B", "A"], as_of)))
    assert rows["symbol"].to_list() == ["A", "A", "B", "B"]
    assert rows["strike"].to_list() == [95.0, 105.0, 95.0, 105.0]
    assert rows["known_at"].unique().to_list() == [as_of]
    assert all(began <= moment <= as_of for moment in rows["fetched_at"])
    (traffic,) = fake.gateway.traffic()
    assert (traffic.requests, traffic.rows, traffic.failures) == (3, 4, 0)


@settings(max_examples=10, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(wishes=st.lists(st.lists(st.sampled_from(SYMBOLS), min_size=1), min_size=1, max_size=6), data=st.data())
def test_each_thing_is_asked_once_whatever_the_order_of_callers(
    config: Config, tmp_path_factory: pytest.TempPathFactory, wishes: list[list[str]], data: st.DataObject
) -> None:
    fake = FakeVendorGateway(config, tmp_path_factory.mktemp("responses"), vendor={"requests_per_minute": 60000.0})
    requests = [data.draw(st.permutations(chains_of(*wish))) for wish in wishes]
    threads = [threading.Thread(target=fake.gateway.fetch_all, args=(mine, silent)) for mine in requests]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    wanted = {symbol for wish in wishes for symbol in wish}
    assert fake.asked == {("chains", symbol): 1 for symbol in wanted}
    (traffic,) = fake.gateway.traffic()
    assert traffic.requests == len(wanted)
    assert traffic.coalesced + traffic.reused == sum(len(set(wish)) for wish in wishes) - len(wanted)


def test_the_order_in_which_answers_come_changes_no_row(config: Config, tmp_path: Path) -> None:
    def rows(name: str, jitter: int) -> pl.DataFrame:
        def dawdle(request: ProviderRequest, tries: int) -> None:
            threading.Event().wait(hash((request.symbol, jitter)) % 7 / 2000)

        fake = FakeVendorGateway(config, tmp_path / name, dawdle, SimulatedTime(), vendor={"requests_per_minute": 6e4})
        fake.gateway.fetch_all(chains_of(*SYMBOLS), silent)
        table = fake.gateway.fetch("cboe", "chains", SYMBOLS, fake.now() + timedelta(minutes=5))
        return pl.DataFrame(pl.from_arrow(table)).drop("event_time", "known_at", "fetched_at")

    assert rows("one", 1).equals(rows("two", 2))


def test_what_is_young_enough_is_not_asked_again(fake: FakeVendorGateway, config: Config) -> None:
    fake.gateway.fetch_all(chains_of("A", "B"), silent)
    second = fake.another()
    results = second.fetch_all(chains_of("A", "B", "C"), silent)
    assert [each.reused for each in results] == [True, True, False]
    assert fake.asked.total() == 3
    assert second.traffic()[0].reused == 2
    assert isinstance(fake.time, SimulatedTime)
    fake.time.sleep(config.gateway.reuse_s + 1)
    fake.another().fetch_all(chains_of("A"), silent)
    assert fake.asked["chains", "A"] == 2
    fake.another().fetch_all(chains_of("A"), silent, fresh_since=fake.now() + timedelta(seconds=1))
    assert fake.asked["chains", "A"] == 3


def test_an_answer_that_does_not_go_back_far_enough_is_asked_for_again(fake: FakeVendorGateway) -> None:
    wanted = [FetchRequest("cboe", "bars", "A")]
    fake.gateway.fetch_all(wanted, silent)
    assert fake.another(3 * DAY).fetch_all(wanted, silent)[0].reused
    assert not fake.another(9 * DAY).fetch_all(wanted, silent)[0].reused


def test_an_answer_that_cannot_be_read_is_asked_for_again(fake: FakeVendorGateway, tmp_path: Path) -> None:
    fake.gateway.fetch_all(chains_of("A"), silent)
    (path,) = tmp_path.rglob("*.parquet")
    path.write_bytes(path.read_bytes()[:100])
    (result,) = fake.another().fetch_all(chains_of("A"), silent)
    assert (result.reused, result.failure) == (False, None)


def test_no_half_written_answer_lies_about(fake: FakeVendorGateway, tmp_path: Path) -> None:
    fake.gateway.fetch_all(chains_of(*SYMBOLS), silent)
    assert {path.suffix for path in tmp_path.rglob("*") if path.is_file()} == {".parquet"}


def test_a_failure_is_one_symbols_alone(config: Config, tmp_path: Path) -> None:
    def on_request(request: ProviderRequest, tries: int) -> None:
        if request.symbol == "S03":
            raise ProviderError("refused", symbol=request.symbol)
        if request.symbol == "S05":
            raise ZeroDivisionError("a bug of the provider")

    fake = FakeVendorGateway(config, tmp_path, on_request)
    results = fake.gateway.fetch_all(chains_of(*SYMBOLS, "NONE"), silent)
    assert set(failed(results)) == {"S03", "S05", "NONE"}
    named = {each.failure.symbol: (each.failure.stage, each.failure.error) for each in results if each.failure}
    assert named["NONE"] == ("fetch.chains", "NoDataError")
    assert named["S05"] == ("fetch.chains", "ZeroDivisionError")
    rows = fake.gateway.fetch("cboe", "chains", [*SYMBOLS, "NONE"], fake.now() + timedelta(seconds=1))
    assert len(set(rows["symbol"].to_pylist())) == len(SYMBOLS) - 2
    assert fake.gateway.traffic()[0].failures == 3


@pytest.mark.parametrize("kind_of_error", [ProviderError, ValueError])
def test_no_failure_repeats_a_key_whoever_wrote_its_text(
    config: Config, tmp_path: Path, kind_of_error: type[Exception]
) -> None:
    key = "1c0fNOTREALleakme77"
    never_show(SecretStr(key))

    def careless(request: ProviderRequest, tries: int) -> None:
        raise kind_of_error(f"unknown customer {key}")

    results = FakeVendorGateway(config, tmp_path, careless).gateway.fetch_all(chains_of(*SYMBOLS), silent)
    assert all("unknown customer ***REDACTED***" in message for message in failed(results).values())
    assert not [message for message in failed(results).values() if key in message]


def test_a_dead_vendor_fails_for_all_soon_and_by_name(config: Config, tmp_path: Path) -> None:
    def dead(request: ProviderRequest, tries: int) -> None:
        raise TransientError("refused the connection", cause="ConnectError")

    fake = FakeVendorGateway(config, tmp_path, dead)
    results = fake.gateway.fetch_all(chains_of(*SYMBOLS), silent)
    assert set(failed(results)) == set(SYMBOLS)
    assert any("taken to be down" in message for message in failed(results).values())
    (traffic,) = fake.gateway.traffic()
    vendor, settings = config.providers.cboe, config.gateway
    assert traffic.requests <= (settings.breaker_failures + vendor.max_in_flight) * settings.attempts
    assert traffic.breaker_openings == 1
    assert isinstance(fake.time, SimulatedTime)
    assert fake.time.seconds() < 200.0


@pytest.fixture
def released() -> Iterator[threading.Event]:
    """Lets hung requests go in the end."""
    event = threading.Event()
    yield event
    event.set()


def test_a_hung_vendor_ends_within_the_deadline(config: Config, tmp_path: Path, released: threading.Event) -> None:
    def hang(request: ProviderRequest, tries: int) -> None:
        if request.symbol != "S00":
            released.wait(30.0)

    hasty = {"deadline_s": 0.3}
    fake = FakeVendorGateway(config, tmp_path, hang, SystemTime(), vendor={"requests_per_minute": 6e4}, gateway=hasty)
    began = perf_counter()
    results = fake.gateway.fetch_all(chains_of(*SYMBOLS), silent)
    assert perf_counter() - began < 2.0
    assert set(failed(results)) == set(SYMBOLS) - {"S00"}
    assert "did not answer in time" in failed(results)["S01"]
    assert sum(count for (_, symbol), count in fake.asked.items()) <= 1 + config.providers.cboe.max_in_flight


def test_after_a_hung_gather_the_vendor_is_asked_anew(
    config: Config, tmp_path: Path, released: threading.Event
) -> None:
    def hang(request: ProviderRequest, tries: int) -> None:
        if not tries:
            released.wait(30.0)

    hasty = {"deadline_s": 0.3}
    fake = FakeVendorGateway(config, tmp_path, hang, SystemTime(), vendor={"requests_per_minute": 6e4}, gateway=hasty)
    requests = chains_of("A", "B", "C", "D")
    assert len(failed(fake.gateway.fetch_all(requests, silent))) == 4
    assert failed(fake.gateway.fetch_all(requests, silent)) == {}


def test_each_gather_has_the_whole_deadline(fake: FakeVendorGateway, config: Config) -> None:
    fake.gateway.fetch_all(chains_of("A"), silent)
    assert isinstance(fake.time, SimulatedTime)
    fake.time.sleep(config.gateway.deadline_s + 60.0)
    assert failed(fake.gateway.fetch_all(chains_of("B"), silent)) == {}


def test_events_after_the_moment_are_dropped_and_counted(config: Config, tmp_path: Path) -> None:
    fake = FakeVendorGateway(config, tmp_path, after=timedelta(minutes=3))
    fake.gateway.fetch_all(chains_of("A"), silent)
    early = fake.gateway.fetch("cboe", "chains", ["A"], fake.now() + timedelta(minutes=1))
    assert (early.num_rows, fake.gateway.traffic()[0].dropped_after_as_of) == (0, 2)
    late = fake.gateway.fetch("cboe", "chains", ["A"], fake.now() + timedelta(minutes=4))
    assert late.num_rows == 2


def test_a_bar_of_a_session_that_was_trading_is_never_one(config: Config, tmp_path: Path) -> None:
    """However late the moment: what was fetched before the close was not the day's bar."""
    fake = FakeVendorGateway(config, tmp_path)
    fake.gateway.fetch_all([FetchRequest("cboe", "bars", "A")], silent)  # at 20:00:01: that day's bar is whole
    assert isinstance(fake.time, SimulatedTime)
    rows = fake.gateway.fetch("cboe", "bars", ["A"], fake.now() + timedelta(seconds=1))
    assert rows.num_rows == 6
    fake.time.sleep(23 * 3600)  # 19:00 the next day
    again = fake.another()
    again.fetch_all([FetchRequest("cboe", "bars", "A")], silent)
    rows = again.fetch("cboe", "bars", ["A"], fake.now() + timedelta(hours=5))
    assert max(rows["timestamp"].to_pylist()) <= fake.now()
    assert again.traffic()[0].dropped_after_as_of == 1


def test_nobody_knew_at_an_earlier_moment_what_was_fetched_later(fake: FakeVendorGateway) -> None:
    fake.gateway.fetch_all(chains_of("A"), silent)
    with pytest.raises(DataError, match="a vendor tells the present only"):
        fake.gateway.fetch("cboe", "chains", ["A"], fake.now() - timedelta(minutes=1))


def test_fetch_asks_for_what_nobody_asked_for_before(fake: FakeVendorGateway) -> None:
    rows = fake.gateway.fetch("cboe", "chains", ["A", "NONE"], fake.now() + timedelta(minutes=1))
    assert set(rows["symbol"].to_pylist()) == {"A"}
    fake.gateway.fetch("cboe", "chains", ["A", "NONE"], fake.now() + timedelta(minutes=1))
    assert fake.asked.total() == 2


def test_a_kind_that_the_vendor_does_not_give_is_refused_before_anything_is_asked(fake: FakeVendorGateway) -> None:
    with pytest.raises(ConfigError, match="cboe does not give news: it gives bars, chains"):
        fake.gateway.fetch_all([FetchRequest("cboe", "news", "A"), *chains_of("B")], silent)
    assert fake.asked.total() == 0


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        (lambda r: chain(r).drop("bid"), "column bid"),
        (lambda r: chain(r).with_columns(symbol=pl.lit("OTHER")), "Expected rows of A, found OTHER"),
        (lambda r: chain(r).with_columns(bid=pl.lit(float("nan"))), "bid"),
        (lambda r: pl.concat([chain(r), chain(r).with_columns(bid=pl.lit(7.0))]), "two rows for"),
        (lambda r: bars(r).with_columns(timestamp=None), "event_time"),
    ],
)
def test_answers_of_another_shape_fail_for_their_symbol(
    config: Config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, wrong: object, told: str
) -> None:
    monkeypatch.setattr("tests.vendors.gateway.fake_vendor.chain", lambda request, _after: wrong(request))  # type: ignore[operator]
    fake = FakeVendorGateway(config, tmp_path)
    message = failed(fake.gateway.fetch_all(chains_of("A"), silent))["A"]
    assert told in message
    assert not list(tmp_path.rglob("*.parquet"))


def test_an_interrupt_stops_asking_and_keeps_what_came(config: Config, tmp_path: Path) -> None:
    fake = FakeVendorGateway(config, tmp_path, vendor={"max_in_flight": 1})

    def interrupt(progress: FetchProgress) -> None:
        if progress.done == 5:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fake.gateway.fetch_all(chains_of(*SYMBOLS), interrupt)
    fake.gateway.close()
    kept = fake.another().fetch_all(chains_of(*SYMBOLS), silent)
    assert sum(each.reused for each in kept) >= 5
    assert fake.asked.total() <= len(SYMBOLS) + 1
