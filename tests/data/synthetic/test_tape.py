"""The tape: Kyle's lambda, spread and sides can be read back; it agrees with the bar and the chain."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import numpy.typing as npt
import polars as pl
import pytest

from gnosis_ray.data.synthetic import SyntheticSource
from gnosis_ray.data.synthetic.params import symbol_params
from gnosis_ray.data.synthetic.paths import market_path, symbol_path
from gnosis_ray.data.synthetic.tape import TRADES_PER_SLICE, impact_of, session_tape
from gnosis_ray.data.synthetic.timeline import Timeline
from gnosis_ray.market.calendar import SessionCalendar
from gnosis_ray.market.keys import keys_at, one_key

NOW = datetime(2026, 7, 10, 20, tzinfo=UTC)
SESSION_MINUTES = 390
SYMBOLS = [f"S{i:03}" for i in range(40)]
SEED = 11
Floats = npt.NDArray[np.float64]


def _slope(x: Floats, y: Floats) -> float:
    return float(np.cov(x, y)[0, 1] / x.var(ddof=1))


def test_a_session_has_a_few_hundred_trades_inside_of_it(source: SyntheticSource) -> None:
    trades = source.trades(one_key("AAPL", NOW), 3 * SESSION_MINUTES)
    assert trades.height == SESSION_MINUTES
    assert trades["timestamp"].min() > datetime(2026, 7, 10, 13, 30, tzinfo=UTC)  # type: ignore[operator]
    assert trades["timestamp"].is_sorted()
    assert (trades["size"] >= 1).all()
    assert source.trades(one_key("AAPL", NOW + timedelta(hours=20)), 60).is_empty()


def test_regressing_price_changes_on_signed_volume_finds_kyle_lambda(source: SyntheticSource) -> None:
    errors = []
    for trades in source.trades(keys_at(SYMBOLS, NOW), SESSION_MINUTES).partition_by("symbol"):
        signed = trades.with_columns(
            change=pl.col("price").diff(),
            flow=pl.col("size") * pl.col("side").replace_strict({"buy": 1.0, "sell": -1.0}),
        ).drop_nulls(["change", "flow"])
        slope = _slope(signed["flow"].to_numpy(), signed["change"].to_numpy())
        errors.append(slope / source.ground_truth(trades["symbol"][0], NOW).kyle_lambda - 1.0)
    assert np.max(np.abs(errors)) < 0.45
    assert abs(np.mean(errors)) < 0.05


def test_lambda_holds_between_slices_too(calendar: SessionCalendar) -> None:
    timeline = Timeline(calendar)
    market = market_path(SEED, timeline.sessions)
    flows, moves = [], []
    for symbol in SYMBOLS[:10]:
        params = symbol_params(SEED, symbol)
        path = symbol_path(SEED, params, market)
        for session in range(100, 140):
            tape = session_tape(SEED, params, path, timeline, session)
            flow = tape.signed_sizes.reshape(-1, TRADES_PER_SLICE).sum(axis=1)
            flows.append(flow * impact_of(params, path, session).kyle_lambda / path.close(session - 1))
            moves.append(np.diff(path.marks(session, session)[0]) / path.close(session - 1))
    assert _slope(np.concatenate(flows), np.concatenate(moves)) == pytest.approx(1.0, abs=0.06)


def test_trades_stay_inside_of_the_bar_and_end_at_its_close(source: SyntheticSource) -> None:
    keys = keys_at(SYMBOLS, NOW)
    seen = (
        source.trades(keys, SESSION_MINUTES)
        .group_by("symbol", maintain_order=True)
        .agg(
            pl.col("price").min().alias("least"),
            pl.col("price").max().alias("most"),
            pl.col("price").last().alias("end"),
        )
    )
    both = seen.join(source.bars(keys, 1), on="symbol", validate="1:1")
    assert both.filter((pl.col("least") < pl.col("low")) | (pl.col("most") > pl.col("high"))).is_empty()
    assert (both["end"] - both["close"]).abs().max() <= 0.0051  # type: ignore[operator]


def test_the_chain_stands_at_the_last_trade_of_its_half_hour(source: SyntheticSource) -> None:
    mark = datetime(2026, 7, 10, 16, 30, tzinfo=UTC)
    keys = keys_at(SYMBOLS, mark)
    spots = source.raw_chains(keys).group_by("symbol").agg(pl.col("underlying_price").first())
    last = source.trades(keys, 30).group_by("symbol", maintain_order=True).agg(pl.col("price").last())
    both = spots.join(last, on="symbol", validate="1:1")
    assert (both["price"] - both["underlying_price"]).abs().max() <= 0.0051  # type: ignore[operator]


def test_some_sides_are_unknown(source: SyntheticSource) -> None:
    sides = source.trades(keys_at(SYMBOLS, NOW), SESSION_MINUTES)["side"]
    assert set(sides.drop_nulls()) == {"buy", "sell"}
    assert sides.null_count() / sides.len() == pytest.approx(0.08, abs=0.01)


def test_quotes_carry_the_planted_spread_and_tell_the_side(source: SyntheticSource) -> None:
    keys = keys_at(SYMBOLS, NOW)
    quotes = source.quotes(keys, SESSION_MINUTES)
    wide = (pl.col("ask") - pl.col("bid")) / (0.5 * (pl.col("ask") + pl.col("bid"))) * 1e4
    for symbol, bps in quotes.group_by("symbol").agg(wide.mean().alias("bps")).iter_rows():
        assert bps == pytest.approx(source.ground_truth(symbol, NOW).spread_bps, rel=0.01)
    trades = source.trades(keys, SESSION_MINUTES).drop_nulls("side").sort("timestamp")
    beside = trades.join_asof(quotes.sort("timestamp"), on="timestamp", by="symbol", check_sortedness=False)
    adapted = beside["price"] > 0.5 * (beside["bid"] + beside["ask"])
    assert (adapted == (beside["side"] == "buy")).all()
