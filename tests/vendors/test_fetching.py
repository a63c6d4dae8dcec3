"""Which vendor is asked for what, how far back, how long it takes; and that what is stored is known at one moment."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path

import polars as pl
import pytest

from gnosis_ray.config import VENDORS, Config, load_config
from gnosis_ray.data.store import StoreSource
from gnosis_ray.errors import ConfigError
from gnosis_ray.market.data_requirements import DataRequirements, ReferenceData
from gnosis_ray.market.keys import keys_at
from gnosis_ray.schemas.core_schemas import DataKind
from gnosis_ray.vendors import fetching
from gnosis_ray.vendors.fetching import fetch_and_store, fetch_requests, label, plan, routes, windows
from gnosis_ray.vendors.gateway import FetchRequest
from gnosis_ray.vendors.providers.registry import VENDOR
from tests.support.clocks import SimulatedTime
from tests.vendors.gateway.fake_vendor import FakeVendorGateway


def set_to(provider: str, kinds: Mapping[str, str] | None = None, fetch: list[str] | None = None) -> Config:
    return load_config(flags={"data.provider": provider, "data.kinds": kinds, "data.fetch": fetch}).config


@pytest.mark.parametrize(
    ("config", "asked", "named"),
    [
        (set_to("synthetic"), {}, "synthetic"),
        (set_to("store"), {}, "store"),
        (set_to("cboe"), {"chains": "cboe"}, "cboe"),
        (set_to("yahoo"), {"chains": "yahoo", "bars": "yahoo", "news": "yahoo"}, "yahoo"),
        (set_to("massive", fetch=["trades"]), {"trades": "massive"}, "massive"),
        (
            set_to("cboe", {"bars": "yahoo", "news": "store"}),
            {"chains": "cboe", "bars": "yahoo"},
            "bars:yahoo,chains:cboe",
        ),
        (set_to("store", {"trades": "alpaca"}), {"trades": "alpaca"}, "trades:alpaca"),
        (set_to("yahoo", {"chains": "store"}, ["chains", "bars"]), {"bars": "yahoo"}, "bars:yahoo"),
    ],
)
def test_each_kind_comes_from_whom_the_settings_name(config: Config, asked: dict[str, str], named: str) -> None:
    assert routes(config) == asked
    assert label(config) == named


@pytest.mark.parametrize(
    ("config", "told"),
    [
        (set_to("synthetic", {"chains": "cboe"}), "Expected data.provider store or a vendor"),
        (set_to("store", {"chains": "cbeo"}), r"data.kinds.chains: unknown vendor 'cbeo'. Nearest: 'cboe'"),
        (set_to("store", {"quotes": "yahoo"}), "yahoo does not give quotes: it gives bars, chains, news"),
        (set_to("ccxt", fetch=["news"]), "ccxt gives none of news"),
    ],
)
def test_what_nobody_gives_is_refused(config: Config, told: str) -> None:
    with pytest.raises(ConfigError, match=told):
        routes(config)


def test_every_vendor_is_known_to_give_what_its_provider_gives() -> None:
    assert tuple(VENDOR) == VENDORS
    for name, vendor in VENDOR.items():
        module, _, kind = vendor.place.partition(":")
        provider = getattr(__import__(f"gnosis_ray.vendors.providers.{module}", fromlist=[kind]), kind)
        assert (provider.name, provider.kinds) == (name, vendor.kinds)


def test_windows_reach_as_far_back_as_is_declared() -> None:
    now = SimulatedTime().now()
    declared = windows(DataRequirements(340, tape_minutes=390, news_hours=72))
    since = declared.since("bars", now)
    assert since.time() == since.min.time()
    assert 340 <= (now - since).days * 250 / 365.25 <= 340 + 30
    assert (now - declared.since("trades", now), now - declared.since("quotes", now)) == (timedelta(minutes=390),) * 2
    assert now - declared.since("news", now) == timedelta(hours=72)
    assert declared.since("chains", now) == now
    longer = windows(DataRequirements(340, reference=ReferenceData(("VIX",), 500)))
    assert longer.since("bars", now) < since


def test_of_reference_symbols_only_chains_and_bars_are_fetched() -> None:
    wanted = fetch_requests({"chains": "cboe", "news": "massive"}, ["A", "SPY"], reference_symbols=["SPY", "VIX"])
    assert wanted == [
        FetchRequest("cboe", "chains", "A"),
        FetchRequest("cboe", "chains", "SPY"),
        FetchRequest("cboe", "chains", "VIX"),
        FetchRequest("massive", "news", "A"),
        FetchRequest("massive", "news", "SPY"),
    ]


def test_a_plan_counts_requests_and_the_time_that_the_rate_takes(config: Config) -> None:
    wanted = [FetchRequest("cboe", "chains", f"S{i}") for i in range(605)]
    (only,) = plan(config, wanted)
    assert (only.vendor, only.fetches, only.requests, only.seconds) == ("cboe", 605, 605, 120.0)


def test_rows_are_known_at_the_first_full_second_after_the_last_answer(config: Config, tmp_path: Path) -> None:
    fake = FakeVendorGateway(config, tmp_path / "responses")
    assert isinstance(fake.time, SimulatedTime)
    fake.time.sleep(0.25)
    wanted = [FetchRequest("cboe", kind, symbol) for kind in ("chains", "bars") for symbol in ("A", "B", "C", "NONE")]
    stored: list[tuple[str, int, int]] = []
    done = fetch_and_store(
        fake.gateway,
        wanted,
        tmp_path / "store",
        2,
        fake.time,
        lambda _: None,
        lambda kind, so_far, of: stored.append((kind, so_far, of)),
    )
    assert done.as_of.microsecond == 0
    assert fake.now() == done.as_of  # it waited for that second to come
    assert done.rows == {"chains": 6, "bars": 18}
    assert stored == [("bars", 3, 3), ("chains", 3, 3)]
    assert len(list((tmp_path / "store" / "chains").rglob("part-*.parquet"))) == 1
    source = StoreSource(tmp_path / "store")
    before = done.as_of - timedelta(microseconds=1)
    assert source.raw_chains(keys_at(["A", "B", "C"], before)).is_empty()
    known = source.raw_chains(keys_at(["A", "B", "C"], done.as_of))
    assert (known.height, known["known_at"].unique().to_list()) == (6, [done.as_of])
    assert [(f.symbol, f.stage) for f in done.failures(["A", "NONE"])] == [
        ("NONE", "fetch.bars"),
        ("NONE", "fetch.chains"),
    ]
    assert done.failures(["A"]) == ()  # a vendor need not know what only stands beside


def test_what_is_large_is_stored_in_several_parts(
    config: Config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fetching, "PART_ROWS", 4)
    fake = FakeVendorGateway(config, tmp_path / "responses")
    wanted = [FetchRequest("cboe", "chains", symbol) for symbol in "ABCDE"]
    stored: list[tuple[str, int, int]] = []
    done = fetch_and_store(
        fake.gateway, wanted, tmp_path / "store", 1, fake.time, lambda _: None, lambda *told: stored.append(told)
    )
    assert stored == [("chains", 2, 5), ("chains", 4, 5), ("chains", 5, 5)]
    assert done.rows == {"chains": 10}
    assert len(list((tmp_path / "store").rglob("part-*.parquet"))) == 3


def test_fetching_again_adds_only_what_is_new(config: Config, tmp_path: Path) -> None:
    fake = FakeVendorGateway(config, tmp_path / "responses")
    assert isinstance(fake.time, SimulatedTime)

    def once() -> Mapping[DataKind, int]:
        gateway, wanted = fake.another(), [FetchRequest("cboe", "bars", "A")]
        done = fetch_and_store(
            gateway, wanted, tmp_path / "store", 64, fake.time, lambda _: None, lambda *_: None, fake.now()
        )
        return done.rows

    assert once() == {"bars": 6}
    fake.time.sleep(2)
    assert once() == {"bars": 0}
    fake.time.sleep(86400)
    later = once()
    source = StoreSource(tmp_path / "store")
    closes = source.bars(keys_at(["A"], fake.now()), 50)
    assert later["bars"] < closes.height
    assert closes.select(pl.col("timestamp").is_duplicated().any()).item() is False
