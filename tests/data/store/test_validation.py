"""Values that may be appended."""

from __future__ import annotations

import polars as pl
import pytest

from gnosis_ray.data.store.validation import check_values, value_schema
from gnosis_ray.errors import DataError
from gnosis_ray.market.datasets import DATASETS, conform
from gnosis_ray.schemas.core_schemas import DATA_KINDS, DataKind
from tests.data.store.frames import MINUTE, MONDAY, bar, chain, trade


@pytest.mark.parametrize("kind", DATA_KINDS)
def test_the_columns_declared_are_those_stored(kind: DataKind) -> None:
    assert value_schema(kind).create_empty().schema == DATASETS[kind].stored


def test_a_fault_is_told_with_its_symbol_column_and_time() -> None:
    data = DATASETS["trades"]
    rows = pl.concat([trade("AAPL", MONDAY), trade("MSFT", MONDAY + MINUTE, float("inf"))])
    with pytest.raises(DataError, match="MSFT: a test, dataset trades, column price: is not finite at 2026-07-06"):
        check_values(data, conform(data, rows, ""), "a test")


def test_of_several_faults_the_one_that_hides_most_is_told() -> None:
    data = DATASETS["bars"]
    rows = pl.concat([bar("AAPL", 0, float("nan")), bar("AAPL", 1).with_columns(symbol=pl.lit(None, pl.String))])
    with pytest.raises(DataError, match="column symbol: is null"):
        check_values(data, conform(data, rows, ""), "a test")


def test_figures_may_be_unknown() -> None:
    data = DATASETS["chains"]
    unknown = chain("AAPL", MONDAY).with_columns(
        pl.lit(None, dtype).alias(name) for name, dtype in data.schema.items() if dtype == pl.Float64
    )
    check_values(data, conform(data, unknown, ""), "a test")
