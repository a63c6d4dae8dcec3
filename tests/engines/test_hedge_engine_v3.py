"""What the hedge engine must say of books whose answer is known."""

from __future__ import annotations

import math
from datetime import timedelta

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from gnosis_ray.config import Config, load_config
from gnosis_ray.engines.hedge.hedge_engine_v3 import HedgeEngineV3
from gnosis_ray.market.keys import keys_at, one_key
from gnosis_ray.options.bsm import greeks
from gnosis_ray.schemas.core_schemas import EngineOutput
from tests.support.books import NOW, FixedAdapter, Interest, bars, book


def measure(chains: pl.DataFrame, daily: pl.DataFrame | None = None, config: Config | None = None) -> EngineOutput:
    """The engine on one symbol, with bars unless the test says otherwise."""
    settings_ = config or load_config().config
    return HedgeEngineV3(FixedAdapter(chains, bars() if daily is None else daily), settings_.engines.hedge).run(
        "AAA", NOW
    )


def everywhere(_kind: str, _strike: float, _days: int) -> float:
    return 100.0


def around(center: float, kind: str, size: float) -> Interest:
    """A little everywhere, ``size`` at one strike of one type."""
    return lambda k, strike, _days: size if (k == kind and strike == center) else 10.0


def test_a_symmetrical_book_is_neutral() -> None:
    output = measure(book(everywhere))
    assert output.regime == "neutral"
    assert output.features["gex_usd_per_pct"] == pytest.approx(0.0, abs=1e-6)
    assert output.features["gex_gross_usd_per_pct"] > 0
    assert output.confidence == pytest.approx(1.0)
    assert "degraded" not in output.metadata


def test_huge_call_interest_just_above_spot_is_a_squeeze_with_energy() -> None:
    output = measure(book(around(105.0, "C", 50_000.0)))
    assert output.regime == "gamma_squeeze"
    assert output.metadata["squeeze_basis"] == "customer_long_calls"
    assert output.features["hedge_regime_energy"] > 0.5
    assert output.features["call_wall"] == 105.0
    assert output.features["dist_call_wall_pct"] == pytest.approx(5.0)


def test_heavy_put_interest_is_a_short_gamma_squeeze() -> None:
    output = measure(book(around(95.0, "P", 50_000.0)))
    assert output.regime == "gamma_squeeze"
    assert output.metadata["squeeze_basis"] == "short_gamma"
    assert output.features["gamma_sign"] == -1.0
    assert output.features["put_wall"] == 95.0


def test_long_gamma_at_a_wall_that_expires_this_week_pins() -> None:
    output = measure(book(around(100.0, "C", 20_000.0), days=(3, 30)))
    assert output.regime == "pin"


def test_the_same_wall_a_month_away_does_not_pin() -> None:
    assert measure(book(around(100.0, "C", 20_000.0), days=(30, 60))).regime != "pin"


def test_vanna_leads_where_gamma_nets_out_and_skew_is_steep() -> None:
    def interest(kind: str, strike: float, _days: int) -> float:
        return {("P", 85.0): 5_000.0, ("C", 110.0): 4_700.0}.get((kind, strike), 10.0)

    output = measure(book(interest, smile=lambda k: 0.30 - 0.6 * k, days=(30, 60)), bars(daily_volume=1e9))
    assert abs(output.features["vex_usd_per_vol_point"]) > abs(output.features["gex_usd_per_pct"])
    assert output.features["skew_25d"] > 0.05
    assert output.regime == "vanna_flow"


@pytest.mark.parametrize("missing", [["vanna"], ["charm"], ["vanna", "charm"]])
def test_missing_greeks_take_all_confidence(missing: list[str]) -> None:
    output = measure(book(everywhere).drop(missing))
    assert output.confidence == 0.0
    assert output.metadata["degraded"] == "missing_greeks"
    assert "gex_usd_per_pct" not in output.features


