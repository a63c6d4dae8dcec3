"""Checks that compare: a snapshot with others, bars and the calendar; a bar with those before; a row with its past."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

from gnosis_ray.config import Config
from gnosis_ray.data.quality import has_errors, partitions, verify
from gnosis_ray.data.store import StoreWriter
from gnosis_ray.data.store.part_files import split, write_part
from gnosis_ray.market.calendar import SessionCalendar
from gnosis_ray.market.datasets import DATASETS, VENDOR_GREEKS, conform
from gnosis_ray.schemas.core_schemas import DataKind
from tests.data.quality.scenarios import DAY, HOUR, MINUTE, World, nth, write

Verify = Callable[[dict[DataKind, pl.DataFrame]], pl.DataFrame]
MSFT = pl.col("symbol") == "MSFT"
LAST = MSFT & (pl.col("event_time") == pl.col("event_time").max())
PRICES = ("open", "high", "low", "close", "adjusted_close")


@pytest.fixture
def look(world: World, config: Config, calendar: SessionCalendar, tmp_path_factory: pytest.TempPathFactory) -> Verify:
    def verified(changed: dict[DataKind, pl.DataFrame]) -> pl.DataFrame:
        market = changed
        if not {"trades", "quotes", "news"} & changed.keys():
            market = {"chains": world["chains"], "bars": world["bars"], **changed}
        return verify(write(tmp_path_factory.mktemp("market"), market), config, calendar)

    return verified


def rows(found: pl.DataFrame) -> dict[tuple[str, str], tuple[int, int]]:
    """Symbols and rows of each finding."""
    return {(row["kind"], row["finding"]): (row["symbols"], row["rows"]) for row in found.iter_rows(named=True)}


def where(when: pl.Expr, **values: pl.Expr | float | None) -> Callable[[pl.DataFrame], pl.DataFrame]:
    """Other values in the rows meant."""
    return lambda frame: frame.with_columns(
        pl.when(when).then(value if isinstance(value, pl.Expr) else pl.lit(value)).otherwise(name).alias(name)
        for name, value in values.items()
    )


def stale(frame: pl.DataFrame) -> pl.DataFrame:
    """The last snapshot of MSFT quotes as the one before it did."""
    contract = ["symbol", "expiry", "strike", "type", "settlement"]
    moment = frame["event_time"].unique().sort()[-2]
    before = frame.filter(pl.col("event_time") == moment).select(*contract, "bid", "ask")
    joined = frame.join(before, on=contract, how="left", suffix="_before", maintain_order="left")
    told = LAST & pl.col("bid_before").is_not_null()
    return where(told, bid=pl.col("bid_before"), ask=pl.col("ask_before"))(joined).drop("bid_before", "ask_before")


SNAPSHOTS: dict[str, Callable[[pl.DataFrame], pl.DataFrame]] = {
    "thin snapshot": lambda chains: chains.filter(~LAST | (pl.int_range(pl.len()).over("symbol", "event_time") < 30)),
    "hardly quoted snapshot": where(LAST & (pl.int_range(pl.len()) % 10 > 0), bid=0.0, ask=0.0),
    "missing open interest": where(LAST, open_interest=0.01),
    "no implied volatilities": where(LAST, vendor_iv=None),
    "several spots": where(LAST & (pl.int_range(pl.len()) % 10 == 0), underlying_price=pl.col("underlying_price") + 1),
    "spot off its bar": where(LAST, underlying_price=pl.col("underlying_price") * 1.2),
    "quotes of an earlier day": where(
        LAST, event_time=pl.col("event_time") + 40 * HOUR, known_at=pl.col("known_at") + 40 * HOUR
    ),
    "stale quotes": stale,
    "contracts replaced": where(LAST, strike=pl.col("strike") + 0.25),
}  # fmt: skip


@pytest.mark.parametrize("name", SNAPSHOTS)
def test_one_odd_snapshot_is_found_with_all_its_contracts(name: str, world: World, look: Verify) -> None:
    bent = SNAPSHOTS[name](world["chains"])
    contracts = bent.filter(LAST).height
    assert rows(look({"chains": bent}))["chains", name] == (1, contracts)


def test_sessions_without_a_snapshot_are_counted(world: World, look: Verify) -> None:
    moments = world["chains"]["event_time"].unique().sort()
    found = look({"chains": world["chains"].filter(~MSFT | (pl.col("event_time") != moments[1]))})
    assert rows(found) == {("chains", "sessions without a snapshot"): (1, 1)}


def test_a_night_s_second_look_at_a_session_is_not_held_against_the_first(
    world: World, config: Config, calendar: SessionCalendar, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever pieces it is read in: after midnight it lies in a partition of its own."""
    again = world["chains"].filter(LAST).with_columns(pl.col("event_time", "known_at") + 6 * HOUR)
    root = write(tmp_path, {"chains": pl.concat([world["chains"], again]), "bars": world["bars"]})
    whole = verify(root, config, calendar)
    monkeypatch.setattr(partitions, "MAX_ROWS", 1)
    assert ("chains", "stale quotes") not in rows(whole)
    assert rows(verify(root, config, calendar)) == rows(whole)


