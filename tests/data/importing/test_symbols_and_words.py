"""Symbols that are none, and words that YAML does not read as text."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from gnosis_ray.data.importing import load_mapping
from gnosis_ray.errors import ConfigError
from tests.data.importing.sources import BARS, GOOD, HEADER, ROWS, bars_of, imported, refusals, stored_bars

MAPPING = """\
name: mine
about: bars of one symbol
tables:
  - file: bars.csv
    kind: bars
    known_at: session_close
    columns: {timestamp: date, open: open, high: high, low: low, close: close, volume: volume}
    constants: {symbol: SYMBOL}
"""


def mapping_of(folder: Path, text: str) -> str:
    path = folder / "mine.yaml"
    path.write_text(text)
    return str(path)


@pytest.mark.parametrize("text", ["^DJT", "_DJT", "^NDQ", "_VXN"])
def test_an_index_that_is_not_declared_is_no_share(tmp_path: Path, text: str) -> None:
    """Nor is the share of that name refused as its duplicate."""
    share = ROWS[0].replace("ZZA", text[1:])
    report = bars_of(tmp_path, "\n".join([HEADER, ROWS[0].replace("ZZA", text), share]))
    assert refusals(report) == [("symbol", "an index that is not declared", f"{text} in bars.csv, line 2")]
    assert report.rows_written == stored_bars(tmp_path, text[1:]).height == 1
    assert any("Declared are DJI, DJX" in hint for hint in report.hints)


def test_a_declared_index_is_read_in_any_spelling(tmp_path: Path) -> None:
    rows = [ROWS[0].replace("ZZA", text) for text in ("^VIX", "_SPX", "$TSLA")]
    report = bars_of(tmp_path, "\n".join([HEADER, *rows]))
    assert report.rows_written == 3
    assert [stored_bars(tmp_path, name).height for name in ("VIX", "SPX", "TSLA")] == [1, 1, 1]


WORDS = ["ON", "NO", "off", "Yes", "true", "20260710", "1.0e+5", "1.0", "2026-07-10", "0x1F", "007", "1:30"]


@pytest.mark.parametrize("word", WORDS)
def test_a_word_that_yaml_does_not_read_as_text_is_refused_with_how_to_quote(tmp_path: Path, word: str) -> None:
    with pytest.raises(
        ConfigError, match=rf'constants\.symbol: Expected text, found .*write "{re.escape(word)}" in quotes'
    ):
        load_mapping(mapping_of(tmp_path, MAPPING.replace("SYMBOL", word)))


@pytest.mark.parametrize("word", ["ON", "NO", "20260710", "TRUE", "NULL"])
def test_in_quotes_it_is_the_symbol(tmp_path: Path, word: str) -> None:
    (tmp_path / "bars.csv").write_text(GOOD)
    report = imported(tmp_path, load_mapping(mapping_of(tmp_path, MAPPING.replace("SYMBOL", f'"{word}"'))))
    assert report.rows_written == stored_bars(tmp_path, word).height == 2


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("volume: volume", "volume: NO", r'columns\.volume: Expected text, found NO.* write "NO" in quotes'),
        ("constants: {", "values: {symbol: {ON: A}}\n    constants: {", r'Expected text, found ON.*"ON" in quotes'),
        ("{symbol: SYMBOL}", "{symbol: A, adjusted_close: high}", r"adjusted_close: Expected a number, found 'high'"),
        ("{symbol: SYMBOL}", "{symbol: A, adjusted_close: yes}", r"adjusted_close: Expected a number, found yes"),
        ("{symbol: SYMBOL}", "{symbol: A, adjusted_close: .inf}", r"adjusted_close: Expected a number, found inf"),
        ("SYMBOL}", "A}\n    flagged: {column: x, value: ON}", r'flagged\.value: Expected text, found ON.*"ON"'),
        ("SYMBOL}", "A, symbol: B}", r"key 'symbol' in line 8 is in line 8 already"),
        ("SYMBOL}", "A}\n    kind: chains", r"key 'kind' in line 9 is in line 5 already"),
        ("file: bars.csv", "file: [a, b]", r"tables\.0\.file: Expected text, found a list"),
        ("kind: bars", "kind: candles", r"tables\.0\.kind: Expected one of 'chains', 'bars'.*found 'candles'"),
        ("about: bars of one symbol\n", "", r"mine\.yaml: about: Expected a value, found none"),
        ("{symbol: SYMBOL}", "[SYMBOL]", r"tables\.0\.constants: Expected keys with values, found a list"),
        ("SYMBOL}", "A}\n    known_delay_minutes: soon", r"known_delay_minutes: Expected a whole number, found 'soon'"),
        ("SYMBOL}", "A}\n    known_delay_minutes: -1", r"minutes: Expected greater than or equal to 0, found -1"),
        ("SYMBOL}", "A}\n    separator: ;;", r"separator: Expected .*found ';;'"),
        ("SYMBOL}", "A}\n    encoding: ebcdic", r"encoding: Expected one of 'utf-8'"),
    ],
)  # fmt: skip
def test_a_fault_is_told_in_words_of_the_file(tmp_path: Path, old: str, new: str, message: str) -> None:
    assert old in MAPPING
    with pytest.raises(ConfigError, match=message) as caught:
        load_mapping(mapping_of(tmp_path, MAPPING.replace(old, new)))
    assert "mine.yaml" in str(caught.value)
    assert "Input should be" not in str(caught.value)


@pytest.mark.parametrize("body", ["[1, 2]", "text", "1", "null", "{}"])
def test_a_file_that_is_no_mapping_is_told(tmp_path: Path, body: str) -> None:
    with pytest.raises(ConfigError, match=r"mine\.yaml: .*Expected (a value|keys with values)"):
        load_mapping(mapping_of(tmp_path, body))


def test_the_mapping_of_these_tests_is_one(tmp_path: Path) -> None:
    table = load_mapping(mapping_of(tmp_path, MAPPING.replace("SYMBOL", "A"))).tables[0]
    assert table.columns == {target: source for target, source in BARS.items() if target != "symbol"}
    assert yaml.safe_load(MAPPING)["name"] == "mine"


@pytest.mark.parametrize(
    "file", ["/etc/bars.csv", "../bars.csv", "in/../../bars.csv", "**.csv", "a**/b.csv", "", "/x/*.csv"]
)
def test_a_file_is_one_below_the_folder(tmp_path: Path, file: str) -> None:
    with pytest.raises(ConfigError, match=r"file: Expected a name or pattern of files below the folder"):
        load_mapping(mapping_of(tmp_path, MAPPING.replace("file: bars.csv", f'file: "{file}"')))


@pytest.mark.parametrize("mark", ['"', "\\n", "\\r", "é", ""])
def test_a_separator_is_one_plain_character(tmp_path: Path, mark: str) -> None:
    quoted = "'\"'" if mark == '"' else f'"{mark}"'
    with pytest.raises(ConfigError, match=r"separator: Expected one character of ASCII, no quote or line end, found"):
        load_mapping(mapping_of(tmp_path, MAPPING.replace("SYMBOL}", f"A}}\n    separator: {quoted}")))


@pytest.mark.parametrize(
    ("declared", "message"),
    [
        ('decimal: ",", thousands: ","', "decimal ',' is also the mark of thousands"),
        ('thousands: "_"', "thousands: Expected one of"),
        ('decimal: "."', None),
        ('? [a, b]\n    : c, separator: ","', "Cannot read the mapping|unknown key|Expected"),
    ],
)
def test_marks_of_numbers_are_two(tmp_path: Path, declared: str, message: str | None) -> None:
    text = MAPPING.replace("SYMBOL}", "A}\n    " + declared.replace(", ", "\n    "))
    if message is None:
        assert load_mapping(mapping_of(tmp_path, text)).tables[0].decimal == "."
        return
    with pytest.raises(ConfigError, match=message):
        load_mapping(mapping_of(tmp_path, text))
