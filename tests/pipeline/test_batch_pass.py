"""A batch is its symbols one by one: same records, same bits, and failures that stay with their symbol."""

from __future__ import annotations

import errno
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from gnosis_ray.agents.base import PrimaryAgent
from gnosis_ray.agents.hedge_agent_v3 import HedgeAgentV3
from gnosis_ray.app.components import ConfiguredComponents
from gnosis_ray.app.sources import build_adapter
from gnosis_ray.config import Config
from gnosis_ray.engines.base import EngineData, EngineFrames, FrameEngine
from gnosis_ray.engines.hedge.hedge_engine_v3 import HedgeEngineV3
from gnosis_ray.errors import DataError, ResourceError, StageError
from gnosis_ray.market.adapters import MarketAdapter
from gnosis_ray.market.calendar import SessionCalendar
from gnosis_ray.market.keys import keys_at, panel_keys
from gnosis_ray.pipeline.batch_pass import BatchOutcome, BatchPass
from gnosis_ray.pipeline.precomputed_engine import PrecomputedEngine
from gnosis_ray.schemas.core_schemas import ENGINE_KINDS, EngineKind, StandardSnapshot, Suggestion
from tests.support.books import NOW, FixedAdapter, bars, book
from tests.support.components import DummyEngine, Records
from tests.support.pipelines import build_pipeline

SYMBOLS = [f"SYN{i:02d}" for i in range(12)]


class Allergic(HedgeEngineV3):
    """The hedge engine, which cannot bear some symbols."""

    def __init__(self, adapter: MarketAdapter, config: Config, to: frozenset[str]) -> None:
        super().__init__(adapter, config.engines.hedge)
        self._to = to

    def compute(
        self, keys: pl.DataFrame, data: EngineData, upstream: Mapping[EngineKind, EngineFrames]
    ) -> EngineFrames:
        if not self._to.isdisjoint(keys["symbol"]):
            raise ZeroDivisionError(f"sneezed at {len(keys)}")
        return super().compute(keys, data, upstream)


class Silent:
    """An agent that raises for some symbols and hands the others on."""

    def __init__(self, agent: PrimaryAgent, at: frozenset[str]) -> None:
        self._agent, self._at = agent, at

    def step(self, snapshot: StandardSnapshot) -> Suggestion:
        if snapshot.symbol in self._at:
            raise KeyError(snapshot.symbol)
        return self._agent.step(snapshot)


class FaultyComponents(ConfiguredComponents):
    """The configured parts, with faults on order."""

    def __init__(self, config: Config, engine: frozenset[str], agent: frozenset[str] = frozenset()) -> None:
        super().__init__(config)
        self._settings, self._sneezing, self._silent = config, engine, agent

    def engines(self, adapter: MarketAdapter) -> list[FrameEngine]:
        allergic = Allergic(adapter, self._settings, self._sneezing)
        return [allergic if engine.kind == "hedge" else engine for engine in super().engines(adapter)]

    def primary_agents(self) -> list[PrimaryAgent]:
        return [Silent(agent, self._silent) for agent in super().primary_agents()]


@pytest.fixture(scope="module")
def adapter(config: Config, market_calendar: SessionCalendar) -> MarketAdapter:
    return build_adapter(config, market_calendar)


@pytest.fixture(scope="module")
def now(config: Config) -> datetime:
    return config.data.synthetic.as_of


@pytest.fixture(scope="module")
def whole(adapter: MarketAdapter, config: Config, now: datetime) -> BatchOutcome:
    return passed(ConfiguredComponents(config), adapter, config, SYMBOLS, now)


def passed(
    parts: ConfiguredComponents, adapter: MarketAdapter, config: Config, symbols: list[str], now: datetime
) -> BatchOutcome:
    return BatchPass(parts, adapter, config).run(keys_at(symbols, now))


def of_hedge(outcome: BatchOutcome) -> dict[str, tuple[str, ...]]:
    return {reason: symbols for reason, symbols in outcome.degraded().items() if reason.startswith("hedge:")}


