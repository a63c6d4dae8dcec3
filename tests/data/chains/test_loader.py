"""What a loaded chain says: volatilities at quote time, greeks as of now, one volatility a strike, nothing made up."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from gnosis_ray.config import Config
from gnosis_ray.data.chains import ChainLoader
from gnosis_ray.data.chains.report import LoadReport
from gnosis_ray.errors import SchemaError
from gnosis_ray.market.columns import CHAIN
from gnosis_ray.options.bsm import greeks
from tests.data.chains.books import CALENDAR, NOW, RATE, book, closes_at, unquoted, years

SUNDAY = datetime(2026, 7, 12, 12, 0, tzinfo=UTC)
CLOSE = datetime(2026, 7, 10, 20, 0, tzinfo=UTC)


@pytest.fixture(scope="module")
def loader(config: Config) -> ChainLoader:
    return ChainLoader(CALENDAR, config.market)


def reasons(loader: ChainLoader, raw: pl.DataFrame) -> dict[str, int]:
    report = loader.load_with_report(raw).report
    return {row["reason"]: row["rows"] for row in report.iter_rows(named=True)}


def test_columns_types_and_order(loader: ChainLoader) -> None:
    raw = pl.concat([book("ZZZ"), book("AAA"), book("AAA", expiry=date(2026, 7, 17))]).sample(
        fraction=1.0, shuffle=True, seed=1
    )
    chain = loader.load(raw)
    assert chain.schema == CHAIN
    assert list(chain.schema) == list(CHAIN)
    order = ["symbol", "timestamp", "expiry", "strike", "type"]
    assert_frame_equal(chain.select(order), chain.select(order).sort(order))
    assert chain.height == raw.height


def test_volatility_carry_and_greeks_are_found_again(loader: ChainLoader) -> None:
    chain = loader.load(book(sigma=0.3, carry=0.012))
    assert chain["iv"].to_numpy() == pytest.approx(0.3, rel=1e-9)
    assert chain["carry"].to_numpy() == pytest.approx(0.012, abs=1e-9)
    assert not chain["carry_assumed"].any()
    assert set(chain["iv_source"]) == {"mid"}
    tau = years(NOW, closes_at(date(2026, 8, 21)))
    w = np.where(chain["type"] == "C", 1.0, -1.0)
    expected = greeks(w, 100.0, chain["strike"].to_numpy(), tau, RATE, 0.012, 0.3)
    for name in ("delta", "gamma", "vega", "theta", "vanna", "charm"):
        np.testing.assert_allclose(chain[name].to_numpy(), getattr(expected, name), rtol=1e-6)


def test_quotes_are_inverted_at_their_own_time_and_valued_now(loader: ChainLoader) -> None:
    raw = book(event_time=SUNDAY - timedelta(hours=6), timestamp=SUNDAY, quoted_at=CLOSE)
    chain = loader.load(raw)
    assert chain["iv"].to_numpy() == pytest.approx(0.3, rel=1e-9)
    assert chain["quote_time"].unique().to_list() == [CLOSE]
    assert chain["sessions_behind"].unique().to_list() == [0]
    left = (closes_at(date(2026, 8, 21)) - SUNDAY) / timedelta(days=1)
    assert chain["dte"].to_numpy() == pytest.approx(left)
    assert chain["tau"].to_numpy() == pytest.approx(left / 365)
    expected = greeks(1, 100.0, 100.0, left / 365, RATE, chain["carry"][0], 0.3).gamma
    at_the_money = chain.filter((pl.col("strike") == 100) & (pl.col("type") == "C"))
    assert at_the_money["gamma"].item() == pytest.approx(float(expected), rel=1e-9)


def test_a_quote_that_missed_a_session_says_so(loader: ChainLoader) -> None:
    before_open = datetime(2026, 7, 10, 6, 0, tzinfo=UTC)
    raw = book(event_time=before_open, timestamp=SUNDAY, quoted_at=datetime(2026, 7, 9, 20, tzinfo=UTC))
    chain = loader.load(raw)
    assert chain["sessions_behind"].unique().to_list() == [1]
    assert chain["iv"].to_numpy() == pytest.approx(0.3, rel=1e-9)


def test_zero_days_to_expiry_are_a_fraction_and_the_dead_are_dropped(loader: ChainLoader) -> None:
    today = book(expiry=date(2026, 7, 10), sigma=0.4, carry=0.0, strikes=(99, 100, 101))
    chain = loader.load(today)
    assert chain["dte"].to_numpy() == pytest.approx(5 / 24)
    assert chain["iv"].to_numpy() == pytest.approx(0.4, rel=1e-9)
    assert chain["carry_assumed"].all()
    dead = today.with_columns(timestamp=pl.lit(CLOSE).cast(pl.Datetime("us", "UTC")))
    assert loader.load(dead).is_empty()
    assert reasons(loader, dead) == {"expired": 6}
    morning = book(expiry=date(2026, 7, 10)).with_columns(settlement=pl.lit("AM"))
    assert reasons(loader, morning) == {"expired": 22}


def test_morning_and_evening_settlement_stand_side_by_side(loader: ChainLoader) -> None:
    third_friday = date(2026, 8, 21)
    raw = pl.concat([book(expiry=third_friday, settlement="PM"), book(expiry=third_friday, settlement="AM")])
    chain = loader.load(raw)
    assert chain.height == raw.height
    assert chain["iv"].to_numpy() == pytest.approx(0.3, rel=1e-9)
    lives = chain.group_by("settlement").agg(pl.col("dte").first()).sort("settlement")["dte"]
    assert lives[1] - lives[0] == pytest.approx(6.5 / 24)


def test_the_out_of_the_money_side_speaks_for_both(loader: ChainLoader) -> None:
    in_the_money = ((pl.col("type") == "C") & (pl.col("strike") < 100)) | (
        (pl.col("type") == "P") & (pl.col("strike") > 100)
    )
    raw = book().with_columns(pl.when(in_the_money).then(pl.col(n) * 1.5).otherwise(n).alias(n) for n in ("bid", "ask"))
    far = loader.load(raw).filter((pl.col("strike") - 100).abs() > 6)
    assert far.height == 8
    assert far.group_by("expiry", "strike").agg(pl.col("iv").n_unique())["iv"].to_list() == [1] * 4


def test_a_strike_whose_outer_side_has_no_quote_has_no_volatility(loader: ChainLoader) -> None:
    silent = (pl.col("type") == "C") & (pl.col("strike") == 120)
    raw = book().with_columns(bid=pl.when(silent).then(0.0).otherwise("bid"))
    gone = loader.load(raw).filter(pl.col("strike") == 120)
    assert gone["iv"].is_null().all()
    assert gone["iv_source"].is_null().all()
    assert gone["gamma"].is_null().all()
    assert gone.filter(pl.col("type") == "P")["mid_price"].is_not_null().all()
    assert reasons(loader, raw) == {"no_two_sided_quote": 1}


def test_crossed_quotes_have_no_mid_but_may_believe_the_vendor(loader: ChainLoader) -> None:
    crossed = (pl.col("type") == "C") & (pl.col("strike") == 110)
    raw = book().with_columns(
        bid=pl.when(crossed).then(pl.col("ask") * 1.1).otherwise("bid"), vendor_iv=pl.when(crossed).then(0.27)
    )
    at = loader.load(raw).filter(pl.col("strike") == 110)
    assert at["iv"].to_list() == [0.27, 0.27]
    assert at["iv_source"].to_list() == ["vendor", "vendor"]
    assert at["mid_price"].null_count() == 1
    for artefact in (0.25, 0.25001, 0.03126, 0.0156, 0.5 + 1e-6):
        doubted = raw.with_columns(vendor_iv=pl.when(crossed).then(artefact))
        assert loader.load(doubted).filter(pl.col("strike") == 110)["iv"].null_count() == 2
        assert reasons(loader, doubted)["vendor_artefact"] == 1


@pytest.mark.parametrize("silent", ["bid", "ask"])
def test_a_vendor_is_not_believed_beside_one_side_only(loader: ChainLoader, silent: str) -> None:
    one_sided = (pl.col("type") == "C") & (pl.col("strike") == 110)
    raw = book().with_columns(pl.when(one_sided).then(0.0).otherwise(silent).alias(silent), vendor_iv=pl.lit(0.27))
    assert loader.load(raw).filter(pl.col("strike") == 110)["iv"].null_count() == 2


def test_out_of_the_money_is_said_of_the_forward(loader: ChainLoader) -> None:
    """Forward 105.7 at spot 100: at 104 it is the put that speaks, and the call's price does not matter."""
    dear_call = (pl.col("type") == "C") & (pl.col("strike") == 104)
    dear = [pl.when(dear_call).then(pl.col(n) * 1.3).otherwise(n).alias(n) for n in ("bid", "ask")]
    raw = book(expiry=date(2027, 11, 19), carry=0.0, strikes=(98, 99, 100, 101, 102, 104, 110)).with_columns(dear)
    at = loader.load(raw).filter(pl.col("strike") == 104)
    assert at["iv"].to_numpy() == pytest.approx(0.3, rel=1e-9)


