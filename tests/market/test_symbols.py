"""Every spelling of a symbol comes to one, and what could not be a folder name is refused."""

from __future__ import annotations

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gnosis_ray.errors import ConfigError, NoDataError, UniverseError
from gnosis_ray.market.symbols import (
    INDICES,
    MAX_LENGTH,
    QUOTE_CURRENCIES,
    SPELLINGS,
    canonical,
    canonical_list,
    canonical_symbol,
    is_index,
    is_pair,
    option_root,
    vendor_symbol,
)

BARE = st.text(string.ascii_uppercase + string.digits, min_size=1, max_size=8)
SHARE_CLASS = st.text(string.ascii_uppercase, min_size=1, max_size=3).filter(lambda text: text not in QUOTE_CURRENCIES)
SHARES = st.one_of(BARE.filter(lambda text: text not in INDICES), st.builds("{}.{}".format, BARE, SHARE_CLASS))
PAIRS = st.builds("{}-{}".format, BARE, st.sampled_from(QUOTE_CURRENCIES))
GIVEN = {
    "share_class": SHARES,
    "index": st.sampled_from(sorted(INDICES)),
    "pair": PAIRS,
}
"""Symbols of each sort, by the field of a spelling that says whether a vendor gives them."""


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
        ("BTC-USD", "BTC-USD"),
        ("btc/usdt", "BTC-USDT"),
        ("ETH.BTC", "ETH-BTC"),
        ("A-USD", "A-USD"),
        ("A.USA", "A.USA"),
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
        "-USD",
        "BTC-USD-USD",
        "BTC/USDT:USDT",
    ],
)
def test_impossible_spellings(text: str) -> None:
    with pytest.raises(UniverseError, match="Expected a symbol") as caught:
        canonical(text)
    assert repr(text) in str(caught.value)


@given(bare=BARE, share=SHARE_CLASS, mark=st.sampled_from("-/."), prefix=st.sampled_from(["", "$", "  "]))
def test_spellings_agree(bare: str, share: str, mark: str, prefix: str) -> None:
    assert canonical(f"{prefix}{bare}{mark}{share}".lower()) == f"{bare}.{share}"


@pytest.mark.parametrize("text", ["^DJT", "_DJT", "^djt", " ^BRK-B", "_AAPL", "^VXX"])
def test_an_index_that_is_not_declared_is_no_share(text: str) -> None:
    with pytest.raises(UniverseError, match=r"Expected a declared index, was .*\. Nearest: '"):
        canonical(text)


@pytest.mark.parametrize(("text", "vendor"), [("^DJT", "yahoo"), ("_DJT", "cboe"), ("I:DJT", "massive")])
def test_nor_is_one_in_a_vendor_s_spelling(text: str, vendor: str) -> None:
    with pytest.raises(UniverseError, match=r"Expected a declared index, was .*Nearest: 'DJ"):
        canonical_symbol(text, vendor)


@given(st.text(max_size=16))
def test_what_is_accepted_is_canonical_and_safe(text: str) -> None:
    try:
        symbol = canonical(text)
    except UniverseError:
        return
    assert canonical(symbol) == symbol
    assert set(symbol) <= set(string.ascii_uppercase + string.digits + ".-")
    assert not symbol.startswith(".")
    assert ".." not in symbol


@given(st.lists(BARE, max_size=20))
def test_lists_are_distinct_sorted_and_counted(texts: list[str]) -> None:
    symbols, repeated = canonical_list([*texts, *(text.lower() for text in texts)])
    assert symbols == tuple(sorted(set(texts)))
    assert repeated == 2 * len(texts) - len(symbols)


@pytest.mark.parametrize(
    ("symbol", "vendor", "text"),
    [
        ("BRK.B", "yahoo", "BRK-B"),
        ("BRK.B", "tradier", "BRK/B"),
        ("BRK.B", "cboe", "BRK.B"),
        ("BRK.B", "massive", "BRK.B"),
        ("BRK.B", "alpaca", "BRK.B"),
        ("SPX", "cboe", "_SPX"),
        ("SPX", "yahoo", "^SPX"),
        ("SPX", "massive", "I:SPX"),
        ("SPX", "tradier", "SPX"),
        ("SPY", "cboe", "SPY"),
        ("BTC-USD", "yahoo", "BTC-USD"),
        ("BTC-USD", "ccxt", "BTC/USD"),
        ("BTC-USDT", "massive", "X:BTCUSDT"),
        ("ETH-BTC", "alpaca", "ETH/BTC"),
    ],
)
def test_vendors_spell_as_documented(symbol: str, vendor: str, text: str) -> None:
    assert vendor_symbol(symbol, vendor) == text
    assert canonical_symbol(text, vendor) == symbol


@given(vendor=st.sampled_from(sorted(SPELLINGS)), sort=st.sampled_from(sorted(GIVEN)), data=st.data())
def test_what_a_vendor_is_asked_is_what_its_answer_is_understood_as(
    vendor: str, sort: str, data: st.DataObject
) -> None:
    symbol = data.draw(GIVEN[sort])
    if getattr(SPELLINGS[vendor], sort) is None:
        with pytest.raises(NoDataError, match=f"{vendor} gives no") as caught:
            vendor_symbol(symbol, vendor)
        assert caught.value.symbol == symbol
    else:
        assert canonical_symbol(vendor_symbol(symbol, vendor), vendor) == symbol


@given(vendor=st.sampled_from(sorted(SPELLINGS)), one=st.one_of(*GIVEN.values()), other=st.one_of(*GIVEN.values()))
def test_two_symbols_are_never_asked_for_alike(vendor: str, one: str, other: str) -> None:
    try:
        texts = vendor_symbol(one, vendor), vendor_symbol(other, vendor)
    except NoDataError:
        return
    assert (texts[0] == texts[1]) == (one == other)


@given(st.one_of(*GIVEN.values()))
def test_inside_spellings_are_of_one_sort(symbol: str) -> None:
    assert canonical(symbol) == symbol
    assert is_pair(symbol) + is_index(symbol) <= 1
    assert is_pair(symbol) == ("-" in symbol)


def test_no_currency_ends_in_another() -> None:
    ends = [(one, other) for one in QUOTE_CURRENCIES for other in QUOTE_CURRENCIES if one != other]
    assert not [pair for pair in ends if pair[0].endswith(pair[1])]


def test_an_option_root_belongs_to_one_index() -> None:
    roots = [root for index in INDICES.values() for root in index.am_roots + index.pm_roots]
    assert len(roots) == len(set(roots))
    assert option_root("BRK.B") == "BRKB"


def test_another_spelling_than_the_inside_one_is_no_question() -> None:
    with pytest.raises(UniverseError, match=r"Expected the inside spelling BRK\.B"):
        vendor_symbol("BRK-B", "yahoo")
    for ask in (vendor_symbol, canonical_symbol):
        with pytest.raises(ConfigError, match="declared for the vendor 'ours'"):
            ask("AAPL", "ours")
