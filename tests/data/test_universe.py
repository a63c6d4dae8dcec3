"""Universes: index members of a day, files, lists, and honest notes."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import polars as pl
import pytest

from gnosis_ray.data.universe import INDEX_SIZES, SECTORS, Universe, load_universe, sectors_of, universe_names
from gnosis_ray.errors import UniverseError


@pytest.fixture(autouse=True)
def _own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GNOSIS_RAY_HOME", str(tmp_path / "home"))


def _file(folder: Path, text: str) -> Universe:
    path = folder / "mine.txt"
    path.write_text(text, encoding="utf-8")
    return load_universe(str(path))


def test_sp500_today_has_503_lines() -> None:
    universe = load_universe("sp500")
    assert len(universe.symbols) == 503
    assert {"AAPL", "BRK.B", "BF.B", "GOOG", "GOOGL"} <= set(universe.symbols)
    assert list(universe.symbols) == sorted(set(universe.symbols))
    assert "recorded up to" in universe.note


@pytest.mark.parametrize("name", INDEX_SIZES)
def test_every_index_is_complete_today(name: str) -> None:
    assert INDEX_SIZES[name] <= len(load_universe(name).symbols) <= INDEX_SIZES[name] * 1.05


def test_members_change_with_the_day() -> None:
    before, after = load_universe("sp500", date(2020, 12, 18)), load_universe("sp500", date(2020, 12, 21))
    assert "TSLA" not in before.symbols
    assert "TSLA" in after.symbols


def test_complete_day_carries_no_warning() -> None:
    universe = load_universe("dow30", date(2026, 6, 1))
    assert universe.note == "members on 2026-06-01 (index-constitution)"
    assert universe.whole


def test_members_renamed_since_are_named() -> None:
    renamed = load_universe("sp500", date(2026, 7, 12))
    assert renamed.note.endswith("; spelled as on that day, as far as renames are recorded: PSKY is SKYD today")
    assert "PSKY" in renamed.symbols
    assert "SKYD" not in renamed.symbols
    assert "SKYD" in load_universe("sp500", date(2026, 10, 6)).symbols
    assert "more" in load_universe("sp500", date(2015, 1, 2)).note


def test_incomplete_days_say_so() -> None:
    assert not load_universe("sp500", date(2007, 1, 3)).whole
    assert "survivorship" in load_universe("sp500", date(2007, 1, 3)).note
    assert "survivors only" in load_universe("nasdaq100", date(2006, 1, 2)).note
    assert "recorded up to" in load_universe("dow30", date(2099, 1, 1)).note


def test_before_any_record_today_stands_in_and_says_so() -> None:
    universe = load_universe("nasdaq100", date(1990, 1, 2))
    assert universe.symbols == load_universe("nasdaq100").symbols
    assert "stand in" in universe.note
    assert "survivorship" in universe.note
    assert not universe.whole


def test_an_index_without_a_record_by_day_stands_in_and_says_so() -> None:
    present = load_universe("sp100")
    assert {"AAPL", "BNY", "GOOG", "GOOGL"} <= set(present.symbols)
    assert present.whole
    past = load_universe("sp100", date(2020, 1, 2))
    assert not past.whole
    assert "no membership of sp100 is recorded by day" in past.note
    assert "BK" in past.symbols  # as it was spelled then
    assert "BK is BNY today" in past.note


@pytest.mark.parametrize("index", ["sp500", "sp100"])
def test_sectors_cut_an_index_in_parts(index: str) -> None:
    whole = load_universe(index).symbols
    parts = [load_universe(f"{index}:{sector}") for sector in SECTORS]
    inside = [symbol for part in parts for symbol in part.symbols]
    assert len(inside) == len(set(inside))
    left_out = set(whole) - set(inside)
    assert all((symbol in part.note) and not part.whole for symbol in left_out for part in parts)
    assert len(left_out) <= 1
    assert {"XOM", "CVX"} <= set(load_universe(f"{index}:energy").symbols)
    assert "NEE" in load_universe(f"{index}:utilities").symbols


def test_a_sector_has_the_members_of_the_day_under_their_names_of_that_day() -> None:
    then = load_universe("sp500:financials", date(2015, 1, 2))
    assert {"BK", "JPM"} <= set(then.symbols)
    assert "BNY" not in then.symbols
    assert set(then.symbols) <= set(load_universe("sp500", date(2015, 1, 2)).symbols)
    assert "sector is not recorded" in then.note
    assert not then.whole
    assert sectors_of(("BK", "BNY", "NOBODY")) == {"BK": "financials", "BNY": "financials"}


def test_a_sector_without_members_is_no_universe() -> None:
    with pytest.raises(UniverseError, match="No member of dow30 is of the sector real-estate"):
        load_universe("dow30:real-estate")


@pytest.mark.parametrize(("name", "nearest"), [("sp500:enrgy", "sp500:energy"), ("us-etfs:energy", "sp500:energy")])
def test_an_unknown_sector_names_the_nearest(name: str, nearest: str) -> None:
    with pytest.raises(UniverseError, match=nearest):
        load_universe(name)
    assert nearest in universe_names(sectors=True)
    assert nearest not in universe_names()


def test_a_users_own_sectors_win(tmp_path: Path) -> None:
    folder = tmp_path / "home" / "universes"
    folder.mkdir(parents=True)
    assert sectors_of(("XOM", "ZZZZ")) == {"XOM": "energy"}
    (folder / "sectors.csv").write_text("# mine\nsymbol,sector\nxom,utilities\nZZZZ,materials\n")
    assert sectors_of(("XOM", "ZZZZ")) == {"XOM": "utilities", "ZZZZ": "materials"}
    (folder / "sectors.csv").write_text("symbol,sector\nXOM,oil\n")
    with pytest.raises(UniverseError, match=r"sectors\.csv: Expected symbol,sector with a sector of"):
        sectors_of(("XOM",))


def test_file_of_lines(tmp_path: Path) -> None:
    universe = _file(tmp_path, "# mine\nmsft  # Microsoft\n\nBRK-B\nMSFT\n")
    assert universe.name == "mine"
    assert universe.symbols == ("BRK.B", "MSFT")
    assert universe.note.endswith("1 duplicates removed")


def test_file_of_csv(tmp_path: Path) -> None:
    assert _file(tmp_path, 'Name,Symbol\n"Apple, Inc.",aapl\nBerkshire,BRK/B\n').symbols == ("AAPL", "BRK.B")


def test_file_with_byte_order_mark(tmp_path: Path) -> None:
    assert _file(tmp_path, "\ufeffsymbol\nAAPL\n").symbols == ("AAPL",)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("# none\n", "at least one symbol"),
        ("symbol\n", "at least one symbol"),
        ("name,price\nApple,1\n", "found columns name, price"),
        ("name,symbol\nApple\n", "Expected 2 fields"),
        ("AAPL\n../x\n", "Expected a symbol"),
    ],
)
def test_unusable_files(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(UniverseError, match=message) as caught:
        _file(tmp_path, text)
    assert "mine.txt" in str(caught.value)


def test_binary_file(tmp_path: Path) -> None:
    path = tmp_path / "mine.bin"
    path.write_bytes(b"\xff\xfe\x00AAPL")
    with pytest.raises(UniverseError, match="Cannot read"):
        load_universe(str(path))


def test_comma_list() -> None:
    universe = load_universe("msft, aapl,AAPL,")
    assert universe.symbols == ("AAPL", "MSFT")
    assert "1 duplicates removed" in universe.note


@pytest.mark.parametrize("name", ["sp50", "SP500", "", "no/such/file.txt"])
def test_unknown_name_names_the_nearest(name: str) -> None:
    with pytest.raises(UniverseError, match="sp500") as caught:
        load_universe(name)
    assert "path of a file" in str(caught.value)


def test_named_files_of_configuration_and_user(tmp_path: Path) -> None:
    assert {"sp500", "us-etfs"} <= set(universe_names())
    assert "SPY" in load_universe("us-etfs").symbols
    (tmp_path / "home" / "universes").mkdir(parents=True)
    (tmp_path / "home" / "universes" / "desk.txt").write_text("QQQ\n")
    assert load_universe("desk").symbols == ("QQQ",)


@pytest.mark.realdata
def test_members_agree_with_another_list_of_the_same_day(realdata: Path) -> None:
    other = pl.read_csv(realdata / "sp500_constituents.csv")["Symbol"].str.replace("-", ".")
    ours = load_universe("sp500", date(2026, 8, 8))
    assert len(ours.symbols) == 503
    assert set(ours.symbols) == set(other)


@pytest.mark.realdata
def test_sectors_agree_with_another_list_of_the_same_day(realdata: Path) -> None:
    other = pl.read_csv(realdata / "sp500_constituents.csv").select("Symbol", "GICS Sector")
    ours = sectors_of(tuple(other["Symbol"]))
    assert {symbol: SECTORS[key] for symbol, key in ours.items()} == dict(other.iter_rows())