def test_after_hours_a_smile_through_last_trades(loader: ChainLoader) -> None:
    raw = unquoted(book(carry=0.0))
    chain = loader.load(raw)
    smiled = chain.filter(pl.col("iv_source") == "last_smile")
    assert smiled["iv"].to_numpy() == pytest.approx(0.3, rel=1e-6)
    # within .5 sqrt(42/365) = .17 of the forward: nothing is said of the strikes beyond
    assert sorted(set(smiled["strike"])) == [90, 95, 98, 99, 100, 101, 102, 105, 110]
    assert chain["mid_price"].is_null().all()


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (pl.lit(19.0).alias("volume"), "no_two_sided_quote"),
        (pl.when(pl.col("strike").is_between(95, 102)).then(pl.col("last")).alias("last"), "smile_too_few"),
        (
            pl.when(pl.col("strike") % 2 == 0).then(pl.col("last") * 1.6).otherwise("last").alias("last"),
            "smile_residual",
        ),
    ],
)
def test_a_smile_without_support_is_refused(loader: ChainLoader, spoil: pl.Expr, reason: str) -> None:
    strikes = (90.0, 95.0, 98.0, 101.0, 102.0, 105.0, 110.0)
    raw = unquoted(book(carry=0.0, strikes=strikes)).with_columns(spoil)
    assert loader.load(raw)["iv"].is_null().all()
    assert reason in reasons(loader, raw)


