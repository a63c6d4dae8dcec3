"""What the liquidity engine must say of markets whose answer is known."""

from __future__ import annotations

import math
import warnings
from datetime import date, timedelta

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pandas.errors import Pandas4Warning
from polars.testing import assert_frame_equal

from gnosis_ray.config import Config, load_config
from gnosis_ray.data.synthetic import SyntheticSource
from gnosis_ray.engines.base import EngineFrames
from gnosis_ray.engines.liquidity.features import LIQUIDITY_FEATURES, QUOTE_FEATURES, TRADE_FEATURES
from gnosis_ray.engines.liquidity.liquidity_engine_v1 import LiquidityEngineV1
from gnosis_ray.market.calendar import SessionCalendar
from gnosis_ray.market.columns import DETAILS, KEYS
from gnosis_ray.market.keys import keys_at, one_key
from gnosis_ray.schemas.core_schemas import EngineOutput
from tests.support.tapes import NOW, SourceAdapter, TapeAdapter, quotes_before, random_bars, random_tape, trades

CONFIG = load_config().config.engines.liquidity


def measure(
    bars: pl.DataFrame | None = None, tape: pl.DataFrame | None = None, quotes: pl.DataFrame | None = None
) -> EngineOutput:
    """The engine on one symbol."""
    return LiquidityEngineV1(TapeAdapter(bars, tape, quotes), CONFIG).run("AAA", NOW)


def frames(adapter: TapeAdapter, keys: pl.DataFrame) -> EngineFrames:
    return LiquidityEngineV1(adapter, CONFIG).frames(keys)


def names(output: EngineOutput) -> set[str]:
    return set(output.features)


def full(seed: int = 1) -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]:
    """Bars, trades and quotes of one symbol."""
    tape = random_tape(seed)
    return random_bars(seed, volume=1e7), tape, quotes_before(tape)


def test_low_volume_with_high_returns_is_thin() -> None:
    output = measure(random_bars(1, volume=1e4, sigma=0.05))
    assert output.regime == "thin_liquidity"
    assert output.features["amihud_illiquidity"] > 100 * CONFIG.thin_amihud


def test_symmetric_flow_has_no_imbalance() -> None:
    sides: list[str | None] = ["buy", "sell"] * 100
    output = measure(random_bars(1, volume=1e7), trades([100.0, 99.99] * 100, sides=sides))
    assert output.features["ofi"] == pytest.approx(0.0, abs=1e-12)
    assert output.regime == "normal"
    assert "one_sided" not in output.metadata


@pytest.mark.parametrize(("side", "sign"), [("buy", 1.0), ("sell", -1.0)])
def test_one_large_wave_is_one_sided(side: str, sign: float) -> None:
    other = "sell" if side == "buy" else "buy"
    sides: list[str | None] = [side if 60 <= i < 120 else (side, other)[i % 2] for i in range(200)]
    sizes = [2000.0 if 60 <= i < 120 else 100.0 for i in range(200)]
    prices = 100 + sign * 0.01 * np.clip(np.arange(200) - 60, 0, 60)
    output = measure(random_bars(1, volume=1e7), trades(prices, sizes, sides))
    assert output.features["ofi"] * sign > 0.6
    assert output.regime == "one_sided_flow"
    assert output.metadata["one_sided"] == side


def test_a_thin_market_tells_its_one_sided_flow_too() -> None:
    output = measure(random_bars(1, volume=1e4), trades([100.0] * 40, sides="buy"))
    assert (output.regime, output.metadata["one_sided"]) == ("thin_liquidity", "buy")


def test_a_wide_quote_is_thin_and_deep_tight_markets_are_liquid() -> None:
    bars, tape = random_bars(1, volume=1e8), random_tape(1)
    assert measure(bars, tape, quotes_before(tape, half_spread=0.5)).regime == "thin_liquidity"
    assert measure(bars, tape, quotes_before(tape, half_spread=0.1)).regime == "normal"
    assert measure(bars, tape, quotes_before(tape, half_spread=0.01)).regime == "high_liquidity"
    assert measure(bars).regime == "high_liquidity"


