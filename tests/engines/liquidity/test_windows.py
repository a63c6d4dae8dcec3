"""What a key may see: no more, no less, each event once."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import polars as pl

from gnosis_ray.engines.liquidity.windows import BarTable, since_break, trade_table
from gnosis_ray.market.columns import KEYS
from tests.support.tapes import NOW, random_bars, trades


def keys(*moments: tuple[str, int]) -> pl.DataFrame:
    """(symbol, minutes before now) a row."""
    return pl.DataFrame([(s, NOW - timedelta(minutes=m)) for s, m in moments], schema=KEYS, orient="row")


def test_events_are_within_and_known() -> None:
    tape = pl.concat([trades(np.arange(1.0, 601.0)), trades([5.0] * 10, symbol="BBB", delay_seconds=90)])
    asked = keys(("BBB", 0), ("AAA", 60), ("AAA", 0), ("CCC", 0))
    seen = trade_table(tape).window(asked, 30)
    for row, (symbol, now) in enumerate(asked.rows()):
        expected = tape.filter(
            (pl.col("symbol") == symbol)
            & (pl.col("timestamp") > now - timedelta(minutes=30))
            & (pl.col("timestamp") <= now)
            & (pl.col("known_at") <= now)
        )
        assert seen.filter(key=row)["price"].to_list() == expected["price"].to_list()
    assert seen.group_by("key").len().sort("key").rows() == [(0, 8), (1, 30), (2, 30)]


def test_an_event_told_twice_is_one_and_equal_prints_are_two() -> None:
    tape = trades([10.0, 10.0], step_seconds=0)
    again = tape.with_columns(known_at=pl.col("known_at") + pl.duration(hours=1))
    asked = keys(("AAA", 0), ("AAA", -90))
    assert trade_table(tape).window(asked, 120).height == 4
    assert trade_table(pl.concat([tape, again])).window(asked, 120).height == 4


def test_bars_are_as_known_at_each_key() -> None:
    """A corrected bar, and one that became known late, in a panel."""
    daily = random_bars(1, count=80)
    last = daily.tail(1)
    corrected = last.with_columns(close=pl.col("close") * 2, known_at=pl.col("known_at") + pl.duration(days=2))
    asked = pl.DataFrame([("AAA", NOW + timedelta(days=d)) for d in (3, 0, -5)], schema=KEYS, orient="row")
    window = BarTable(pl.concat([corrected, daily])).window(asked)
    close = daily["close"].to_numpy()
    assert window.close[0, -1] == close[-1] * 2
    np.testing.assert_array_equal(window.close[1], close[-60:])
    np.testing.assert_array_equal(window.close[2], close[-65:-5])
    assert window.last.to_list() == [NOW, NOW, NOW - timedelta(days=5)]


def test_short_histories_are_padded_on_the_left_and_bad_bars_left_out() -> None:
    daily = random_bars(2, count=30).with_columns(
        high=pl.when(pl.int_range(pl.len()) == 4).then(float("nan")).otherwise("high")
    )
    window = BarTable(daily).window(keys(("AAA", 0), ("ZZZ", 0)))
    assert window.count.tolist() == [29, 0]
    assert np.isnan(window.close[0, :31]).all()
    assert not np.isnan(window.close[0, 31:]).any()
    assert np.isnan(window.close[1]).all()


def test_bars_before_a_split_are_left_out() -> None:
    daily = random_bars(3, count=60)
    split = daily.with_columns(
        pl.when(pl.int_range(pl.len()) < 20).then(pl.col(c) * 3).otherwise(c).alias(c)
        for c in ("open", "high", "low", "close")
    )
    whole, broken = since_break(BarTable(daily).window(keys(("AAA", 0))))
    assert (whole.count.tolist(), broken.tolist()) == ([60], [False])
    kept, broken = since_break(BarTable(split).window(keys(("AAA", 0))))
    assert (kept.count.tolist(), broken.tolist()) == ([40], [True])
    np.testing.assert_array_equal(kept.high[0, 20:], daily["high"].to_numpy()[20:])
    assert np.isnan(kept.low[0, :20]).all()