def test_unavailable_open_interest_is_absent_and_never_volume() -> None:
    output = measure(book(lambda kind, strike, days: 500.0 if abs(strike - 100) > 10 else 0.0))
    assert output.regime == "illiquid_gamma"
    assert output.confidence == 0.0
    assert output.metadata["degraded"] == "open_interest_unavailable"
    weighted = {"gamma_pressure", "gex_usd_per_pct", "hedge_regime_energy", "call_wall", "zero_gamma", "charm_pressure"}
    assert weighted.isdisjoint(output.features)
    assert output.features["atm_iv_30d"] == pytest.approx(0.30)


def test_a_book_without_believable_volatility_is_named() -> None:
    blind = [pl.lit(None, pl.Float64).alias(c) for c in ("iv", "delta", "gamma", "vega", "theta", "vanna", "charm")]
    output = measure(book(everywhere).with_columns(blind))
    assert (output.confidence, output.regime) == (0.0, "illiquid_gamma")
    assert output.metadata["degraded"] == "no_implied_vol"


@pytest.mark.parametrize(("believed", "available"), [(3, False), (12, True)])
def test_a_few_contracts_do_not_speak_for_the_book(believed: int, available: bool, config: Config) -> None:
    strikes = tuple(91.0 + i for i in range(19))
    greeks_of = ("iv", "delta", "gamma", "vega", "theta", "vanna", "charm")
    chain = book(everywhere, strikes=strikes, days=(30,))
    blind = chain.with_row_index("row").with_columns(
        pl.when(pl.col("row") < believed).then(name).alias(name) for name in greeks_of
    )
    output = measure(blind.drop("row"))
    assert output.features["implied_vol_coverage"] == pytest.approx(believed / 38)
    assert (believed / 38 >= config.engines.hedge.min_implied_vol_coverage) is available is (output.confidence > 0)
    assert ("gex_usd_per_pct" in output.features) is available
    assert (output.metadata.get("degraded") == "no_implied_vol") is not available


def test_no_chain_is_named() -> None:
    output = measure(book(everywhere).clear())
    assert (output.confidence, output.regime, output.metadata) == (0.0, None, {"degraded": "no_chain"})
    assert output.features.keys() <= {"adv_usd", "sigma_daily"}


def test_no_bars_leave_the_energy_absent_and_say_so() -> None:
    output = measure(book(around(95.0, "P", 50_000.0)), bars().clear())
    assert "hedge_regime_energy" not in output.features
    assert output.metadata["degraded"] == "no_bars"
    assert output.features["gamma_sign"] == -1.0


def test_bars_without_volume_leave_the_energy_absent() -> None:
    """As an index's: a book over a volume of nothing would be infinite."""
    output = measure(book(around(95.0, "P", 50_000.0)), bars(daily_volume=0.0))
    assert {"hedge_regime_energy", "hedge_share_of_volume", "adv_usd"}.isdisjoint(output.features)
    assert output.metadata["degraded"] == "no_volume"


@pytest.mark.parametrize(("days", "fresh"), [(4, True), (200, False)])
def test_old_bars_say_nothing(days: int, fresh: bool) -> None:
    output = measure(book(around(95.0, "P", 50_000.0)), bars(now=NOW - timedelta(days=days)))
    assert (output.metadata.get("degraded") is None) is fresh
    assert ("hedge_regime_energy" in output.features) is fresh
    assert fresh or output.metadata["degraded"] == "stale_bars"


def test_the_exposure_behind_the_energy_turns_the_customers_block() -> None:
    turned = measure(book(around(105.0, "C", 50_000.0))).features
    plain = measure(book(around(95.0, "P", 50_000.0))).features
    assert turned["gex_usd_per_pct"] > 0 > turned["effective_gex_usd_per_pct"]
    assert plain["effective_gex_usd_per_pct"] == plain["gex_usd_per_pct"]


def test_gamma_that_has_died_out_is_no_root() -> None:
    """Calls only: gamma is never negative, so nothing can be zero-gamma, not even hours before expiry."""
    calls = book(lambda kind, _s, _d: 100.0 if kind == "C" else 0.0, days=(1,))
    tau = 0.1 / 365
    late = calls.with_columns(tau=pl.lit(tau), dte=pl.lit(0.1))
    output = measure(late)
    assert output.features["zero_gamma_roots"] == 0
    assert "zero_gamma" not in output.features