def test_everything_known_is_told() -> None:
    output = measure(*full())
    unresolved = {"edge_daily_spread_bps", "edge_intraday_spread_bps"}
    assert {spec.name for spec in LIQUIDITY_FEATURES} - names(output) <= unresolved
    assert output.confidence == pytest.approx(output.features["signed_volume_share"], rel=1e-12)
    assert output.confidence > 0.99
    assert "degraded" not in output.metadata
    assert output.metadata["data_tier"] == "trades_and_quotes"
    assert output.metadata["profile_source"] == "trades"
    assert output.metadata["spread_source"] == "quoted"
    assert output.metadata["signing"].startswith("given 80%")


def test_bars_alone_tell_no_flow() -> None:
    output = measure(random_bars(1))
    absent = {spec.name for spec in TRADE_FEATURES + QUOTE_FEATURES}
    assert absent.isdisjoint(names(output))
    assert {"amihud_illiquidity", "adv_usd", "sigma_daily", "poc", "volume_magnet_score"} <= names(output)
    assert output.confidence == pytest.approx(0.6)
    assert output.metadata["degraded"].split(",")[:2] == ["no_trades", "no_quotes"]
    assert (output.metadata["data_tier"], output.metadata["profile_source"]) == ("bars", "daily_range")


def test_each_degradation_names_itself() -> None:
    bars, tape, quotes = full()
    whole = measure(bars, tape, quotes)

    def reasons(output: EngineOutput) -> set[str]:
        assert output.confidence < whole.confidence
        return set(output.metadata["degraded"].split(",")) - {"spread_unresolved"}

    assert reasons(measure(bars, tape)) == {"no_quotes"}
    assert reasons(measure(bars, quotes=quotes)) == {"no_trades"}
    assert reasons(measure(None, tape, quotes)) == {"no_bars"}
    assert reasons(measure(bars.tail(30), tape, quotes)) == {"short_history"}
    assert reasons(measure(bars.tail(10), tape, quotes)) == {"no_bars"}
    old = bars.with_columns(pl.col("timestamp", "known_at") - pl.duration(days=6))
    assert reasons(measure(old, tape, quotes)) == {"stale_bars"}
    split = bars.with_columns(
        pl.when(pl.int_range(pl.len()) < 50).then(pl.col(c) * 3).otherwise(c).alias(c)
        for c in ("open", "high", "low", "close")
    )
    assert reasons(measure(split, tape, quotes)) == {"share_change", "short_history"}
    untold = tape.with_columns(side=pl.lit(None, pl.String), price=pl.lit(100.0))
    assert reasons(measure(bars, untold)) == {"unsigned_trades", "no_quotes"}


@pytest.mark.parametrize("count", [1, 3, CONFIG.min_trades - 1])
@pytest.mark.parametrize("quoted", [False, True])
def test_few_trades_are_counted_and_say_nothing_else(count: int, quoted: bool) -> None:
    bars, tape = random_bars(1, volume=1e7), trades([93.0] * count, sides="buy")
    quotes = quotes_before(random_tape(1)) if quoted else None
    output, alone = measure(bars, tape, quotes), measure(bars, quotes=quotes)
    assert output.features == alone.features | {"trade_count": float(count)}
    assert (output.regime, output.confidence) == (alone.regime, alone.confidence)
    assert output.metadata["degraded"] == alone.metadata["degraded"].replace("no_trades", "few_trades")
    assert output.metadata["data_tier"] == ("bars_and_quotes" if quoted else "bars")
    assert output.metadata | {"degraded": ""} == alone.metadata | {"degraded": ""}


def test_few_trades_without_bars_are_no_measurement() -> None:
    output = measure(None, trades([100.0] * 3))
    assert (output.features, output.regime, output.confidence) == ({"trade_count": 3.0}, None, 0.0)
    assert measure(None, trades([100.0] * CONFIG.min_trades, sides="buy")).confidence > 0.0


