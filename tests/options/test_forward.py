"""Forwards by put-call parity, the carry they imply, and the rate curve."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gnosis_ray.config import Config, RatePoint, load_config
from gnosis_ray.options.bsm import price
from gnosis_ray.options.forward import implied_carry, spot_disagreements, zero_rates

RULES = load_config().config.market.forward
STRIKES = np.array([90.0, 98.0, 99.0, 100.0, 101.0, 102.0, 110.0])


def quotes(tau: float = 0.25, rate: float = 0.04, carry: float = 0.015, name: str = "A") -> pl.DataFrame:
    call, put = (price(w, 100.0, STRIKES, tau, rate, carry, 0.3) for w in (1, -1))
    figures = {"spot": 100.0, "rate": rate, "tau": tau, "expiry": name}
    return pl.DataFrame({"strike": STRIKES, "call_mid": call, "put_mid": put}).with_columns(
        pl.lit(value).alias(key) for key, value in figures.items()
    )


@given(st.floats(8 / 365, 2.0), st.floats(0.0, 0.08), st.floats(-0.05, 0.08))
@settings(deadline=None)
def test_the_forward_and_the_carry_are_found_again(tau: float, rate: float, carry: float) -> None:
    rules = RULES
    found = implied_carry(quotes(tau, rate, carry), ["expiry"], rules)
    assert found["forward"].item() == pytest.approx(100 * np.exp((rate - carry) * tau), rel=1e-12)
    assert found["carry"].item() == pytest.approx(carry, abs=1e-10)


def test_a_bad_quote_does_not_move_the_median(config: Config) -> None:
    spoiled = quotes().with_columns(call_mid=pl.when(pl.col("strike") == 100).then(50.0).otherwise("call_mid"))
    assert implied_carry(spoiled, ["expiry"], config.market.forward)["carry"].item() == pytest.approx(0.015, abs=1e-10)


def test_too_few_or_too_late_is_absent(config: Config) -> None:
    rules = config.market.forward
    frames = [
        quotes(name="B enough"),
        quotes(tau=7 / 365, name="A a week"),
        quotes(name="C two").filter(pl.col("strike").is_in([90.0, 99.0, 101.0, 110.0])),  # two within 3%
    ]
    assert implied_carry(pl.concat(frames), ["expiry"], rules)["expiry"].to_list() == ["B enough"]
    assert implied_carry(quotes().clear(), ["expiry"], rules).is_empty()


def test_options_on_another_share_are_found(config: Config) -> None:
    split = quotes(name="split").with_columns(spot=pl.lit(25.0))
    thin = split.head(2).with_columns(expiry=pl.lit("thin"))
    found = spot_disagreements(pl.concat([quotes(), split, thin]), ["expiry"], config.market.forward)
    assert found["expiry"].to_list() == ["split"]


def test_rates_are_linear_between_points_and_flat_outside() -> None:
    curve = [RatePoint(days=365, rate=0.05), RatePoint(days=30, rate=0.03)]
    found = zero_rates(np.array([0.0, 30.0, 197.5, 365.0, 4000.0]), curve)
    assert found == pytest.approx([0.03, 0.03, 0.04, 0.05, 0.05])
