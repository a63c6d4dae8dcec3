"""Each check finds what was planted for it, as often as it was planted, and is silent on what is clean."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gnosis_ray.config import Config
from gnosis_ray.data.quality import all_checks, has_errors, partitions, verify
from gnosis_ray.errors import NoDataError
from gnosis_ray.market.calendar import SessionCalendar
from gnosis_ray.schemas.core_schemas import DataKind
from tests.data.quality.scenarios import DAY, HOUR, World, nth, write

Plant = Callable[[pl.DataFrame, int], pl.DataFrame]


def put(column: str, value: object) -> Plant:
    """The value, in ``count`` rows."""

    def plant(frame: pl.DataFrame, count: int) -> pl.DataFrame:
        filled = value if isinstance(value, pl.Expr) else pl.lit(value, frame.schema[column])
        return frame.with_columns(pl.when(nth(count)).then(filled).otherwise(column).alias(column))

    return plant


def times(**factors: float) -> Plant:
    """Figures multiplied, in ``count`` rows."""

    def plant(frame: pl.DataFrame, count: int) -> pl.DataFrame:
        picked = nth(count)
        return frame.with_columns(
            pl.when(picked).then(pl.col(name) * factor).otherwise(name).alias(name) for name, factor in factors.items()
        )

    return plant


def none(frame: pl.DataFrame, count: int) -> pl.DataFrame:
    """Neither bid nor ask."""
    return put("ask", 0.0)(put("bid", 0.0)(frame, count), count)


def dropped(frame: pl.DataFrame, count: int) -> pl.DataFrame:
    """Without ``count`` rows, none next to another."""
    return frame.filter(~nth(count))


def split(frame: pl.DataFrame, count: int, *, told: bool = False) -> pl.DataFrame:
    """The raw prices of MSFT halve ``count`` times; where told, the adjusted ones do not."""
    halvings = nth(count).cast(pl.Int32).cum_sum().over("symbol")
    factor = pl.lit(0.5).pow(halvings)
    adjusted = pl.col("adjusted_close") if told else pl.lit(None, pl.Float64)
    return frame.with_columns(
        *(pl.col(name) * factor for name in ("open", "high", "low", "close")), adjusted_close=adjusted
    )


def repeated(frame: pl.DataFrame, count: int) -> pl.DataFrame:
    """``count`` bars that say what the one before says."""
    same = ("open", "high", "low", "close", "volume", "adjusted_close")
    return frame.with_columns(
        pl.when(nth(count)).then(pl.col(name).shift(1)).otherwise(name).alias(name) for name in same
    )


def later(by: timedelta) -> Plant:
    """``count`` rows known that much later."""
    return put("known_at", pl.col("known_at") + by)


PLANTED: dict[tuple[DataKind, str], Plant] = {
    ("chains", "impossible figure"): put("bid", -1.0),
    ("chains", "no spot"): put("underlying_price", None),
    ("chains", "expired contract"): put("expiry", date(2026, 7, 7)),
    ("chains", "crossed quote"): put("bid", pl.col("ask") + 0.05),
    ("chains", "locked quote"): put("bid", pl.col("ask")),
    ("chains", "one-sided quote"): put("bid", 0.0),
    ("chains", "no quote"): none,
    ("chains", "unfinished implied volatility"): lambda frame, count: put("vendor_iv", 0.06251)(
        put("bid", 0.0)(frame, count), count
    ),
    ("chains", "zero implied volatility"): put("vendor_iv", 0.0),
    ("chains", "implied volatility out of range"): put("vendor_iv", 11.0),
    ("chains", "no implied volatility"): put("vendor_iv", None),
    ("chains", "no greeks"): lambda frame, count: put("vendor_gamma", None)(
        put("vendor_delta", None)(frame, count), count
    ),
    ("chains", "impossible greeks"): put("vendor_delta", -pl.col("vendor_delta")),
    ("bars", "impossible figure"): put("volume", -1.0),
    ("bars", "unadjusted split"): split,
    ("bars", "split"): lambda frame, count: split(frame, count, told=True),
    ("bars", "adjusted close jumps"): lambda frame, count: frame.with_columns(
        adjusted_close=pl.col("adjusted_close") * pl.lit(0.7).pow(nth(count).cast(pl.Int32).cum_sum().over("symbol"))
    ),
    ("bars", "open or close outside its range"): put("open", pl.col("high") * 1.01),
    ("bars", "missing sessions"): dropped,
    ("bars", "not at a session's close"): put("timestamp", pl.col("timestamp") - HOUR),
    ("bars", "repeats the bar before"): repeated,
    ("bars", "no volume"): put("volume", 0.0),
    ("bars", "adjusted close unknown"): put("adjusted_close", None),
    ("trades", "impossible figure"): put("price", -1.0),
    ("trades", "outlier"): times(price=1.2),
    ("trades", "side unknown"): put("side", None),
    ("quotes", "impossible figure"): put("ask_size", -1.0),
    ("quotes", "crossed quote"): put("bid", pl.col("ask") + 0.05),
    ("quotes", "locked quote"): put("bid", pl.col("ask")),
    ("quotes", "one-sided quote"): put("ask", None),
    ("quotes", "no quote"): none,
    ("quotes", "wide quote"): times(ask=1.2),
    ("news", "no headline"): put("headline", " "),
    ("news", "known late"): later(3 * DAY),
    ("news", "source unknown"): put("source", None),
}


def counts(found: pl.DataFrame) -> dict[tuple[str, str], int]:
    """How many rows each finding is about."""
    return {(row["kind"], row["finding"]): row["rows"] for row in found.iter_rows(named=True)}


def test_nothing_is_odd_about_a_clean_market(
    world: World, config: Config, calendar: SessionCalendar, tmp_path: Path
) -> None:
    found = verify(write(tmp_path, world), config, calendar)
    assert found.is_empty(), found
    assert not has_errors(found)


@pytest.mark.parametrize("which", PLANTED, ids=" ".join)
def test_as_many_are_found_as_were_planted(
    which: tuple[DataKind, str],
    world: World,
    config: Config,
    calendar: SessionCalendar,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    kind, name = which

    @given(count=st.integers(1, 2 if kind == "news" else 9))
    @settings(max_examples=2, deadline=None)
    def planted(count: int) -> None:
        root = write(tmp_path_factory.mktemp("market"), {kind: PLANTED[which](world[kind], count)})
        found = counts(verify(root, config, calendar, kinds=[kind]))
        assert found.get((kind, name)) == count, found

    planted()


@pytest.mark.parametrize("name", ["strike", "expiry", "type", "settlement"])
def test_a_contract_without_what_names_it_is_impossible(
    name: str, world: World, config: Config, calendar: SessionCalendar, tmp_path: Path
) -> None:
    root = write(tmp_path, {"chains": put(name, None)(world["chains"], 2)})
    assert counts(verify(root, config, calendar, kinds=["chains"]))["chains", "impossible figure"] == 2


@pytest.mark.parametrize("size", [1, 700])
def test_the_pieces_that_it_is_read_in_change_nothing(
    world: World, config: Config, calendar: SessionCalendar, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    bent = dict(world)
    for (kind, name), plant in PLANTED.items():
        if name in ("crossed quote", "missing sessions", "repeats the bar before", "source unknown"):
            bent[kind] = plant(bent[kind], 5)
    root = write(tmp_path, bent)
    whole = verify(root, config, calendar)
    monkeypatch.setattr(partitions, "MAX_ROWS", size)
    assert whole.height >= 4
    assert counts(verify(root, config, calendar)) == counts(whole)


def test_days_and_symbols_bound_what_is_looked_at(
    world: World, config: Config, calendar: SessionCalendar, tmp_path: Path
) -> None:
    root = write(tmp_path, {"chains": put("bid", 0.0)(world["chains"], 9)})
    whole = verify(root, config, calendar)
    (days,) = {moment.date() for moment in world["chains"].filter(nth(9))["event_time"]}
    assert (
        counts(verify(root, config, calendar, symbols=["MSFT"], first=days, last=days)).items()
        <= {
            **counts(whole),
            ("chains", "no bars"): world["chains"].filter(symbol="MSFT").height,
        }.items()
    )
    assert ("chains", "one-sided quote") not in counts(verify(root, config, calendar, symbols=["AAPL"]))
    assert ("chains", "one-sided quote") not in counts(verify(root, config, calendar, first=days + DAY))
    with pytest.raises(NoDataError, match="nothing of what is to be verified"):
        verify(root, config, calendar, symbols=["ZZZ"])


def test_every_check_is_planted_or_tested_by_itself(config: Config) -> None:
    alone = {
        ("chains", name)
        for name in (
            "ask below intrinsic value", "thin snapshot", "hardly quoted snapshot", "missing open interest",
            "no implied volatilities", "several spots", "spot off its bar", "quotes of an earlier day", "stale quotes",
            "contracts replaced", "sessions without a snapshot", "no bars", "behind its bars",
        )
    } | {
        ("bars", name) for name in ("outlier", "spike taken back", "short history", "history ends early")
    } | {
        (kind, name)
        for kind in ("trades", "quotes") for name in ("outside the session", f"equal {kind}")
    } | {("trades", "silence"), ("quotes", "stale quote"), ("news", "repeated headline")}  # fmt: skip
    versions = {"contradiction", "duplicate", "corrected"}
    declared = {(check.kind, check.name) for check in all_checks(config)}
    assert {which for which in declared if which[1] not in versions} == set(PLANTED) | alone
    assert all(check.doc for check in all_checks(config))
