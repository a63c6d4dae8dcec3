"""Nothing that became known later changes what was measured and decided."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from gnosis_ray.app.components import ConfiguredComponents
from gnosis_ray.app.sources import build_adapter
from gnosis_ray.config import Config
from gnosis_ray.data.synthetic import SyntheticSource
from gnosis_ray.engines.hedge.hedge_engine_v3 import HedgeEngineV3
from gnosis_ray.market.calendar import SessionCalendar
from gnosis_ray.market.keys import keys_at
from gnosis_ray.pipeline.batch_pass import BatchOutcome, BatchPass
from tests.support.markets import bars_of, chains_of, over_store, stored

SYMBOLS = ["AAA", "BBB", "CCC"]
FRIDAY = datetime(2026, 7, 10, 20, tzinfo=UTC)
SNAPSHOTS = [FRIDAY + timedelta(hours=hours) for hours in (-48, -26, -24, -5, -2, 0)]
MOMENTS = [*SNAPSHOTS, FRIDAY - timedelta(hours=25), FRIDAY - timedelta(hours=3), FRIDAY + timedelta(hours=1)]
"""At the snapshots, between them, and after the last: a Wednesday to a Friday."""


def scanned(config: Config, calendar: SessionCalendar, now: datetime) -> BatchOutcome:
    return BatchPass(ConfiguredComponents(config), build_adapter(config, calendar), config).run(keys_at(SYMBOLS, now))


def assert_same_pass(left: BatchOutcome, right: BatchOutcome) -> None:
    assert left.records == right.records
    assert left.failures == right.failures
    assert_frame_equal(left.details, right.details, check_exact=True)


def ended(calendar: SessionCalendar, at: datetime) -> SessionCalendar:
    """The calendar of somebody who knows no session after that moment."""
    last = np.searchsorted(calendar.closes, np.datetime64(at.replace(tzinfo=None), "us"), side="right")
    return replace(calendar, days=calendar.days[:last], opens=calendar.opens[:last], closes=calendar.closes[:last])


@pytest.mark.parametrize("now", [FRIDAY, FRIDAY - timedelta(hours=3), FRIDAY - timedelta(days=200)])
def test_the_synthetic_market_does_not_know_its_future(
    now: datetime, config: Config, market_calendar: SessionCalendar
) -> None:
    """Its sessions to come are made of the calendar: take away all but those in which contracts expire."""
    short = ended(market_calendar, now + timedelta(days=7 * 31))
    assert short.days.size < market_calendar.days.size - 700
    whole = scanned(config, market_calendar, now)
    assert len(whole.records) == len(SYMBOLS)
    assert_same_pass(whole, scanned(config, short, now))


@pytest.fixture(scope="module")
def history(config: Config, market_calendar: SessionCalendar) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Chains and bars of three days: on time, late, and corrected."""
    source = SyntheticSource(market_calendar, config.data.synthetic, config.market)
    held = [*SYMBOLS, config.engines.hedge.vix_symbol]
    chains, bars = chains_of(source, held, SNAPSHOTS), bars_of(source, held, FRIDAY)
    late, hour = pl.col("symbol") == "BBB", timedelta(hours=1)
    chains = chains.with_columns(known_at=pl.col("event_time") + pl.when(late).then(2 * hour).otherwise(0 * hour))
    bars = bars.with_columns(known_at=pl.col("timestamp") + pl.when(late).then(20 * hour).otherwise(0 * hour))
    of_calls = chains.filter((pl.col("type") == "C") & (pl.col("symbol") != "CCC"))
    corrected_chains = of_calls.with_columns(
        pl.col("known_at") + 3 * hour, open_interest=pl.col("open_interest") * 5 + 100, ask=pl.col("ask") * 1.01
    )
    corrected_bars = bars.filter(pl.col("symbol") != "BBB").with_columns(
        pl.col("known_at") + 22 * hour, close=pl.col("close") * 1.02, high=pl.col("high") * 1.02
    )
    return pl.concat([chains, corrected_chains]), pl.concat([bars, corrected_bars])


def up_to(rows: pl.DataFrame, now: datetime, later: float, seed: int) -> pl.DataFrame:
    """The rows known at ``now`` and a share of those known later."""
    known = rows["known_at"] <= now
    lucky = pl.Series(np.random.default_rng(seed).random(rows.height) < later)
    return rows.filter(known | lucky)


@pytest.fixture(scope="module")
def full(history: tuple[pl.DataFrame, pl.DataFrame], tmp_path_factory: pytest.TempPathFactory) -> Path:
    return stored(tmp_path_factory.mktemp("full"), *history)


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(now=st.sampled_from(MOMENTS), later=st.sampled_from([0.0, 0.3, 0.9]), seed=st.integers(0, 2**16))
def test_rows_known_later_do_not_change_a_pass(
    now: datetime,
    later: float,
    seed: int,
    history: tuple[pl.DataFrame, pl.DataFrame],
    full: Path,
    config: Config,
    market_calendar: SessionCalendar,
) -> None:
    chains, bars = history
    with TemporaryDirectory() as folder:
        cut = stored(Path(folder), up_to(chains, now, later, seed), up_to(bars, now, later, seed + 1))
        with_future = scanned(over_store(config, full), market_calendar, now)
        assert with_future.records
        assert_same_pass(with_future, scanned(over_store(config, cut), market_calendar, now))


def test_corrections_count_from_the_moment_they_are_known(
    full: Path, config: Config, market_calendar: SessionCalendar
) -> None:
    """Else the test above would hold for a store that ignores them."""
    stored_config = over_store(config, full)
    (before,), (after,) = (
        [r for r in scanned(stored_config, market_calendar, now).records if r.symbol == "AAA"]
        for now in (FRIDAY + timedelta(hours=2, minutes=59), FRIDAY + timedelta(hours=3))
    )
    assert before.snapshot.hedge["gex_gross_usd_per_pct"] < after.snapshot.hedge["gex_gross_usd_per_pct"] / 2
    assert before.snapshot.hedge["spot"] == after.snapshot.hedge["spot"]


@pytest.mark.parametrize("provider", ["synthetic", "store"])
def test_a_panel_of_moments_is_its_moments_one_at_a_time(
    provider: str, full: Path, config: Config, market_calendar: SessionCalendar
) -> None:
    used = over_store(config, full) if provider == "store" else config
    engine = HedgeEngineV3(build_adapter(used, market_calendar), used.engines.hedge)
    moments = sorted(MOMENTS)
    panel = engine.frames(pl.concat([keys_at(SYMBOLS, moment) for moment in moments]))
    single = [engine.frames(keys_at(SYMBOLS, moment)) for moment in moments]
    assert panel.features.height == len(SYMBOLS) * len(moments)
    assert panel.features["gex_usd_per_pct"].n_unique() > len(SNAPSHOTS)
    assert_frame_equal(panel.features, pl.concat([s.features for s in single]), rel_tol=1e-9, abs_tol=0.0)
    apart = pl.concat([s.details for s in single])
    order = ["symbol", "timestamp", "name", "x"]
    assert_frame_equal(panel.details.sort(order), apart.sort(order), rel_tol=1e-9, abs_tol=1e-6)
