"""Option symbols: written and read back, and what they tell of settlement and deliverable."""

from __future__ import annotations

from datetime import date

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gnosis_ray.vendors.providers.occ_symbols import is_own, parse_occ, settlement

CONTRACTS = st.lists(
    st.tuples(
        st.from_regex(r"[A-Z][A-Z0-9]{0,5}", fullmatch=True),
        st.dates(date(2000, 1, 1), date(2099, 12, 31)),
        st.sampled_from("CP"),
        st.integers(1, 99_999_999),
        st.booleans(),
        st.sampled_from(["", "O:"]),
    ),
    min_size=1,
    max_size=50,
)


def read(*codes: str | None) -> pl.DataFrame:
    return pl.DataFrame({"code": codes}, schema={"code": pl.String}).select(parse_occ(pl.col("code")))


@given(CONTRACTS)
def test_what_is_written_is_read(contracts: list[tuple[str, date, str, int, bool, str]]) -> None:
    codes = [
        f"{prefix}{root.ljust(6) if padded else root}{day:%y%m%d}{side}{strike:08d}"
        for root, day, side, strike, padded, prefix in contracts
    ]
    expected = [(root, day, side, strike / 1000) for root, day, side, strike, _, _ in contracts]
    assert read(*codes).rows() == expected


@pytest.mark.parametrize(
    "code",
    [None, "", "AAPL", "AAPL260230C00150000", "AAPL261317C00150000", "AAPL260717X00150000", "AAPL260717C0015000"],
)
def test_what_is_no_code_is_null_throughout(code: str | None) -> None:
    assert read(code).rows() == [(None, None, None, None)]


def test_only_monthly_index_options_settle_in_the_morning() -> None:
    roots = pl.DataFrame({"root": ["SPX", "SPXW", "NDX", "NDXP", "AAPL", "XSP"]})
    assert roots.select(settlement(pl.col("root")))["settlement"].to_list() == ["AM", "PM", "AM", "PM", "PM", "PM"]


@pytest.mark.parametrize(
    ("symbol", "root", "own"),
    [
        ("AAPL", "AAPL", True),
        ("AAPL", "AAPL1", False),
        ("BRK.B", "BRKB", True),
        ("SPX", "SPXW", True),
        ("AAPL", "SPXW", False),
    ],
)
def test_adjusted_contracts_are_not_the_symbols_own(symbol: str, root: str, own: bool) -> None:
    assert pl.DataFrame({"root": [root]}).select(own=is_own(pl.col("root"), symbol))["own"].to_list() == [own]