def hours_after(hours: float, bars: pl.DataFrame | None, tape: pl.DataFrame, quotes: pl.DataFrame) -> EngineOutput:
    adapter = TapeAdapter(bars, tape, quotes)
    return LiquidityEngineV1(adapter, CONFIG).run("AAA", NOW + timedelta(hours=hours))


def test_one_wide_quote_at_the_close_does_not_make_the_evening_thin() -> None:
    tape = random_tape(1)
    closing = quotes_before(tape.tail(1), half_spread=5.0, lead_ms=0)
    quotes = pl.concat([quotes_before(tape), closing])
    evening = hours_after(4, random_bars(1, volume=1e8), tape, quotes)
    assert evening.features["quoted_spread_bps"] < CONFIG.thin_spread_bps
    assert evening.regime == "normal"


def test_an_old_tape_is_named_and_trusted_less_but_not_less_than_bars() -> None:
    bars, tape, quotes = full()
    signed = measure(bars, tape, quotes).features["signed_volume_share"]
    limit = CONFIG.max_tape_age_minutes / 60
    assert "degraded" not in hours_after(limit, bars, tape.tail(-1), quotes).metadata
    evening = hours_after(limit + 0.1, bars, tape, quotes)
    assert evening.metadata["degraded"] == "stale_tape"
    assert evening.confidence == pytest.approx(CONFIG.tier_confidence.bars * signed, rel=1e-2)
    assert evening.confidence < 0.7 * measure(bars, tape, quotes).confidence
    fresh, old = measure(None, tape, quotes), hours_after(4, None, tape, quotes)
    assert old.confidence == pytest.approx(CONFIG.stale_factor * fresh.confidence, rel=1e-2)
    assert old.metadata["degraded"] == "no_bars,stale_tape"
    again = quotes_before(tape.tail(1), lead_ms=-3_000_000)
    assert "degraded" not in hours_after(1, bars, tape, pl.concat([quotes, again])).metadata


def test_nothing_known_says_so() -> None:
    output = measure()
    assert (output.features, output.regime, output.confidence) == ({}, None, 0.0)
    assert output.metadata == {"degraded": "no_bars,no_trades,no_quotes,spread_unresolved"}


def test_impossible_rows_measure_like_none() -> None:
    bars, tape, quotes = full()
    bad = tape.head(3).with_columns(price=pl.Series([float("nan"), -1.0, 0.0]))
    holes = bars.head(2).with_columns(
        volume=pl.Series([None, float("nan")]), timestamp=pl.col("timestamp").dt.offset_by("-1y")
    )
    assert measure(pl.concat([holes, bars]), pl.concat([bad, tape]), quotes) == measure(bars, tape, quotes)


def test_amihud_by_hand() -> None:
    bars = random_bars(7, count=21)
    close, volume = bars["close"].to_numpy(), bars["volume"].to_numpy()
    expected = np.mean(np.abs(close[1:] / close[:-1] - 1) / (close[1:] * volume[1:])) * 1e6
    assert measure(bars).features["amihud_illiquidity"] == pytest.approx(expected, rel=1e-12)


POWERS = {
    "adv_usd": (1, 1),
    "amihud_illiquidity": (-1, -1),
    "kyle_lambda": (1, -1),
    "hasbrouck_lambda": (-0.5, -0.5),
    "cks_lambda": (1, -1),
    "cks_ofi": (0, 1),
    **dict.fromkeys(("last_price", "poc", "value_area_low", "value_area_high", "volume_magnet_level"), (1, 0)),
    **dict.fromkeys(("liquidity_void_above", "liquidity_void_below"), (1, 0)),
}
"""feature -> its powers of a change of price unit and of share unit; all others do not change."""


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), price=st.sampled_from([0.25, 2.0, 64.0]), volume=st.sampled_from([0.5, 8.0]))
def test_features_scale_as_their_units(seed: int, price: float, volume: float) -> None:
    bars, tape, quotes = full(seed)
    before = measure(bars, tape, quotes).features
    after = measure(
        bars.with_columns(pl.col("open", "high", "low", "close") * price, pl.col("volume") * volume),
        tape.with_columns(pl.col("price") * price, pl.col("size") * volume),
        quotes.with_columns(pl.col("bid", "ask") * price, pl.col("bid_size", "ask_size") * volume),
    ).features
    assert before.keys() == after.keys()
    for name, value in before.items():
        of_price, of_volume = POWERS.get(name, (0, 0))
        assert after[name] == pytest.approx(value * price**of_price * volume**of_volume, rel=1e-9, abs=1e-12), name