def test_a_name_without_bars_and_one_behind_them(world: World, look: Verify) -> None:
    nvda_last = (pl.col("symbol") == "NVDA") & (pl.col("event_time") == pl.col("event_time").max())
    chains = world["chains"].filter(~nvda_last)
    found = rows(look({"chains": chains, "bars": world["bars"].filter(~MSFT)}))
    assert found["chains", "no bars"] == (1, chains.filter(MSFT).height)
    assert found["chains", "behind its bars"] == (1, chains.filter(symbol="NVDA").height)


def test_a_call_far_below_what_it_is_worth_is_found(world: World, look: Verify) -> None:
    near = pl.col("expiry") - pl.col("event_time").dt.date() <= 30 * DAY
    deep = MSFT & near & (pl.col("type") == "C") & (pl.col("strike") < 0.9 * pl.col("underlying_price"))
    bent = where(deep, bid=0.01, ask=0.02)(world["chains"])
    assert rows(look({"chains": bent}))["chains", "ask below intrinsic value"] == (1, bent.filter(deep).height)


def test_a_volatility_of_a_quarter_beside_a_quote_is_no_unfinished_search(world: World, look: Verify) -> None:
    assert look({"chains": where(MSFT, vendor_iv=0.25)(world["chains"])}).is_empty()


def test_a_jump_that_stays_is_an_outlier_and_one_taken_back_a_spike(world: World, look: Verify) -> None:
    place = pl.int_range(pl.len()).over("symbol")
    for jumped, outliers, spikes in ((place >= 300, 1, 0), (place == 300, 2, 1)):
        bent = where(MSFT & jumped, **{name: pl.col(name) * 1.3 for name in PRICES})(world["bars"])
        found = rows(look({"bars": bent, "chains": world["chains"].filter(~MSFT)}))
        assert found["bars", "outlier"] == (1, outliers)
        assert found.get(("bars", "spike taken back"), (0, 0))[1] == spikes


def test_short_histories_and_those_that_end_early(world: World, look: Verify) -> None:
    left = pl.int_range(pl.len(), 0, -1).over("symbol")
    bars = world["bars"].filter(~MSFT | (left <= 30)).filter((pl.col("symbol") != "NVDA") | (left > 10))
    found = rows(look({"bars": bars}))
    assert found["bars", "short history"] == (1, 30)
    assert found["bars", "history ends early"] == (1, bars.filter(symbol="NVDA").height)


def test_corrections_make_no_history_longer(
    world: World, config: Config, calendar: SessionCalendar, tmp_path: Path
) -> None:
    few = world["bars"].filter(MSFT).tail(30)
    root = write(tmp_path, {"bars": few})
    for nights in (1, 2):
        told = few.with_columns(pl.col("known_at") + nights * DAY, volume=pl.col("volume") + nights)
        StoreWriter(root).append("bars", told)
    found = rows(verify(root, config, calendar))
    assert found["bars", "short history"] == (1, 30)
    assert found["bars", "corrected"] == (1, 60)


def test_the_tape_outside_the_session_its_silences_and_its_repeats(world: World, look: Verify) -> None:
    kinds: dict[DataKind, str] = {"trades": "silence", "quotes": "stale quote"}
    for kind, silence in kinds.items():
        frame = world[kind]
        late = nth(4)
        hours = frame.filter(MSFT)["timestamp"].dt.hour()
        assert hours.is_in([15]).any()
        quiet = frame.filter(~(MSFT & (pl.col("timestamp").dt.hour() == 15)))
        night = where(late, timestamp=pl.col("timestamp") + 9 * HOUR, known_at=pl.col("known_at") + 9 * HOUR)(frame)
        twice = pl.concat([frame, frame.filter(nth(3))])
        assert rows(look({kind: quiet}))[kind, silence] == (1, 1)
        assert rows(look({kind: night}))[kind, "outside the session"] == (1, 4)
        assert rows(look({kind: twice}))[kind, f"equal {kind}"] == (1, 3)


