"""What is fetched follows from what the engines declare to read."""

from __future__ import annotations

from datetime import timedelta

import pytest

from gnosis_ray.app.fetching import fetch_requirements, reference_symbols
from gnosis_ray.config import Config, load_config
from gnosis_ray.vendors.fetching import windows


def test_the_default_settings_fetch_as_far_back_as_ever(config: Config) -> None:
    assert windows(fetch_requirements(config)).back == {
        "bars": timedelta(days=511),
        "news": timedelta(hours=72),
        "trades": timedelta(minutes=390),
        "quotes": timedelta(minutes=390),
    }


@pytest.mark.parametrize(
    ("setting", "value", "kind", "window"),
    [
        ("engines.hedge.vix_window", 400, "bars", timedelta(days=598)),
        ("engines.hedge.cross_asset.beta_window", 399, "bars", timedelta(days=598)),
        ("engines.liquidity.lookback_minutes", 60, "trades", timedelta(hours=1)),
        ("engines.sentiment.news.lookback_hours", 24, "news", timedelta(days=1)),
    ],
)
def test_a_longer_look_back_of_an_engine_is_fetched(setting: str, value: int, kind: str, window: timedelta) -> None:
    config = load_config(flags={setting: value}).config
    assert windows(fetch_requirements(config)).back[kind] == window  # type: ignore[index]


def test_an_engine_that_is_not_enabled_is_fetched_for_but_reads_no_reference_symbols(config: Config) -> None:
    alone = load_config(flags={"engines.enabled": ["liquidity"], "engines.sentiment.processors": ["flow"]}).config
    assert fetch_requirements(alone) == fetch_requirements(config)
    assert reference_symbols(alone) == ()
    assert {"VIX", "SPX"} <= set(reference_symbols(config))