@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), seconds=st.integers(-(10**7), 10**7))
def test_time_has_no_origin(seed: int, seconds: int) -> None:
    tables = full(seed)
    shift = pl.duration(seconds=seconds)
    moved = [table.with_columns(pl.col("timestamp", "known_at") + shift) for table in tables]
    later = NOW + timedelta(seconds=seconds)
    shifted = LiquidityEngineV1(TapeAdapter(*moved), CONFIG).run("AAA", later)
    assert shifted.model_copy(update={"timestamp": NOW}) == measure(*tables)


@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_the_order_of_rows_and_what_is_told_twice_change_nothing(seed: int) -> None:
    bars, tape, quotes = full(seed)
    again = tape.with_columns(known_at=pl.col("known_at") + pl.duration(microseconds=1))
    told = [pl.concat([bars, bars]), pl.concat([tape, again.head(-1)]), pl.concat([quotes, quotes])]
    mixed = [table.sample(fraction=1.0, shuffle=True, seed=seed) for table in told]
    assert measure(*mixed) == measure(bars, tape, quotes)


def test_equal_prints_count_twice() -> None:
    tape = random_tape(1)
    twice = measure(random_bars(1), pl.concat([tape, tape])).features
    assert twice["trade_count"] == 2 * tape.height


@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_the_future_is_not_read(seed: int) -> None:
    """Rows that an adapter hands out for a later key of the same symbol say nothing of an earlier one."""
    bars, tape, quotes = full(seed)
    ahead = timedelta(hours=3)
    later = [table.with_columns(pl.col("timestamp", "known_at") + ahead) for table in full(seed ^ 1)]
    late = tape.tail(5).with_columns(known_at=pl.col("known_at") + ahead, price=pl.col("price") * 2)
    adapter = TapeAdapter(
        pl.concat([bars, later[0]]),
        pl.concat([tape, later[1].filter(pl.col("timestamp") > NOW), late]),
        pl.concat([quotes, later[2].filter(pl.col("timestamp") > NOW)]),
    )
    panel = pl.DataFrame([("AAA", NOW), ("AAA", NOW + ahead)], schema=KEYS, orient="row")
    known = TapeAdapter(pl.concat([bars, later[0].filter(pl.col("known_at") <= NOW)]), tape, quotes)
    assert_frame_equal(
        frames(adapter, panel).features.head(1),
        frames(known, panel.head(1)).features,
        check_exact=True,
    )


@pytest.fixture(scope="module")
def market() -> tuple[TapeAdapter, list[str]]:
    """Forty symbols: every third without trades, every fifth without quotes, every seventh with a short history."""
    symbols = [f"S{i:02d}" for i in range(40)]
    daily, tapes, quotes = [], [], []
    for i, symbol in enumerate(symbols):
        daily.append(random_bars(i, symbol=symbol, count=40 if i % 7 == 0 else 100))
        if i % 3:
            tapes += [random_tape(i, symbol=symbol), random_tape(i + 99, symbol=symbol, now=NOW - timedelta(hours=5))]
        if i % 5:
            quotes.append(quotes_before(random_tape(i, symbol=symbol)))
    return TapeAdapter(pl.concat(daily), pl.concat(tapes), pl.concat(quotes)), symbols


