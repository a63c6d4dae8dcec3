"""Chains: no arbitrage, carry and volatility that can be read back, walls and signs as planted."""

from __future__ import annotations

from datetime import UTC, date, datetime

import numpy as np
import polars as pl
import pytest

from gnosis_ray.config import Config
from gnosis_ray.data.synthetic import GroundTruth, SyntheticSource
from gnosis_ray.data.synthetic.params import symbol_params
from gnosis_ray.market.calendar import SessionCalendar
from gnosis_ray.market.keys import keys_at, one_key
from gnosis_ray.options.bsm import greeks

NOW = datetime(2026, 7, 9, 20, tzinfo=UTC)
HALF_HOUR = datetime(2026, 7, 10, 18, 30, tzinfo=UTC)
HOLIDAY_WEEK = datetime(2026, 6, 15, 20, tzinfo=UTC)
SYMBOLS = [f"S{i:03}" for i in range(60)]
RATE = 0.04


@pytest.fixture(scope="module", params=[NOW, HALF_HOUR], ids=["close", "in session"])
def priced(request: pytest.FixtureRequest, source: SyntheticSource, calendar: SessionCalendar) -> pl.DataFrame:
    """Chains with tau, and the gamma and signed gamma that the planted surface gives each contract."""
    chains = source.raw_chains(keys_at(SYMBOLS, request.param))
    truths = {symbol: source.ground_truth(symbol, request.param) for symbol in SYMBOLS}
    return pl.concat(
        [_with_gamma(chain, truths[chain["symbol"][0]], calendar) for chain in chains.partition_by("symbol")]
    )


def _with_gamma(chain: pl.DataFrame, truth: GroundTruth, calendar: SessionCalendar) -> pl.DataFrame:
    ends = calendar.close_on(chain["expiry"].to_numpy())
    taken = chain["event_time"].dt.replace_time_zone(None).to_numpy()
    tau = (ends - taken) / np.timedelta64(1, "us") / (365 * 86_400e6)
    strike, spot = chain["strike"].to_numpy(), chain["underlying_price"].to_numpy()
    forward = spot * np.exp((RATE - truth.carry) * tau)
    sigma = truth.surface.implied_vol(np.log(strike / forward), tau)
    side = np.where(chain["type"] == "C", 1.0, -1.0)
    values = greeks(side, spot, strike, tau, RATE, truth.carry, sigma)
    return chain.with_columns(
        tau=pl.Series(tau),
        forward=pl.Series(forward),
        true_iv=pl.Series(sigma),
        fair=pl.Series(values.price),
        gamma_oi=pl.Series(values.gamma) * pl.col("open_interest"),
        truth_positioning=pl.lit(truth.positioning),
        call_wall=pl.lit(truth.call_wall),
        put_wall=pl.lit(truth.put_wall),
        gamma_sign=pl.lit(truth.gamma_sign),
    )


def _sides(priced: pl.DataFrame) -> pl.DataFrame:
    keys = ["symbol", "expiry", "strike", "underlying_price", "tau", "forward"]
    return priced.pivot("type", index=keys, values=["bid", "ask"])


def test_every_listed_contract_is_there_once_with_whole_cents(priced: pl.DataFrame) -> None:
    assert priced.select("symbol", "expiry", "strike", "type").is_unique().all()
    sizes = priced.group_by("symbol").len()["len"]
    assert 150 <= sizes.mean() <= 400  # type: ignore[operator]
    cents = pl.col("bid", "ask", "last") * 100
    assert priced.select((cents - cents.round()).abs().max()).max_horizontal().item() < 1e-6
    assert (priced["strike"] / priced["underlying_price"] - 1.0).abs().max() <= 0.25 + 1e-9  # type: ignore[operator]


def test_quotes_straddle_the_fair_price(priced: pl.DataFrame) -> None:
    assert priced.filter((pl.col("bid") > pl.col("fair")) | (pl.col("ask") < pl.col("fair"))).is_empty()
    assert (priced["ask"] > priced["bid"]).all()
    assert (priced["bid"] == 0.0).any()
    assert priced.filter((pl.col("bid") == 0.0) & (pl.col("fair") > 0.05)).is_empty()