def test_morning_and_evening_contracts_of_a_day_are_two_books(config: Config) -> None:
    chain = book(lambda k, s, _d: 300.0 if (k, s) == ("C", 105.0) else 200.0, days=(14,))
    morning = chain.with_columns(
        settlement=pl.lit("AM"), tau=pl.col("tau") * 0.9, dte=pl.col("dte") * 0.9, iv=pl.col("iv") + 0.1
    )
    w = np.where(morning["type"] == "C", 1.0, -1.0)
    g = greeks(w, 100.0, morning["strike"].to_numpy(), morning["tau"].to_numpy(), 0.04, 0.0, 0.4)
    morning = morning.with_columns(pl.Series(n, getattr(g, n)) for n in ("delta", "gamma", "vanna", "charm"))
    both = pl.concat([chain, morning]).sort("symbol", "timestamp", "expiry", "strike", "type", "settlement")
    frames = HedgeEngineV3(FixedAdapter(both, bars()), config.engines.hedge).frames(one_key("AAA", NOW))
    at_spot = frames.details.filter((pl.col("name") == "gamma_profile") & ((pl.col("x") - 100.0).abs() < 1e-9))
    assert at_spot["value"][0] == pytest.approx(frames.features["gex_usd_per_pct"][0], rel=1e-9)


def test_stale_and_last_price_quotes_lower_confidence(config: Config) -> None:
    fresh = measure(book(everywhere))
    stale = measure(book(everywhere, sessions_behind=2))
    guessed = measure(book(everywhere, iv_source="last_smile"))
    decay = config.engines.hedge.stale_session_decay
    assert stale.confidence == pytest.approx(fresh.confidence * decay**2)
    assert stale.metadata["degraded"] == "stale_quotes"
    assert guessed.confidence == pytest.approx(0.5)
    assert guessed.metadata["degraded"] == "last_smile"


def test_exposures_are_their_formulas() -> None:
    """One call and one put contract, summed by hand."""
    pick = {("C", 105.0): 7.0, ("P", 95.0): 11.0}
    chain = book(lambda k, s, _d: pick.get((k, s), 0.0), strikes=(95.0, 105.0), days=(30,))
    features = measure(chain).features
    call = greeks(1.0, 100.0, 105.0, 30 / 365, 0.04, 0.0, 0.3)
    put = greeks(-1.0, 100.0, 95.0, 30 / 365, 0.04, 0.0, 0.3)
    assert features["gamma_pressure"] == pytest.approx((call.gamma * 7 + put.gamma * 11) * 100)
    assert features["vanna_pressure"] == pytest.approx(call.vanna * 7 + put.vanna * 11)
    assert features["charm_pressure"] == pytest.approx(call.charm * 7 + put.charm * 11)
    assert features["gex_usd_per_pct"] == pytest.approx((call.gamma * 7 - put.gamma * 11) * 100 * 100**2 * 0.01)
    assert features["vex_usd_per_vol_point"] == pytest.approx((call.vanna * 7 - put.vanna * 11) * 100 * 100 * 0.01)
    assert features["cex_usd_per_day"] == pytest.approx((call.charm * 7 - put.charm * 11) / 365 * 100 * 100)


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_the_profile_at_spot_is_the_net_exposure(seed: int) -> None:
    rng = np.random.default_rng(seed)
    chain = book(lambda *_: float(rng.integers(0, 1000)), smile=lambda k: 0.3 - 0.2 * k + 0.5 * k * k)
    engine = HedgeEngineV3(FixedAdapter(chain, bars()), load_config().config.engines.hedge)
    frames = engine.frames(one_key("AAA", NOW))
    at_spot = frames.details.filter((pl.col("name") == "gamma_profile") & ((pl.col("x") - 100.0).abs() < 1e-9))["value"]
    net = frames.features["gex_usd_per_pct"][0]
    gross = frames.features["gex_gross_usd_per_pct"][0]
    assert len(at_spot) == 1
    assert at_spot[0] == pytest.approx(net, abs=1e-9 * gross)