def test_a_spot_of_another_share_gives_no_volatility(loader: ChainLoader) -> None:
    split = book().with_columns(underlying_price=pl.lit(10.0))
    assert loader.load(split)["iv"].is_null().all()
    assert reasons(loader, split)["spot_disagrees"] == split.height


BAD_ROWS = [
    ("bad_strike", pl.lit(0.0).alias("strike")),
    ("bad_strike", pl.lit(float("nan")).alias("strike")),
    ("bad_strike", pl.lit(None, pl.Float64).alias("strike")),
    ("bad_underlying", pl.lit(float("inf")).alias("underlying_price")),
    ("bad_underlying", pl.lit(-1.0).alias("underlying_price")),
    ("unknown_type", pl.lit("X").alias("type")),
    ("unknown_type", pl.lit(None, pl.String).alias("type")),
    ("unknown_settlement", pl.lit("NOON").alias("settlement")),
    ("missing_identity", pl.lit(None, pl.Date).alias("expiry")),
    ("known_later", pl.lit(SUNDAY).cast(pl.Datetime("us", "UTC")).alias("known_at")),
    ("outside_calendar", pl.lit(date(2031, 1, 17)).alias("expiry")),
    ("outside_calendar", pl.lit(datetime(1999, 1, 4, tzinfo=UTC)).cast(pl.Datetime("us", "UTC")).alias("event_time")),
]