def test_puts_and_calls_are_in_parity_within_their_spreads(priced: pl.DataFrame) -> None:
    sides = _sides(priced)
    parity = (-RATE * pl.col("tau")).exp() * (pl.col("forward") - pl.col("strike"))
    broken = (pl.col("bid_C") - pl.col("ask_P") > parity + 1e-9) | (pl.col("ask_C") - pl.col("bid_P") < parity - 1e-9)
    assert sides.filter(broken).is_empty()


def test_the_planted_carry_can_be_read_from_three_strikes_near_spot(
    priced: pl.DataFrame, source: SyntheticSource
) -> None:
    two_sided = (pl.col("bid_C") > 0) & (pl.col("bid_P") > 0)
    near = (pl.col("strike") / pl.col("underlying_price") - 1).abs() <= 0.03
    gap = 0.5 * (pl.col("bid_C") + pl.col("ask_C") - pl.col("bid_P") - pl.col("ask_P"))
    found = (
        _sides(priced)
        .filter(two_sided & near & (pl.col("tau") > 60 / 365))
        .with_columns(found=pl.col("strike") + (RATE * pl.col("tau")).exp() * gap)
        .group_by("symbol", "expiry")
        .agg(pl.len(), pl.col("underlying_price", "tau").first(), pl.col("found").median())
        .with_columns(carry=RATE - (pl.col("found") / pl.col("underlying_price")).log() / pl.col("tau"))
    )
    assert found["len"].min() >= 3  # type: ignore[operator]
    for symbol, price, tau, carry in found.select("symbol", "underlying_price", "tau", "carry").iter_rows():
        assert carry == pytest.approx(source.ground_truth(symbol, NOW).carry, abs=0.01 / price / tau + 1e-9)


def test_fair_prices_admit_no_static_arbitrage(priced: pl.DataFrame) -> None:
    calls = priced.filter(pl.col("type") == "C").sort("symbol", "expiry", "strike")
    slope = (pl.col("fair").diff() / pl.col("strike").diff()).over("symbol", "expiry")
    slopes = calls.with_columns(slope=slope).with_columns(bend=pl.col("slope").diff().over("symbol", "expiry"))
    assert slopes["slope"].max() <= 1e-9  # type: ignore[operator]
    assert slopes["slope"].min() >= -1.0 - 1e-9  # type: ignore[operator]
    assert slopes["bend"].min() >= -1e-9  # type: ignore[operator]


def test_total_variance_grows_with_time_at_every_moneyness(source: SyntheticSource) -> None:
    tau = np.geomspace(0.5 / 365, 1.0, 60)[:, None]
    k = np.linspace(-0.4, 0.4, 81)
    for symbol in SYMBOLS:
        variance = source.ground_truth(symbol, NOW).surface.implied_vol(k, tau) ** 2 * tau
        assert (np.diff(variance, axis=0) > 0).all()


def test_the_surface_tells_its_own_level_and_slope(source: SyntheticSource) -> None:
    surface = source.ground_truth("AAPL", NOW).surface
    assert float(surface.implied_vol(0.0, 0.1)) == pytest.approx(float(surface.atm(0.1)), rel=1e-12)
    slope = float(surface.implied_vol(1e-5, 0.1) - surface.implied_vol(-1e-5, 0.1)) / 2e-5
    theta = float(surface.atm(0.1)) ** 2 * 0.1
    # d sigma / d k at k = 0 of the SSVI surface: rho eta / (2 sqrt(tau (1 + theta)))
    assert slope == pytest.approx(surface.rho * surface.eta / (2 * np.sqrt(0.1 * (1 + theta))), rel=1e-5)
    assert slope < 0


def test_stress_lifts_the_front_of_the_term_structure(source: SyntheticSource) -> None:
    truths = [source.ground_truth(symbol, NOW) for symbol in SYMBOLS]
    ratio = {t.symbol: float(t.surface.atm(7 / 365) / t.surface.atm(180 / 365)) for t in truths}
    stressed = [ratio[t.symbol] for t in truths if t.regime == "stressed"]
    calm = [ratio[t.symbol] for t in truths if t.regime == "calm"]
    assert min(len(stressed), len(calm)) >= 3
    assert np.mean(stressed) > np.mean(calm) + 0.1


