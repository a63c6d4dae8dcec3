"""Figures as a desk writes them."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gnosis_ray.app.features import ENGINE_FEATURES
from gnosis_ray.charts.number_formats import amount, dollars, measured, percent, price, short


@pytest.mark.parametrize(
    ("write", "value", "text"),
    [
        (dollars, 182.354, "$182.35"),
        (dollars, -12.0, "-$12.00"),
        (dollars, 1.2e9, "$1.20bn"),
        (dollars, math.inf, "unbounded"),
        (amount, 93_533.94, "$93.5k"),
        (amount, -3.16e9, "-$3.16bn"),
        (amount, 999_999.0, "$1.00m"),
        (amount, 0.0, "$0"),
        (short, 1_500_000.0, "1.5m"),
        (short, -45_000.0, "-45k"),
        (percent, 0.0, "0%"),
        (percent, 0.00045, "0.04%"),
        (percent, 0.00001, "0.001%"),
        (percent, 0.26446, "26.4%"),
        (percent, 1.0, "100%"),
        (price, 650.0, "650"),
        (price, 669.2100219, "669.21"),
    ],
)
def test_figures_are_written_in_three_digits(write: object, value: float, text: str) -> None:
    assert callable(write)
    assert write(value) == text


@given(st.floats(1e-3, 1e14))
def test_an_amount_says_its_size_within_half_of_its_last_digit(usd: float) -> None:
    sizes = {"tn": 1e12, "bn": 1e9, "m": 1e6, "k": 1e3}
    text = amount(usd).removeprefix("$")
    unit = next((name for name in sizes if text.endswith(name)), "")
    told = float(text.removesuffix(unit)) * sizes.get(unit, 1.0)
    assert told == pytest.approx(usd, rel=0.0051)


@pytest.mark.parametrize(
    ("value", "unit", "shown"),
    [
        (1.2e9, "USD per 1% move", ("$1.20bn", "per 1% move")),
        (0.562, "volatility a year", ("56.2%", "a year")),
        (-2.87, "percent of spot", ("-2.87%", "of spot")),
        (-0.0291, "volatility", ("-2.9 points", "of volatility")),
        (27.15, "calendar days", ("27.15", "calendar days")),
        (1.6e-06, "1 / million USD", ("1.6e-06", "1 / million USD")),
    ],
)
def test_a_unit_is_said_once(value: float, unit: str, shown: tuple[str, str]) -> None:
    assert measured(value, unit) == shown


def test_every_feature_can_be_written() -> None:
    for specs in ENGINE_FEATURES.values():
        for spec in specs:
            for value in (0.0, -1.0, 0.123456, 12_345.678, 9.9e10):
                assert measured(value, spec.unit)[0]