@pytest.mark.parametrize(("reason", "spoil"), BAD_ROWS)
def test_one_symbols_bad_rows_are_dropped_aloud_and_the_others_keep_their_bits(
    loader: ChainLoader, reason: str, spoil: pl.Expr
) -> None:
    bad = book("BAD").with_columns(spoil)
    loaded = loader.load_with_report(pl.concat([bad, book("GOOD")]))
    assert loaded.report.rows() == [("BAD", reason, bad.height)]
    assert_frame_equal(loaded.chain, loader.load(book("GOOD")), check_exact=True)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -0.5])
@pytest.mark.parametrize("column", ["bid", "ask", "last", "volume", "open_interest", "vendor_iv"])
def test_impossible_figures_become_null(loader: ChainLoader, column: str, value: float) -> None:
    raw = book().with_columns(pl.lit(value).alias(column))
    chain = loader.load(raw)
    assert reasons(loader, raw)[f"bad_{column}"] == raw.height
    if column in CHAIN:
        assert chain[column].is_null().all()
    floats = chain.select(pl.col(pl.Float64))
    assert not floats.select(pl.any_horizontal(pl.all().is_nan() | pl.all().is_infinite()).any()).item()


def test_of_repeated_contracts_the_latest_stays_whatever_the_order(loader: ChainLoader) -> None:
    later = book(sigma=0.2, event_time=NOW, timestamp=NOW)
    earlier = book(sigma=0.4, event_time=NOW - timedelta(minutes=5), timestamp=NOW)
    raw = pl.concat([later, earlier])
    for seed in range(3):
        loaded = loader.load_with_report(raw.sample(fraction=1.0, shuffle=True, seed=seed))
        assert_frame_equal(loaded.chain.drop("bad_rows"), loader.load(later).drop("bad_rows"), check_exact=True)
        assert loaded.chain["bad_rows"].unique().to_list() == [earlier.height]
        assert loaded.report.rows() == [("XYZ", "duplicate", earlier.height)]


def test_a_missing_or_mistyped_column_is_named(loader: ChainLoader) -> None:
    with pytest.raises(SchemaError, match="'bid': Expected Float64, was absent"):
        loader.load(book().drop("bid"))
    with pytest.raises(SchemaError, match="'ask': Expected Float64, was String"):
        loader.load(book().with_columns(pl.col("ask").cast(pl.String)))


def test_rows_are_counted_only_where_a_report_is_asked_for(
    loader: ChainLoader, monkeypatch: pytest.MonkeyPatch
) -> None:
    bid = pl.when(pl.col("strike") == 100.0).then(-1.0).otherwise("bid").alias("bid")
    raw = pl.concat([book().with_columns(bid), book("BAD").with_columns(pl.lit(-5.0).alias("strike"))])
    expected = loader.load_with_report(raw)
    assert set(expected.report["reason"]) >= {"bad_bid", "bad_strike", "no_two_sided_quote"}

    def counted(*_: object) -> None:
        raise AssertionError("rows were counted")

    monkeypatch.setattr(LoadReport, "count", counted)
    assert_frame_equal(loader.load(raw), expected.chain, check_exact=True)
    assert expected.chain["bad_rows"].unique().to_list() == [2]
    with pytest.raises(AssertionError, match="rows were counted"):
        loader.load_with_report(raw)


def test_nothing_in_nothing_out(loader: ChainLoader) -> None:
    loaded = loader.load_with_report(book().clear())
    assert loaded.chain.schema == CHAIN
    assert loaded.chain.is_empty()
    assert loaded.report.is_empty()


def test_a_batch_of_many_gives_the_bits_of_a_batch_of_one(loader: ChainLoader) -> None:
    books = [
        book(f"S{n:02}", spot=50 + 7.3 * n, sigma=0.15 + 0.03 * n, strikes=tuple(40.0 + 5 * k for k in range(9 + n)))
        for n in range(12)
    ]
    books += [unquoted(book(f"T{n:02}", sigma=0.2 + 0.01 * n, strikes=tuple(range(90, 111 + n)))) for n in range(5)]
    whole = loader.load(pl.concat(books))
    assert_frame_equal(whole, pl.concat([loader.load(one) for one in books]), check_exact=True)