def test_a_batch_is_the_pipeline_symbol_by_symbol(
    whole: BatchOutcome, adapter: MarketAdapter, config: Config, now: datetime
) -> None:
    records = Records()
    for symbol in SYMBOLS:
        build_pipeline(symbol, config, adapter, records).run_once(now)
    assert whole.failures == []
    assert [record.symbol for record in whole.records] == SYMBOLS
    assert whole.records == records
    alone = pl.concat(
        [passed(ConfiguredComponents(config), adapter, config, [symbol], now).details for symbol in SYMBOLS]
    )
    place = ["symbol", "name", "x"]
    assert set(whole.details["name"]) >= {"gamma_profile", "gex_by_strike", "volume_profile"}
    assert_frame_equal(whole.details.sort(place), alone.sort(place), check_exact=True)


@pytest.mark.parametrize("order", [sorted, lambda names: names[::-1], lambda names: names[3:] + names[:3]])
def test_the_order_of_the_symbols_does_not_matter(
    whole: BatchOutcome,
    adapter: MarketAdapter,
    config: Config,
    now: datetime,
    order: Callable[[list[str]], list[str]],
) -> None:
    again = passed(ConfiguredComponents(config), adapter, config, order(SYMBOLS), now)
    assert again.records == whole.records
    assert_frame_equal(again.details, whole.details, check_exact=True)


def test_an_engine_that_raises_fails_its_symbol_only(
    whole: BatchOutcome, adapter: MarketAdapter, config: Config, now: datetime
) -> None:
    failing_symbols = frozenset({"SYN03", "SYN07"})
    outcome = passed(FaultyComponents(config, failing_symbols), adapter, config, SYMBOLS, now)
    assert outcome.records == [record for record in whole.records if record.symbol not in failing_symbols]
    assert_frame_equal(
        outcome.details, whole.details.filter(~pl.col("symbol").is_in(list(failing_symbols))), check_exact=True
    )
    found = [(f.symbol, f.stage, f.error, f.message) for f in outcome.failures]
    assert found == [(s, "engine.hedge", "ZeroDivisionError", "sneezed at 1") for s in sorted(failing_symbols)]


def test_an_agent_that_raises_fails_its_symbol_only(
    whole: BatchOutcome, adapter: MarketAdapter, config: Config, now: datetime
) -> None:
    outcome = passed(FaultyComponents(config, frozenset(), frozenset({"SYN05"})), adapter, config, SYMBOLS, now)
    assert outcome.records == [record for record in whole.records if record.symbol != "SYN05"]
    (failure,) = outcome.failures
    assert (failure.symbol, failure.stage, failure.error) == ("SYN05", "agent.Silent", "KeyError")


