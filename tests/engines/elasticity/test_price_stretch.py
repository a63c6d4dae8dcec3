"""The indicators' say in the cost of a move."""

from __future__ import annotations

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gnosis_ray.config import Config, load_config
from gnosis_ray.engines.elasticity.price_stretch import with_bias

NAMES = ("rsi_14", "bollinger_percent_b", "keltner_position")
CONFIG = load_config().config.engines.elasticity
maybe = st.none() | st.floats(-3.0, 4.0)


def bias(rsi: float | None, percent_b: float | None, position: float | None) -> tuple[float, float]:
    rows = pl.DataFrame([(rsi, percent_b, position)], schema=dict.fromkeys(NAMES, pl.Float64), orient="row")
    found = with_bias(rows, CONFIG).row(0, named=True)
    return found["indicator_bias_up"], found["indicator_bias_down"]


@pytest.mark.parametrize(
    ("indicators", "up"),
    [
        ((50.0, 0.5, 0.5), 1.0),
        ((70.0, 1.0, 1.0), 1.0),
        ((100.0, 1.25, 1.25), 1.25),
        ((0.0, -0.25, -0.25), 0.75),
        ((85.0, 0.5, 0.5), 1 + 0.25 * 0.5 / 3),
        ((85.0, None, None), 1.125),
        ((None, None, None), 1.0),
    ],
)
def test_bias_of_known_extremes(indicators: tuple[float | None, float | None, float | None], up: float) -> None:
    assert bias(*indicators) == pytest.approx((up, 2 - up))


@settings(deadline=None)
@given(rsi=st.none() | st.floats(0.0, 100.0), percent_b=maybe, position=maybe)
def test_bias_stays_within_its_limit_and_mirrors(
    rsi: float | None, percent_b: float | None, position: float | None
) -> None:
    up, down = bias(rsi, percent_b, position)
    assert 0.75 <= up <= 1.25
    assert up + down == pytest.approx(2.0)
    turned = bias(*(None if v is None else top - v for v, top in ((rsi, 100.0), (percent_b, 1.0), (position, 1.0))))
    assert turned == pytest.approx((down, up))


def test_the_limit_is_a_setting(config: Config) -> None:
    rows = pl.DataFrame([(100.0, 2.0, 2.0)], schema=dict.fromkeys(NAMES, pl.Float64), orient="row")
    none = with_bias(rows, config.engines.elasticity.replaced(bias_limit=0.0))
    assert none["indicator_bias_up"].to_list() == [1.0]
