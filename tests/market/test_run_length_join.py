"""Joining runs is joining rows."""

from __future__ import annotations

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from gnosis_ray.market.run_length_join import join_runs

NAMES = st.sampled_from("abc")
NUMBERS = st.integers(0, 2)


@given(
    keys=st.lists(st.tuples(NAMES, NUMBERS), max_size=6),
    rows=st.lists(st.tuples(NAMES, NUMBERS), max_size=20),
    cut=st.integers(0, 20),
)
def test_is_the_inner_join_in_the_order_of_keys_then_rows(
    keys: list[tuple[str, int]], rows: list[tuple[str, int]], cut: int
) -> None:
    schema = {"name": pl.String, "number": pl.Int64}
    left = pl.DataFrame(keys, schema=schema, orient="row").with_row_index("key")
    right = pl.DataFrame(rows, schema=schema, orient="row").with_row_index("row")
    joined = left.join(right, on=["name", "number"], maintain_order="left_right")
    in_chunks = pl.concat([right[:cut], right[cut:]], rechunk=False)
    assert join_runs(left, in_chunks, ["name", "number"]).equals(joined.select(*right.columns, "key"))