def test_about_half_of_the_vendors_give_the_true_volatility(priced: pl.DataFrame) -> None:
    given = priced.group_by("symbol").agg(pl.col("vendor_iv").is_not_null().mean())["vendor_iv"]
    assert set(given) == {0.0, 1.0}
    assert 0.3 < float(given.mean()) < 0.7  # type: ignore[arg-type]
    assert (priced["vendor_iv"] - priced["true_iv"]).abs().max() <= 0.5e-4 + 1e-12  # type: ignore[operator]


@pytest.mark.parametrize(("kind", "wall"), [("C", "call_wall"), ("P", "put_wall")])
def test_the_largest_gamma_of_a_side_stands_at_its_planted_wall(priced: pl.DataFrame, kind: str, wall: str) -> None:
    found = (
        priced.filter(pl.col("type") == kind)
        .group_by("symbol", "strike", wall, "underlying_price")
        .agg(pl.col("gamma_oi").sum())
        .sort("symbol", "gamma_oi", descending=[False, True])
        .group_by("symbol", maintain_order=True)
        .first()
    )
    assert found.height == len(SYMBOLS)
    assert (found["strike"] == found[wall]).all()
    above = found["strike"] > found["underlying_price"]
    assert above.all() if kind == "C" else not above.any()


def test_net_dealer_gamma_has_the_planted_sign(priced: pl.DataFrame) -> None:
    signed = pl.when(pl.col("type") == "C").then(pl.col("gamma_oi")).otherwise(-pl.col("gamma_oi"))
    books = priced.group_by("symbol", "truth_positioning", "gamma_sign").agg(
        net=signed.sum() / pl.col("gamma_oi").sum()
    )
    assert set(books["truth_positioning"]) == {"long_gamma", "short_gamma", "balanced", "squeeze"}
    found = pl.when(pl.col("net").abs() < 0.05).then(0.0).otherwise(pl.col("net").sign())
    assert books.filter(found != pl.col("gamma_sign")).is_empty()


def test_only_a_squeeze_has_most_gamma_in_calls_just_above_spot(priced: pl.DataFrame) -> None:
    moneyness = pl.col("strike") / pl.col("underlying_price") - 1
    block = (pl.col("type") == "C") & (moneyness > 0) & (moneyness <= 0.05)
    share = pl.col("gamma_oi").filter(block).sum() / pl.col("gamma_oi").sum()
    books = priced.group_by("symbol", "truth_positioning").agg(share=share)
    assert ((books["truth_positioning"] == "squeeze") == (books["share"] > 0.5)).all()


def test_gross_gamma_is_worth_its_share_of_turnover(
    priced: pl.DataFrame, source: SyntheticSource, config: Config
) -> None:
    taken = priced["event_time"][0]
    ratios = []
    for symbol, gross, spot in (
        priced.group_by("symbol").agg(pl.col("gamma_oi").sum(), pl.col("underlying_price").first()).iter_rows()
    ):
        truth = source.ground_truth(symbol, taken)
        turnover = symbol_params(config.data.synthetic.seed, symbol).dollar_volume
        ratios.append(gross * 100 * spot**2 * truth.volatility / np.sqrt(252) / turnover / truth.gross_energy)
    assert min(ratios) > 0.97
    assert np.median(ratios) == pytest.approx(1.0, abs=0.01)


def test_expiries_are_fridays_or_the_session_before_a_holiday(source: SyntheticSource) -> None:
    listed = source.raw_chains(one_key("AAPL", HOLIDAY_WEEK))["expiry"].unique().sort().to_list()
    assert listed[:4] == [date(2026, 6, 18), date(2026, 6, 26), date(2026, 7, 2), date(2026, 7, 10)]
    assert listed[4:] == [date(2026, m, d) for m, d in ((7, 17), (8, 21), (9, 18), (10, 16), (11, 20))]


def test_an_expiry_lives_until_its_close(source: SyntheticSource) -> None:
    friday = date(2026, 7, 10)
    during = source.raw_chains(one_key("AAPL", HALF_HOUR))["expiry"].min()
    after = source.raw_chains(one_key("AAPL", datetime(2026, 7, 10, 20, tzinfo=UTC)))["expiry"].min()
    assert during == friday
    assert after == date(2026, 7, 17)