def test_a_headline_told_again_that_day(world: World, look: Verify) -> None:
    item = world["news"].filter(MSFT).sort("timestamp").head(1)
    again = item.with_columns(
        headline=pl.col("headline").str.to_uppercase(),
        timestamp=pl.col("timestamp") + MINUTE,
        known_at=pl.col("known_at") + MINUTE,
    )
    assert rows(look({"news": pl.concat([world["news"], again])})) == {("news", "repeated headline"): (1, 1)}


def _written_by_another(kind: DataKind, frame: pl.DataFrame, root: Path) -> None:
    """A part as a second writer leaves it that looked into the store before the first had written."""
    data = DATASETS[kind]
    for period, rows in split(data, conform(data, frame, "test")):
        write_part(root, data, period, rows)


def test_rows_told_again_otherwise_and_later(
    world: World, config: Config, calendar: SessionCalendar, tmp_path: Path
) -> None:
    root = write(tmp_path, {"bars": world["bars"]})
    few = world["bars"].filter(nth(4))
    writer = StoreWriter(root)
    _written_by_another("bars", few, root)
    found = verify(root, config, calendar)
    assert rows(found) == {("bars", "duplicate"): (1, 4)}
    writer.append("bars", few.head(3).with_columns(pl.col("known_at") + DAY, volume=pl.lit(1.0)))
    assert rows(verify(root, config, calendar)) == {("bars", "duplicate"): (1, 4), ("bars", "corrected"): (1, 3)}
    assert not has_errors(found)
    _written_by_another("bars", few.head(2).with_columns(volume=pl.lit(2.0)), root)
    found = verify(root, config, calendar)
    assert rows(found)["bars", "contradiction"] == (1, 2)
    assert has_errors(found)


def test_an_item_corrected_in_the_part_that_holds_it_is_told_once(world: World, look: Verify) -> None:
    item = world["news"].filter(MSFT).sort("timestamp").head(1)
    both = pl.concat([item, item.with_columns(pl.col("known_at") + MINUTE, body=pl.lit("with more to it"))])
    assert rows(look({"news": both})) == {("news", "corrected"): (1, 1)}


def test_greeks_told_by_a_later_import_of_the_same_snapshots_count(
    world: World, config: Config, calendar: SessionCalendar, tmp_path: Path
) -> None:
    """Whatever the parts are called: each snapshot once with its greeks and once without."""
    told = world["chains"]
    root = write(tmp_path, {"chains": told.drop(VENDOR_GREEKS, strict=False)})
    StoreWriter(root).append("chains", told)
    assert rows(verify(root, config, calendar, kinds=["chains"])) == {
        ("chains", "duplicate"): (told["symbol"].n_unique(), told.height),
        ("chains", "no bars"): (told["symbol"].n_unique(), 2 * told.height),
    }


def test_what_is_looked_at_is_what_is_read_now(
    world: World, config: Config, calendar: SessionCalendar, tmp_path: Path
) -> None:
    """A correction heals what it corrects."""
    root = write(tmp_path, {"bars": where(nth(3), volume=-1.0)(world["bars"])})
    assert rows(verify(root, config, calendar)) == {("bars", "impossible figure"): (1, 3)}
    healed = world["bars"].filter(nth(3)).with_columns(pl.col("known_at") + DAY)
    StoreWriter(root).append("bars", healed)
    assert rows(verify(root, config, calendar)) == {("bars", "corrected"): (1, 3)}


def test_a_finding_tells_where_to_look(world: World, look: Verify) -> None:
    bent = where(nth(2), bid=pl.col("ask") + 0.05)(world["chains"])
    bent = where(nth(1, "NVDA"), bid=pl.col("ask") + 0.05)(bent)
    (finding,) = look({"chains": bent}).rows(named=True)
    assert (finding["severity"], finding["symbols"], finding["rows"]) == ("warning", 2, 3)
    assert finding["share"] == pytest.approx(3 / bent.height)
    assert finding["most"] == ["MSFT", "NVDA"]
    first = bent.filter(pl.col("bid") > pl.col("ask")).sort("symbol", "event_time").row(0, named=True)
    assert finding["example"].startswith(f"MSFT, event time {first['event_time']:%Y-%m-%d %H:%M:%S}, expiry ")
    assert f"bid {first['bid']:.6g}, ask {first['ask']:.6g}" in finding["example"]
