"""Every spelling of a symbol comes to one, and what could not be a folder name is refused."""

from __future__ import annotations

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gnosis_ray.data.symbols import MAX_LENGTH, canonical, canonical_list
from gnosis_ray.errors import UniverseError

BARE = st.text(string.ascii_uppercase + string.digits, min_size=1, max_size=8)
SHARE_CLASS = st.text(string.ascii_uppercase, min_size=1, max_size=3)


@pytest.mark.parametrize(
    ("text", "symbol"),
    [
        ("BRK-B", "BRK.B"),
        ("BRK/B", "BRK.B"),
        ("brk.b", "BRK.B"),
        ("_SPX", "SPX"),
        ("^SPX", "SPX"),
        (" $AAPL", "AAPL"),
        ("aapl\n", "AAPL"),
        ("0700.HK", "0700.HK"),
    ],
)
def test_spellings(text: str, symbol: str) -> None:
    assert canonical(text) == symbol


@pytest.mark.parametrize(
    "text",
    [
        "",
        "  ",
        "$",
        "A B",
        "BRK B",
        "../etc",
        "..",
        ".",
        "A..B",
        "A/B/C",
        "A\\B",
        "/A",
        "A.",
        ".A",
        "A" * (MAX_LENGTH + 1),
        "ÄPFEL",
        "ß",
        "A\x00",
        "A\nB",
        "$$A",
        "BRK.CLASS",
        "*",
        "~",
        "A,B",
    ],
)
def test_impossible_spellings(text: str) -> None:
    with pytest.raises(UniverseError, match="Expected a symbol") as caught:
        canonical(text)
    assert repr(text) in str(caught.value)


@given(bare=BARE, share=SHARE_CLASS, mark=st.sampled_from("-/."), prefix=st.sampled_from(["", "$", "^", "_", "  "]))
def test_spellings_agree(bare: str, share: str, mark: str, prefix: str) -> None:
    assert canonical(f"{prefix}{bare}{mark}{share}".lower()) == f"{bare}.{share}"


@given(st.text(max_size=16))
def test_what_is_accepted_is_canonical_and_safe(text: str) -> None:
    try:
        symbol = canonical(text)
    except UniverseError:
        return
    assert canonical(symbol) == symbol
    assert set(symbol) <= set(string.ascii_uppercase + string.digits + ".")
    assert not symbol.startswith(".")
    assert ".." not in symbol


@given(st.lists(BARE, max_size=20))
def test_lists_are_distinct_sorted_and_counted(texts: list[str]) -> None:
    symbols, repeated = canonical_list([*texts, *(text.lower() for text in texts)])
    assert symbols == tuple(sorted(set(texts)))
    assert repeated == 2 * len(texts) - len(symbols)