@pytest.mark.parametrize(("part", "method"), [(HedgeEngineV3, "compute"), (HedgeAgentV3, "step")])
def test_a_disk_that_is_full_is_no_failure_of_a_symbol(
    adapter: MarketAdapter, config: Config, now: datetime, monkeypatch: pytest.MonkeyPatch, part: type, method: str
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(part, method, full)
    with pytest.raises(ResourceError, match="No space left"):
        passed(ConfiguredComponents(config), adapter, config, SYMBOLS, now)


def test_where_every_symbol_fails_every_failure_is_there(adapter: MarketAdapter, config: Config, now: datetime) -> None:
    outcome = passed(FaultyComponents(config, frozenset(SYMBOLS)), adapter, config, SYMBOLS, now)
    assert (outcome.records, outcome.details.height) == ([], 0)
    assert [failure.symbol for failure in outcome.failures] == SYMBOLS


def test_a_symbol_of_which_nothing_is_known_is_a_named_failure(config: Config) -> None:
    some = FixedAdapter(pl.concat([book(lambda *_: 100.0, symbol=s) for s in ("AAA", "CCC")]), bars(symbol="BBB"))
    outcome = passed(ConfiguredComponents(config), some, config, ["CCC", "NOPE", "AAA", "BBB"], NOW)
    assert [record.symbol for record in outcome.records] == ["AAA", "BBB", "CCC"]
    (failure,) = outcome.failures
    assert (failure.symbol, failure.stage, failure.error) == ("NOPE", "load", "NoDataError")
    assert failure.message == "No chain and no bars known at 2026-07-10T20:00:00Z"
    assert of_hedge(outcome) == {"hedge:no_bars": ("AAA", "CCC"), "hedge:no_chain": ("BBB",)}


def test_every_reason_is_collected_with_its_symbols(config: Config) -> None:
    chains = [
        book(lambda *_: 100.0, symbol="FRESH"),
        book(lambda *_: 100.0, symbol="STALE", sessions_behind=1),
        book(lambda *_: 100.0, symbol="BOTH", sessions_behind=1, iv_source="last_smile"),
    ]
    daily = pl.concat([bars(symbol=symbol) for symbol in ("FRESH", "STALE", "BOTH")])
    outcome = passed(
        ConfiguredComponents(config), FixedAdapter(pl.concat(chains), daily), config, ["FRESH", "STALE", "BOTH"], NOW
    )
    assert of_hedge(outcome) == {"hedge:last_smile": ("BOTH",), "hedge:stale_quotes": ("BOTH", "STALE")}
    assert outcome.degraded()["sentiment:stale_quotes"] == ("BOTH", "STALE")


def test_data_that_cannot_be_read_fails_the_batch(config: Config) -> None:
    class Broken(FixedAdapter):
        def fetch_chains(self, keys: pl.DataFrame) -> pl.DataFrame:
            raise DataError("the disk is gone")

    with pytest.raises(DataError, match="the disk is gone"):
        passed(ConfiguredComponents(config), Broken(book(lambda *_: 1.0)), config, ["AAA"], NOW)


def test_an_engine_that_cannot_compute_a_batch_is_refused(config: Config) -> None:
    class SingleOnly(ConfiguredComponents):
        def engines(self, adapter: MarketAdapter) -> list[FrameEngine]:
            return [DummyEngine()]  # type: ignore[list-item]

    with pytest.raises(StageError, match="Expected a FrameEngine in a batch, was DummyEngine"):
        passed(SingleOnly(config), FixedAdapter(book(lambda *_: 1.0)), config, ["AAA"], NOW)


def test_what_was_not_computed_is_not_looked_up(config: Config) -> None:
    engine = HedgeEngineV3(FixedAdapter(book(lambda *_: 100.0), bars()), config.engines.hedge)
    computed = PrecomputedEngine(engine, engine.frames(keys_at(["AAA"], NOW)))
    assert computed.run("AAA", NOW) == engine.run("AAA", NOW)
    for symbol, moment in (("BBB", NOW), ("AAA", NOW + timedelta(seconds=1))):
        with pytest.raises(StageError) as caught:
            computed.run(symbol, moment)
        assert (caught.value.symbol, caught.value.stage) == (symbol, "engine.hedge")


def test_a_panel_is_its_moments_one_by_one(adapter: MarketAdapter, config: Config, now: datetime) -> None:
    moments = [now - timedelta(days=back) for back in (3, 2, 0)]
    panel = BatchPass(ConfiguredComponents(config), adapter, config).run(panel_keys(SYMBOLS[:4], moments))
    apart = [passed(ConfiguredComponents(config), adapter, config, SYMBOLS[:4], moment) for moment in moments]
    records = sorted((r for outcome in apart for r in outcome.records), key=lambda r: (r.symbol, r.timestamp))
    assert [(r.symbol, r.timestamp) for r in panel.records] == [(r.symbol, r.timestamp) for r in records]
    assert len(records) == 12
    for one, other in zip(panel.records, records, strict=True):
        for kind in ENGINE_KINDS:
            assert getattr(one.snapshot, kind) == pytest.approx(getattr(other.snapshot, kind), rel=1e-9), kind
        stances = [[s.action for s in r.primary_suggestions] for r in (one, other)]
        assert stances[0] == stances[1]
        assert [idea.id for idea in one.trade_ideas] == [idea.id for idea in other.trade_ideas]
    assert set(panel.details["timestamp"]) == set(moments)


def test_a_moment_before_anything_was_known_fails_alone(config: Config) -> None:
    adapter = FixedAdapter(book(lambda *_: 100.0), bars())
    early, late = NOW - timedelta(days=4000), NOW
    outcome = BatchPass(ConfiguredComponents(config), adapter, config).run(panel_keys(["AAA"], [early, late]))
    assert [record.timestamp for record in outcome.records] == [late]
    assert [failure.message for failure in outcome.failures] == [
        f"No chain and no bars known at {early:%Y-%m-%dT%H:%M:%SZ}"
    ]
