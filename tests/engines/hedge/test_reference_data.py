"""What an engine reads beside its symbols: there in every route, and nobody's record."""

from __future__ import annotations

import polars as pl
import pytest

from gnosis_ray.app.components import ConfiguredComponents
from gnosis_ray.clock import Stopwatch
from gnosis_ray.config import Config
from gnosis_ray.engines.hedge.hedge_engine_v3 import HedgeEngineV3
from gnosis_ray.errors import DataError
from gnosis_ray.market.keys import ReferenceData, keys_at, one_key
from gnosis_ray.pipeline.batch_pass import BatchOutcome, BatchPass
from gnosis_ray.pipeline.preloaded_adapter import PreloadedAdapter, ReferenceReader
from tests.engines.hedge.measuring import everywhere, vix_bars
from tests.support.books import NOW, FixedAdapter, bars, book
from tests.support.components import Records
from tests.support.pipelines import build_pipeline

NAMES = ["AAA", "BBB", "CCC"]
CLOSES = [15.0 + day % 7 for day in range(300)]


class Counting(FixedAdapter):
    """Counts how often the bars of the VIX were read."""

    reads = 0

    def fetch_bars(self, keys: pl.DataFrame, lookback: int) -> pl.DataFrame:
        self.reads += "VIX" in keys["symbol"]
        return super().fetch_bars(keys, lookback)


@pytest.fixture
def adapter() -> Counting:
    chains = pl.concat([book(everywhere, symbol=name, spot=96.0 + i) for i, name in enumerate(NAMES)])
    return Counting(chains, pl.concat([*(bars(symbol=name) for name in NAMES), vix_bars(CLOSES)]))


def passed(adapter: FixedAdapter, config: Config, names: list[str], contexts: ReferenceReader) -> BatchOutcome:
    return BatchPass(ConfiguredComponents(config), adapter, config, Stopwatch(), contexts).run(names, NOW)


def test_batches_single_symbols_and_the_whole_say_the_same(adapter: Counting, config: Config) -> None:
    contexts = ReferenceReader(adapter)
    whole = passed(adapter, config, NAMES, contexts)
    apart = [passed(adapter, config, [name], contexts) for name in NAMES]
    singles = Records()
    for name in NAMES:
        build_pipeline(name, config, adapter, singles).run_once(NOW)
    assert whole.failures == []
    assert whole.records == singles
    assert whole.records == [record for outcome in apart for record in outcome.records]
    assert {"vix_friction_factor" in record.snapshot.hedge for record in whole.records} == {True}


def test_the_context_is_read_once_for_all_batches_of_a_moment(adapter: Counting, config: Config) -> None:
    contexts = ReferenceReader(adapter)
    for name in NAMES:
        passed(adapter, config, [name], contexts)
    assert adapter.reads == 1


def test_another_moment_or_a_longer_reach_is_read_anew(adapter: Counting) -> None:
    contexts = ReferenceReader(adapter)
    first = contexts.read(one_key("VIX", NOW), 90)
    assert contexts.read(one_key("VIX", NOW), 90) is first
    assert contexts.read(one_key("VIX", NOW), 91) is not first
    earlier = one_key("VIX", NOW.replace(hour=19))
    assert contexts.read(earlier, 91).fetch_bars(earlier, 91).height == 91
    assert contexts.read(earlier, 91).fetch_bars(earlier, 91)["known_at"].max() < NOW  # type: ignore[operator]


def test_it_is_neither_a_record_nor_a_failure(adapter: Counting, config: Config) -> None:
    outcome = passed(adapter, config, ["NOPE", *NAMES], ReferenceReader(adapter))
    assert [record.symbol for record in outcome.records] == NAMES
    assert [failure.symbol for failure in outcome.failures] == ["NOPE"]
    assert set(outcome.details["symbol"]) == set(NAMES)


def test_who_asks_for_it_gets_its_record_too(adapter: Counting, config: Config) -> None:
    outcome = passed(adapter, config, ["VIX", *NAMES], ReferenceReader(adapter))
    assert [record.symbol for record in outcome.records] == [*NAMES, "VIX"]
    degraded = outcome.degraded()
    assert {reason: degraded[reason] for reason in degraded if reason.startswith("hedge:")} == {
        "hedge:no_chain": ("VIX",)
    }


def test_what_is_in_neither_is_refused(adapter: Counting) -> None:
    loaded = PreloadedAdapter.load(adapter, keys_at(NAMES, NOW), 90)
    with pytest.raises(DataError, match="Expected a key of the batch that was loaded"):
        loaded.fetch_bars(one_key("VIX", NOW), 90)
    both = loaded.beside(ReferenceReader(adapter).read(one_key("VIX", NOW), 90))
    assert set(both.fetch_bars(one_key("VIX", NOW), 90)["symbol"]) == {"VIX"}
    assert both.known_symbols() == set(NAMES)
    with pytest.raises(DataError, match="Expected a key of the batch that was loaded"):
        both.fetch_chains(keys_at(["AAA", "VIX"], NOW))


def test_contexts_merge_and_spread_over_the_moments(config: Config) -> None:
    merged = ReferenceData(("VIX",), 252).merged(ReferenceData(("SPY", "VIX"), 60))
    assert merged == ReferenceData(("SPY", "VIX"), 252)
    moments = [NOW.replace(hour=19), NOW]
    keys = pl.concat([one_key(name, moment) for moment in moments for name in NAMES])
    assert merged.keys(keys).rows() == [(symbol, moment) for symbol in ("SPY", "VIX") for moment in moments]
    engine = HedgeEngineV3(FixedAdapter(book(everywhere)), config.engines.hedge)
    cross = config.engines.hedge.cross_asset
    assert engine.context == ReferenceData(tuple(sorted({"SPX", "SPY", "VIX", *cross.sector_volumes})), 252)