def test_a_batch_of_one_has_the_bits_of_a_batch_of_many(market: tuple[TapeAdapter, list[str]]) -> None:
    adapter, symbols = market
    many = frames(adapter, keys_at(symbols, NOW))
    for symbol in symbols:
        one = frames(adapter, one_key(symbol, NOW))
        assert_frame_equal(one.features, many.features.filter(symbol=symbol), check_exact=True)
        assert_frame_equal(one.details, many.details.filter(symbol=symbol), check_exact=True)


def test_a_panel_is_its_moments_one_by_one(
    market: tuple[TapeAdapter, list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    adapter, symbols = market
    moments = [NOW - timedelta(minutes=m) for m in (0, 1, 47, 300, 1440, 2000, 60 * 24 * 9)]
    panel = pl.DataFrame([(s, m) for m in moments for s in reversed(symbols)], schema=KEYS, orient="row")
    whole = frames(adapter, panel)
    assert whole.features.select("symbol", "timestamp").equals(panel)
    for row in range(0, panel.height, 11):
        one = frames(adapter, panel[row])
        assert_frame_equal(one.features, whole.features[row], rel_tol=1e-9, abs_tol=0.0)
    monkeypatch.setattr("gnosis_ray.engines.liquidity.liquidity_engine_v1.CHUNK", 37)
    chunked = frames(adapter, panel)
    assert_frame_equal(chunked.features, whole.features, check_exact=True)
    assert_frame_equal(chunked.details, whole.details, check_exact=True)


def test_details_are_the_profile(market: tuple[TapeAdapter, list[str]]) -> None:
    adapter, symbols = market
    found = frames(adapter, keys_at(symbols, NOW))
    assert found.details.schema == DETAILS
    assert found.details["name"].unique().to_list() == ["volume_profile"]
    by_symbol = found.details.group_by("symbol").agg(
        pl.col("value").sum(), poc=pl.col("x").get(pl.col("value").arg_max()), least=pl.col("value").min()
    )
    joined = by_symbol.join(found.features.select("symbol", told="poc"), on="symbol")
    assert joined.height == len(symbols)
    assert joined.select(((pl.col("value") - 1).abs() < 1e-9).all(), (pl.col("least") > 0).all()).row(0) == (True, True)
    assert joined.select(((pl.col("poc") / pl.col("told") - 1).abs() < 1e-12).all()).item()


def test_no_keys_give_no_rows_and_the_right_columns() -> None:
    empty = frames(TapeAdapter(), pl.DataFrame(schema=KEYS))
    assert empty.features.is_empty()
    assert {spec.name for spec in LIQUIDITY_FEATURES} <= set(empty.features.columns)


@pytest.fixture(scope="module")
def synthetic(config: Config) -> SyntheticSource:
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", category=Pandas4Warning)  # raised inside of exchange_calendars
        calendar = SessionCalendar.build("XNYS", date(2021, 12, 1), date(2027, 6, 30))
    return SyntheticSource(calendar, config.data.synthetic, config.market)


def test_planted_impact_and_spread_are_found(synthetic: SyntheticSource, config: Config) -> None:
    """Over 30 symbols: each lambda within four standard errors of the planted one, nine in ten within two."""
    now = config.data.synthetic.as_of
    symbols = [f"SYN{i}" for i in range(30)]
    found = LiquidityEngineV1(SourceAdapter(synthetic), CONFIG).frames(keys_at(symbols, now)).features
    errors = []
    for row in found.iter_rows(named=True):
        truth = synthetic.ground_truth(row["symbol"], now)
        standard_error = row["kyle_lambda"] / row["kyle_lambda_t"]
        errors.append((row["kyle_lambda"] - truth.kyle_lambda) / standard_error)
        assert row["quoted_spread_bps"] == pytest.approx(truth.spread_bps, rel=0.01)
        assert row["signed_volume_share"] == 1.0
    assert np.max(np.abs(errors)) < 4.0
    assert np.mean(np.abs(errors) < 2.0) >= 0.9
    assert abs(np.mean(errors)) < 4.0 / math.sqrt(len(errors))