def test_zero_gamma_is_where_the_book_recomputed_from_scratch_nets_out() -> None:
    chain = book(lambda k, s, _d: {("C", 110.0): 900.0, ("P", 90.0): 1000.0}.get((k, s), 1.0))
    features = measure(chain).features
    level = features["zero_gamma"]

    def net(spot: float) -> float:
        w = np.where(chain["type"] == "C", 1.0, -1.0)
        g = greeks(w, spot, chain["strike"].to_numpy(), chain["tau"].to_numpy(), 0.04, 0.0, 0.3).gamma
        return float((w * g * chain["open_interest"].to_numpy()).sum() * spot * spot)

    assert features["zero_gamma_roots"] >= 1
    assert abs(net(level)) < 1e-3 * abs(net(level * 1.05))
    assert net(level - 1) * net(level + 1) < 0


def test_a_batch_of_one_equals_a_batch_of_many_bit_for_bit(config: Config) -> None:
    chains = pl.concat(
        [book(around(95.0 + 5 * (i % 3), "CP"[i % 2], 1000.0 * i), symbol=f"S{i:02d}", spot=97.0 + i) for i in range(9)]
    )
    daily = pl.concat([bars(symbol=f"S{i:02d}", sigma=0.01 + i / 1000) for i in range(9)])
    engine = HedgeEngineV3(FixedAdapter(chains, daily), config.engines.hedge)
    names = [f"S{i:02d}" for i in range(9)]
    many = engine.frames(keys_at(names, NOW))
    ones = [engine.frames(one_key(name, NOW)) for name in names]
    assert_frame_equal(many.features, pl.concat([o.features for o in ones]), check_exact=True)
    assert_frame_equal(many.details, pl.concat([o.details for o in ones]), check_exact=True)


def test_a_panel_of_days_equals_the_days_one_at_a_time(config: Config) -> None:
    days = [NOW + timedelta(days=d) for d in range(5)]
    chains = pl.concat([book(around(95.0, "P", 1000.0 * (i + 1)), now=day) for i, day in enumerate(days)])
    engine = HedgeEngineV3(FixedAdapter(chains, bars(count=120, now=days[-1])), config.engines.hedge)
    keys = pl.concat([one_key("AAA", day) for day in days])
    panel = engine.frames(keys).features
    single = pl.concat([engine.frames(one_key("AAA", day)).features for day in days])
    assert_frame_equal(panel, single, rel_tol=1e-9, abs_tol=0.0)


def test_thirty_day_volatility_is_linear_in_total_variance() -> None:
    chain = book(everywhere, days=(20, 40)).with_columns(iv=pl.when(pl.col("dte") == 20).then(0.20).otherwise(0.40))
    expected = math.sqrt((0.2**2 * 20 + 0.4**2 * 40) / 2 / 30)
    assert measure(chain).features["atm_iv_30d"] == pytest.approx(expected)


def test_a_wing_without_its_other_is_no_skew() -> None:
    """The near expiry lists no strike below spot: its call wing has no put wing to be held against."""
    chain = book(everywhere, days=(20, 40), smile=lambda k: 0.3 - 0.3 * k)
    far = measure(chain.filter(pl.col("dte") == 40)).features["skew_25d"]
    lopsided = chain.filter((pl.col("dte") == 40) | (pl.col("strike") >= 100.0))
    assert measure(lopsided).features["skew_25d"] == pytest.approx(far)


def test_volatility_far_from_thirty_days_is_absent() -> None:
    assert "atm_iv_30d" not in measure(book(everywhere, days=(7,))).features
    assert measure(book(everywhere, days=(20,))).features["atm_iv_30d"] == pytest.approx(0.30)


def test_dealer_convention_is_configurable_and_named() -> None:
    turned = load_config(flags={"engines.hedge.dealer_call_sign": -1, "engines.hedge.dealer_put_sign": 1}).config
    chain = book(around(95.0, "P", 5_000.0))
    plain, flipped = measure(chain), measure(chain, config=turned)
    assert flipped.features["gex_usd_per_pct"] == pytest.approx(-plain.features["gex_usd_per_pct"])
    assert plain.metadata["dealer_convention"] == "dealers: calls +1, puts -1"
    assert flipped.metadata["dealer_convention"] == "dealers: calls -1, puts +1"
