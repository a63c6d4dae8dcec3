"""What the elasticity engine must say of markets whose answer is known."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import timedelta

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from gnosis_ray.config import Config, ElasticityConfig, load_config
from gnosis_ray.engines.base import EngineFrames
from gnosis_ray.engines.elasticity.elasticity_engine_v1 import ElasticityEngineV1
from gnosis_ray.engines.elasticity.features import COST_FEATURES
from gnosis_ray.engines.hedge.hedge_engine_v3 import HedgeEngineV3
from gnosis_ray.market.columns import BARS, KEYS
from gnosis_ray.market.keys import keys_at, one_key
from gnosis_ray.schemas.core_schemas import EngineKind, EngineOutput
from tests.support.books import NOW, FixedAdapter, Interest, bars, book

Upstream = Mapping[EngineKind, EngineFrames]
EVERY_CONTRACT_FEATURE = {
    "energy_to_move_1pct_up",
    "energy_to_move_1pct_down",
    "elasticity_up",
    "elasticity_down",
    "expected_move_cost_1_day",
}


def only(kind: str, strike: float, size: float) -> Interest:
    """Open interest of ``size`` at one strike of one type, one contract elsewhere."""
    return lambda k, s, _days: size if (k, s) == (kind, strike) else 1.0


def hedge_of(chains: pl.DataFrame, daily: pl.DataFrame, keys: pl.DataFrame | None = None) -> EngineFrames:
    engine = HedgeEngineV3(FixedAdapter(chains, daily), load_config().config.engines.hedge)
    return engine.frames(one_key("AAA", NOW) if keys is None else keys)


def liquidity_of(keys: pl.DataFrame, **columns: float | None) -> EngineFrames:
    """A liquidity frame that says what it is told."""
    said = {"kyle_lambda": None, "kyle_lambda_t": None, "confidence": 1.0} | columns
    return EngineFrames(keys.with_columns(pl.lit(v, pl.Float64).alias(n) for n, v in said.items()))


def engine(daily: pl.DataFrame, config: ElasticityConfig | None = None) -> ElasticityEngineV1:
    return ElasticityEngineV1(FixedAdapter(book(only("C", 100.0, 0.0)).clear(), daily), config or settings_())


def settings_(**flags: object) -> ElasticityConfig:
    return load_config(flags={f"engines.elasticity.{k}": v for k, v in flags.items()}).config.engines.elasticity


def measure(
    interest: Interest | None, daily: pl.DataFrame | None = None, config: ElasticityConfig | None = None
) -> EngineOutput:
    """One symbol with a hedge frame of that book (none without an interest) and a full liquidity frame."""
    daily = bars() if daily is None else daily
    upstream: dict[EngineKind, EngineFrames] = {"liquidity": liquidity_of(one_key("AAA", NOW))}
    if interest is not None:
        upstream["hedge"] = hedge_of(book(interest), daily)
    return engine(daily, config).run("AAA", NOW, upstream)


def energies(output: EngineOutput) -> tuple[float, float]:
    return output.features["energy_to_move_1pct_up"], output.features["energy_to_move_1pct_down"]


LONG, SHORT = only("C", 100.0, 5_000.0), only("P", 95.0, 5_000.0)


def test_liquid_and_long_gamma_costs_much_both_ways() -> None:
    output = measure(LONG, bars(daily_volume=1e8, sigma=0.008))
    thin = measure(None, bars(daily_volume=1e6, sigma=0.03))
    assert output.regime == "high_resistance"
    assert min(energies(output)) > 100 * max(energies(thin))
    assert min(energies(output)) > output.features["liquidity_cost_1pct"]
    assert output.features["unstable"] == 0.0
    assert output.features["self_feeding_move_pct"] == 0.0


def test_thin_and_short_gamma_costs_little_and_less_towards_the_wall() -> None:
    daily = bars(daily_volume=3e6, sigma=0.03)
    output, unhedged = measure(SHORT, daily), measure(None, daily)
    up, down = energies(output)
    assert down < up < energies(unhedged)[0]
    assert output.features["elasticity_down"] > output.features["elasticity_up"]
    assert output.features["hedge_cost_1pct_down"] < output.features["hedge_cost_1pct_up"] < 0


def test_a_call_wall_that_dealers_are_short_of_makes_up_the_easier_way() -> None:
    daily = bars(daily_volume=3e6, sigma=0.03)
    turned = load_config(flags={"engines.hedge.dealer_call_sign": -1}).config.engines.hedge
    frames = HedgeEngineV3(FixedAdapter(book(only("C", 105.0, 5_000.0)), daily), turned).frames(one_key("AAA", NOW))
    up, down = energies(engine(daily).run("AAA", NOW, {"hedge": frames}))
    assert up < down


def test_a_market_that_dealers_move_by_themselves_is_unstable_and_floored() -> None:
    output = measure(only("P", 95.0, 100_000.0))
    assert output.features["unstable"] == 1.0
    assert output.features["self_feeding_move_pct"] > 1.0
    assert output.metadata["floor"] == "up,down"
    assert output.regime == "low_resistance"
    assert output.features["energy_to_move_1pct_down"] == pytest.approx(0.01 * output.features["liquidity_cost_1pct"])


def test_the_formula_without_a_profile() -> None:
    daily = bars(daily_volume=1e7)
    hedge = EngineFrames(hedge_of(book(LONG), daily).features)
    upstream: Upstream = {"hedge": hedge, "liquidity": liquidity_of(one_key("AAA", NOW))}
    f = (output := engine(daily).run("AAA", NOW, upstream)).features
    gex = hedge.features["gex_usd_per_pct"][0]
    sigma = 0.02 * math.sqrt(math.pi / 2)
    adv = f["adv_usd"]
    a, b = adv / sigma**2, gex / 0.01
    assert f["sigma_daily"] == pytest.approx(sigma)
    assert f["liquidity_cost_1pct"] == pytest.approx(a * 1e-4)
    assert f["energy_to_move_1pct_up"] == pytest.approx(a * 1e-4 + gex) == f["energy_to_move_1pct_down"]
    assert f["elasticity_up"] == pytest.approx(100 * (-b + math.sqrt(b * b + 4 * a * 0.01 * adv)) / (2 * a))
    move = 0.30 / math.sqrt(252)
    assert f["exp_move_pct"] == pytest.approx(100 * move)
    assert f["expected_move_cost_1_day"] == pytest.approx(a * move**2 + b * move)
    assert output.metadata["hedge_basis"] == "gamma_at_spot"


def test_the_gamma_path_is_integrated_on_each_side() -> None:
    daily = bars(daily_volume=1e7)
    frames = hedge_of(book(SHORT), daily)
    output = engine(daily).run("AAA", NOW, {"hedge": frames})
    profile = frames.details.filter(pl.col("name") == "gamma_profile").sort("x")
    level, gex = np.log(profile["x"].to_numpy() / 100.0), profile["value"].to_numpy()
    for side, sign in (("up", 1.0), ("down", -1.0)):
        path = np.linspace(0.0, 0.01, 20_001)
        expected = np.interp(sign * path, level, gex).mean()
        assert output.features[f"hedge_cost_1pct_{side}"] == pytest.approx(expected, rel=1e-4)
    assert output.metadata["hedge_basis"] == "gamma_path"


@pytest.mark.parametrize("interest", [LONG, SHORT, None])
def test_more_depth_is_more_energy(interest: Interest | None) -> None:
    runs = [energies(measure(interest, bars(daily_volume=volume))) for volume in (1e6, 3e6, 1e7, 1e8)]
    assert runs == sorted(runs)
    assert len(set(runs)) == len(runs)


def test_more_dealer_short_gamma_is_less_energy_until_the_floor() -> None:
    runs = [energies(measure(only("P", 95.0, size), bars(daily_volume=1e7))) for size in (0.0, 1e3, 3e3, 1e4, 3e4, 1e5)]
    for side in (0, 1):
        values = [run[side] for run in runs]
        assert values == sorted(values, reverse=True)
        assert values[0] > values[2]


def test_energy_of_a_larger_impact_is_smaller() -> None:
    plain, doubled = measure(None), measure(None, config=settings_(impact_coefficient=2.0))
    assert energies(doubled)[0] == pytest.approx(energies(plain)[0] / 4)


@settings(max_examples=15, deadline=None)
@given(price=st.floats(0.1, 50.0), volume=st.floats(0.1, 100.0))
def test_prices_and_volumes_scale_energies_and_leave_shares(price: float, volume: float) -> None:
    plain = measure(None).features
    daily = bars().with_columns(
        *(pl.col(n) * price for n in ("open", "high", "low", "close")), volume=pl.col("volume") * volume
    )
    scaled = measure(None, daily).features
    for name in ("energy_to_move_1pct_up", "expected_move_cost_1_day", "liquidity_cost_1pct"):
        assert scaled[name] == pytest.approx(plain[name] * price * volume, rel=1e-8)
    for name in ("elasticity_up", "energy_share_of_adv", "energy_asymmetry", "rsi_14", "ret_5d"):
        assert scaled[name] == pytest.approx(plain[name], rel=1e-8)


def test_the_order_and_repeats_of_rows_change_nothing() -> None:
    daily = bars()
    key = one_key("AAA", NOW)
    hedge = hedge_of(book(SHORT), daily)
    upstream: Upstream = {"hedge": hedge, "liquidity": liquidity_of(key)}
    mixed: Upstream = {
        "hedge": EngineFrames(hedge.features, hedge.details.sample(fraction=1.0, shuffle=True, seed=3)),
        "liquidity": liquidity_of(key),
    }
    plain = engine(daily).frames(key, upstream).features
    shuffled = daily.sample(fraction=1.0, shuffle=True, seed=7)
    repeated = pl.concat([shuffled, daily.tail(5)])
    for other in (shuffled, repeated):
        found = ElasticityEngineV1.compute(engine(daily), key, {"bars": other}, mixed).features
        assert_frame_equal(found, plain, check_exact=True)


def test_the_future_changes_nothing() -> None:
    later = bars(count=150, now=NOW + timedelta(days=30))
    known = later.filter(pl.col("known_at") <= NOW)
    found = [engine(daily).frames(one_key("AAA", NOW)).features for daily in (later, known)]
    direct = engine(later).compute(one_key("AAA", NOW), {"bars": later}, {}).features
    assert_frame_equal(found[0], found[1], check_exact=True)
    assert_frame_equal(direct, found[1], check_exact=True)


def many(count: int = 9) -> tuple[list[str], pl.DataFrame, EngineFrames]:
    names = [f"S{i:02d}" for i in range(count)]
    daily = pl.concat([bars(symbol=n, sigma=0.01 + i / 300, daily_volume=1e6 * (i + 1)) for i, n in enumerate(names)])
    chains = pl.concat(
        [book(only("CP"[i % 2], 95.0 + 5 * (i % 3), 900.0 * i), symbol=n, spot=97.0 + i) for i, n in enumerate(names)]
    )
    return names, daily, hedge_of(chains, daily, keys_at(names, NOW))


def test_a_batch_of_one_equals_a_batch_of_many_bit_for_bit() -> None:
    names, daily, hedge = many()
    some = EngineFrames(
        hedge.features.filter(pl.col("symbol") != "S03"), hedge.details.filter(pl.col("symbol") != "S05")
    )
    keys = keys_at(names, NOW)
    upstream: Upstream = {"hedge": some, "liquidity": liquidity_of(keys, kyle_lambda=1e-6, kyle_lambda_t=5.0)}
    whole = engine(daily).frames(keys, upstream)
    ones = pl.concat([engine(daily).frames(one_key(n, NOW), upstream).features for n in names])
    assert_frame_equal(whole.features, ones, check_exact=True)
    assert whole.details.is_empty()


def test_a_panel_of_days_equals_the_days_one_at_a_time() -> None:
    days = [NOW + timedelta(days=d) for d in range(6)]
    daily = pl.concat([bars(symbol=s, count=120, sigma=0.02, now=days[-1]) for s in ("AAA", "BBB")])
    chains = pl.concat([book(only("P", 95.0, 1e3 * (i + 1)), now=day) for i, day in enumerate(days)])
    keys = pl.concat([one_key(s, day) for s in ("BBB", "AAA") for day in days])
    hedge = hedge_of(chains, daily, keys)
    panel = engine(daily).frames(keys, {"hedge": hedge}).features
    single = pl.concat([engine(daily).frames(keys[i], {"hedge": hedge}).features for i in range(len(keys))])
    assert_frame_equal(panel, single, rel_tol=1e-9, abs_tol=0.0)
    assert panel.select(KEYS.names()).equals(keys)


def test_without_the_hedge_engine_half_the_confidence_is_left() -> None:
    output = measure(None)
    assert output.confidence == pytest.approx(0.5)
    assert output.metadata["degraded"] == "no_hedge,no_implied_vol"
    assert output.metadata["expected_move_basis"] == "sigma_daily"
    assert "hedge_basis" not in output.metadata
    assert output.features.keys() >= EVERY_CONTRACT_FEATURE
    assert {"hedge_cost_1pct_up", "self_feeding_move_pct", "unstable"}.isdisjoint(output.features)
    assert energies(output) == pytest.approx((output.features["liquidity_cost_1pct"],) * 2)


def test_a_book_that_cannot_be_weighed_is_no_hedge_but_keeps_its_volatility() -> None:
    output = measure(lambda _kind, strike, _days: 500.0 if abs(strike - 100) > 10 else 0.0)
    assert output.metadata["degraded"] == "no_hedge"
    assert output.confidence == pytest.approx(0.5)
    assert output.features["exp_move_pct"] == pytest.approx(30 / math.sqrt(252))


def test_the_hedge_engines_confidence_counts_for_the_other_half() -> None:
    daily, key = bars(), one_key("AAA", NOW)
    hedge = hedge_of(book(LONG), daily)
    doubted = EngineFrames(hedge.features.with_columns(confidence=pl.lit(0.4)), hedge.details)
    output = engine(daily).run("AAA", NOW, {"hedge": doubted, "liquidity": liquidity_of(key)})
    assert output.confidence == pytest.approx(0.5 + 0.5 * 0.4)
    assert "degraded" not in output.metadata


def test_without_the_liquidity_engine_bars_alone_are_trusted_less() -> None:
    daily = bars()
    with_it = measure(LONG, daily)
    without = engine(daily).run("AAA", NOW, {"hedge": hedge_of(book(LONG), daily)})
    assert without.confidence == pytest.approx(0.6)
    assert without.metadata["degraded"] == "no_liquidity"
    assert energies(without) == energies(with_it)


def test_more_trust_in_liquidity_is_never_less_trust_in_the_cost() -> None:
    key = one_key("AAA", NOW)
    for daily in (bars(), bars(now=NOW - timedelta(days=6)), bars(count=30)):
        said: list[Upstream] = [{"liquidity": liquidity_of(key, confidence=c)} for c in (0, 0.1, 0.3, 0.6, 0.8, 1)]
        found = [engine(daily).run("AAA", NOW, upstream).confidence for upstream in ({}, *said)]
        assert found == sorted(found)
        assert found[0] == found[4] < found[5] < found[6]


def test_a_symbol_that_an_engine_failed_on_is_measured_without_it() -> None:
    names, daily, hedge = many(3)
    absent = EngineFrames(
        hedge.features.filter(pl.col("symbol") != "S01"), hedge.details.filter(pl.col("symbol") != "S01")
    )
    rows = engine(daily).frames(keys_at(names, NOW), {"hedge": absent}).features
    assert rows["meta__degraded"].to_list() == ["no_liquidity", "no_hedge,no_liquidity,no_implied_vol", "no_liquidity"]


def test_without_bars_there_is_no_energy_and_no_confidence() -> None:
    output = engine(pl.DataFrame(schema=BARS)).run("AAA", NOW, {"hedge": hedge_of(book(LONG), bars())})
    assert output.confidence == 0.0
    assert output.regime is None
    assert output.features == {}
    assert output.metadata == {"degraded": "no_bars,no_liquidity,short_history"}


def test_a_price_that_never_moves_has_no_energy() -> None:
    output = measure(LONG, bars(sigma=0.0))
    assert output.confidence == 0.0
    assert {spec.name for spec in COST_FEATURES}.isdisjoint(output.features)
    assert "no_movement" in output.metadata["degraded"]


def test_old_bars_are_named() -> None:
    fresh, stale = measure(LONG, bars(now=NOW - timedelta(days=4))), measure(LONG, bars(now=NOW - timedelta(days=6)))
    assert fresh.confidence == pytest.approx(1.0)
    assert stale.confidence == pytest.approx(0.75)
    assert stale.metadata["degraded"] == "stale_bars"


def test_a_short_history_has_energies_and_lacks_indicators() -> None:
    output = measure(LONG, bars(count=30))
    assert output.metadata["degraded"] == "short_history"
    assert output.confidence == pytest.approx(0.9)
    assert "rsi_14" not in output.features
    assert output.features.keys() >= EVERY_CONTRACT_FEATURE


def test_an_unadjusted_split_is_named() -> None:
    prices = ("open", "high", "low", "close")
    before = pl.col("timestamp") < NOW - timedelta(days=3)
    daily = bars().with_columns(pl.when(before).then(pl.col(n) * 4).otherwise(n).alias(n) for n in prices)
    output = measure(LONG, daily)
    assert output.metadata["degraded"] == "price_break,short_history"
    assert "ret_5d" not in output.features


@pytest.mark.parametrize(("t", "known"), [(3.0, True), (1.0, False), (None, False)])
def test_the_kyle_cost_stands_apart_and_needs_significance(t: float | None, known: bool) -> None:
    daily, key = bars(), one_key("AAA", NOW)
    liquidity = liquidity_of(key, kyle_lambda=2e-6, kyle_lambda_t=t)
    output = engine(daily).run("AAA", NOW, {"liquidity": liquidity})
    expected = 0.01 * 100.0 * 100.0 / 2e-6
    assert output.features.get("kyle_energy_to_move_1pct") == (pytest.approx(expected) if known else None)
    assert energies(output) == energies(engine(daily).run("AAA", NOW))


def trend(growth: float) -> pl.DataFrame:
    """A price that climbs or falls every day, faster at the end."""
    daily = bars(count=90)
    step = np.where(np.arange(90) > 80, 3.0, 1.0) * growth * np.where(np.arange(90) % 7 == 0, -0.2, 1.0)
    close = 100 * np.exp(np.cumsum(step))
    shape = {"open": close, "high": close * 1.001, "low": close * 0.999, "close": close}
    return daily.with_columns(pl.Series(name, values) for name, values in shape.items())


def test_a_stretched_price_is_easier_to_send_back() -> None:
    risen, fallen = measure(None, trend(0.01)), measure(None, trend(-0.01))
    assert risen.features["rsi_14"] > 90
    assert risen.features["indicator_bias_up"] > 1.1
    assert risen.regime == "asymmetric_down"
    assert fallen.regime == "asymmetric_up"
    up, down = energies(risen)
    assert up / risen.features["liquidity_cost_1pct"] == pytest.approx(risen.features["indicator_bias_up"])
    assert down / risen.features["liquidity_cost_1pct"] == pytest.approx(risen.features["indicator_bias_down"])
    assert risen.features["elasticity_down"] > risen.features["elasticity_up"]


@pytest.mark.parametrize(
    ("sigma", "regime"), [(0.008, "high_resistance"), (0.016, "balanced"), (0.03, "low_resistance")]
)
def test_resistance_is_told_by_the_share_of_a_days_volume(sigma: float, regime: str) -> None:
    output = measure(None, bars(sigma=sigma))
    assert output.regime == regime
    assert output.features["energy_share_of_adv"] == pytest.approx((0.01 / output.features["sigma_daily"]) ** 2)


def test_every_declared_feature_is_a_column(config: Config) -> None:
    names, daily, hedge = many(2)
    frame = ElasticityEngineV1(FixedAdapter(book(LONG), daily), config.engines.elasticity).frames(
        keys_at(names, NOW), {"hedge": hedge}
    )
    numbers = [spec.name for spec in ElasticityEngineV1.features]
    assert frame.features.columns[: 2 + len(numbers)] == ["symbol", "timestamp", *numbers]
    assert all(frame.features.schema[n] == pl.Float64 for n in numbers)
    empty = engine(daily).frames(keys_at(names, NOW).clear()).features
    assert empty.height == 0
    assert empty.columns == frame.features.columns
