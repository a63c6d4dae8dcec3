"""Reference symbols of an engine: read on every route, and recorded on none."""

from __future__ import annotations

import polars as pl
import pytest

from gnosis_ray.app.components import ConfiguredComponents
from gnosis_ray.config import Config
from gnosis_ray.engines.hedge.hedge_engine_v3 import HedgeEngineV3
from gnosis_ray.errors import DataError
from gnosis_ray.market.data_requirements import DataRequirements, ReferenceData
from gnosis_ray.market.keys import keys_at, one_key
from gnosis_ray.pipeline.batch_pass import BatchPass
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


def passes(adapter: FixedAdapter, config: Config) -> BatchPass:
    return BatchPass(ConfiguredComponents(config), adapter, config)


def test_batches_single_symbols_and_the_whole_say_the_same(adapter: Counting, config: Config) -> None:
    batches = passes(adapter, config)
    whole = batches.run(keys_at(NAMES, NOW))
    apart = [batches.run(keys_at([name], NOW)) for name in NAMES]
    singles = Records()
    for name in NAMES:
        build_pipeline(name, config, adapter, singles).run_once(NOW)
    assert whole.failures == []
    assert whole.records == singles
    assert whole.records == [record for outcome in apart for record in outcome.records]
    assert {"vix_friction_factor" in record.snapshot.hedge for record in whole.records} == {True}


def test_reference_symbols_are_read_once_for_all_batches_of_a_timestamp(adapter: Counting, config: Config) -> None:
    batches = passes(adapter, config)
    for name in NAMES:
        batches.run(keys_at([name], NOW))
    assert adapter.reads == 1


def test_another_timestamp_or_a_longer_look_back_is_read_again(adapter: Counting) -> None:
    reader = ReferenceReader(adapter)
    first = reader.read(one_key("VIX", NOW), 90)
    assert reader.read(one_key("VIX", NOW), 90) is first
    assert reader.read(one_key("VIX", NOW), 91) is not first
    earlier = one_key("VIX", NOW.replace(hour=19))
    assert reader.read(earlier, 91).fetch_bars(earlier, 91).height == 91
    assert reader.read(earlier, 91).fetch_bars(earlier, 91)["known_at"].max() < NOW  # type: ignore[operator]


def test_it_is_neither_a_record_nor_a_failure(adapter: Counting, config: Config) -> None:
    outcome = passes(adapter, config).run(keys_at(["NOPE", *NAMES], NOW))
    assert [record.symbol for record in outcome.records] == NAMES
    assert [failure.symbol for failure in outcome.failures] == ["NOPE"]
    assert set(outcome.details["symbol"]) == set(NAMES)


def test_a_reference_symbol_of_the_universe_is_recorded_too(adapter: Counting, config: Config) -> None:
    outcome = passes(adapter, config).run(keys_at(["VIX", *NAMES], NOW))
    assert [record.symbol for record in outcome.records] == [*NAMES, "VIX"]
    degraded = outcome.degraded()
    assert {reason: degraded[reason] for reason in degraded if reason.startswith("hedge:")} == {
        "hedge:no_chain": ("VIX",)
    }


def test_what_is_in_neither_is_refused(adapter: Counting) -> None:
    loaded = PreloadedAdapter.load(adapter, keys_at(NAMES, NOW), 90)
    with pytest.raises(DataError, match="Expected a key of the batch that was loaded"):
        loaded.fetch_bars(one_key("VIX", NOW), 90)
    both = loaded.with_reference(ReferenceReader(adapter).read(one_key("VIX", NOW), 90))
    assert set(both.fetch_bars(one_key("VIX", NOW), 90)["symbol"]) == {"VIX"}
    assert set(both.known_keys()["symbol"]) == set(NAMES)
    with pytest.raises(DataError, match="Expected a key of the batch that was loaded"):
        both.fetch_chains(keys_at(["AAA", "VIX"], NOW))


def test_reference_data_merge_and_extend_over_timestamps(config: Config) -> None:
    merged = ReferenceData(("VIX",), 252).merged(ReferenceData(("SPY", "VIX"), 60))
    assert merged == ReferenceData(("SPY", "VIX"), 252)
    times = [NOW.replace(hour=19), NOW]
    keys = pl.concat([one_key(name, time) for time in times for name in NAMES])
    assert merged.keys(keys).rows() == [(symbol, time) for symbol in ("SPY", "VIX") for time in times]


def test_requirements_merge_to_what_serves_both() -> None:
    one = DataRequirements(340, tape_minutes=390, reference=ReferenceData(("VIX",), 252))
    other = DataRequirements(60, news_hours=72, reference=ReferenceData(("SPY",), 500))
    assert one.merged(other) == other.merged(one) == DataRequirements(340, 390, 72, ReferenceData(("SPY", "VIX"), 500))
    assert (one.reference_bar_lookback, other.reference_bar_lookback) == (340, 500)


def test_the_hedge_engine_declares_the_vix_indices_and_sectors(config: Config) -> None:
    engine = HedgeEngineV3(FixedAdapter(book(everywhere)), config.engines.hedge)
    cross = config.engines.hedge.cross_asset
    reference = ReferenceData(tuple(sorted({"SPX", "SPY", "VIX", *cross.sector_volumes})), 252)
    assert engine.data_requirements == DataRequirements(340, reference=reference)
