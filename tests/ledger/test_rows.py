"""Records become frames and come back equal; equal records become equal bytes."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gnosis_ray.errors import LedgerError
from gnosis_ray.ledger.rows import (
    degraded_reasons,
    records_of,
    scan_frames,
    snapshots_frame,
    suggestions_frame,
    trade_ideas_frame,
)
from gnosis_ray.ledger.run_writer import RunWriter
from gnosis_ray.ledger.tables import (
    CONFIDENCE_COLUMNS,
    SUGGESTIONS,
    TRADE_IDEAS,
    feature_columns,
    snapshots_schema,
)
from gnosis_ray.schemas.core_schemas import EngineSummary, LedgerRecord
from gnosis_ray.schemas.feature_spec import FeatureSpec
from gnosis_ray.schemas.run_schemas import FORMAT_1_TABLES
from tests.ledger.samples import ENGINE_FEATURES, NOON, any_record, details, record

COLUMNS = feature_columns(ENGINE_FEATURES)


@given(st.lists(any_record, max_size=4))
@settings(max_examples=60, deadline=None)
def test_every_record_survives_the_frames(records: list[LedgerRecord]) -> None:
    frames = snapshots_frame(records, COLUMNS), suggestions_frame(records), trade_ideas_frame(records)
    assert list(records_of(*frames)) == records
    assert frames[1].schema == SUGGESTIONS
    assert frames[2].schema == TRADE_IDEAS
    assert list(frames[0].schema.items())[: len(snapshots_schema(COLUMNS))] == list(snapshots_schema(COLUMNS).items())


@given(st.lists(any_record, max_size=3))
@settings(max_examples=25, deadline=None)
def test_equal_records_give_equal_bytes_whatever_the_order_of_their_dicts(records: list[LedgerRecord]) -> None:
    turned = [_turned(one) for one in records]
    assert turned == records
    shown = details(("AAPL", "MSFT"))
    writer = RunWriter(Path("unused"), NOON.date(), "run", FORMAT_1_TABLES)
    written = [writer.encode(scan_frames(*each, (), COLUMNS)) for each in ((turned, shown.reverse()), (records, shown))]
    assert written[0] == written[1]


def test_features_have_columns_in_the_order_of_the_specs_and_strangers_follow_sorted() -> None:
    records = [record("AAPL", zeta=1.0, energy=0.5), record("MSFT", alpha=2.0)]
    frame = snapshots_frame(records, COLUMNS)
    wide = ["hedge__pressure", "hedge__energy", "liquidity__depth", "hedge__alpha", "hedge__zeta"]
    assert frame.columns[-5:] == wide
    assert frame.select(wide).rows() == [(None, 0.5, None, None, 1.0), (None, None, None, 2.0, None)]
    assert set(frame.select(wide).dtypes) == {pl.Float64}


def test_confidence_and_degradation_have_columns_of_their_own() -> None:
    frame = snapshots_frame([record("AAPL")], ())
    assert frame["degraded"].to_list() == ["few_strikes,stale"]
    assert frame.select(CONFIDENCE_COLUMNS.values()).row(0) == (0.75, None, None, None)
    none = record("AAPL").snapshot.model_copy(update={"engines": {}})
    bare = snapshots_frame([record("AAPL").model_copy(update={"snapshot": none})], ())
    assert bare.select("degraded", "hedge__confidence", "engines").row(0) == (None, None, [])


def test_degraded_reasons_are_the_sorted_union_over_engines() -> None:
    engines = {
        "hedge": EngineSummary(confidence=0.5, degraded=("b", "a")),
        "liquidity": EngineSummary(confidence=0.5, degraded=("a", "c"), absent=("d",)),
    }
    snapshot = record("AAPL").snapshot.model_copy(update={"engines": engines})
    assert degraded_reasons(snapshot) == ("a", "b", "c")


def test_engines_of_an_older_ledger_come_from_what_it_holds() -> None:
    one = record("AAPL")
    texts = {"hedge.regime": "pin", "hedge.absent": "no_vix", "liquidity.regime": "thin"}
    told = one.snapshot.model_copy(update={"metadata": one.snapshot.metadata | texts})
    new = snapshots_frame([one.model_copy(update={"snapshot": told})], COLUMNS)
    later = suggestions_frame([one]), trade_ideas_frame([one])
    summary = EngineSummary(
        confidence=0.75, regime="pin", degraded=("stale", "few_strikes"), absent=("no_vix",)
    )  # the liquidity engine has no confidence: it did not run
    for older in (new.drop("engines"), new.with_columns(engines=pl.lit(None, new.schema["engines"]))):
        (read,) = records_of(older, *later)
        assert read.snapshot.engines == {"hedge": summary}
    impossible = new.drop("engines").with_columns(hedge__confidence=pl.lit(1.5))
    assert next(records_of(impossible, *later)).snapshot.engines == {}


def test_a_feature_cannot_take_the_column_of_the_confidence() -> None:
    with pytest.raises(LedgerError, match="hedge__confidence"):
        feature_columns({"hedge": (FeatureSpec("confidence", "1", ""),)})
    with pytest.raises(LedgerError, match="hedge__confidence"):
        snapshots_frame([record("AAPL", confidence=1.0)], ())


def test_rows_of_one_symbol_at_several_records_stay_apart() -> None:
    twice = [record("AAPL", energy=1.0), record("AAPL", energy=2.0)]
    frames = snapshots_frame(twice, ()), suggestions_frame(twice), trade_ideas_frame(twice)
    shuffled = [frame.reverse() for frame in frames]
    assert list(records_of(*shuffled)) == twice
    assert frames[1]["suggestion_timestamp"].to_list() == [None, NOON, None, NOON]


def _turned(one: LedgerRecord) -> LedgerRecord:
    """The same record, its dicts filled in the opposite order."""
    snapshot = one.snapshot.model_copy(
        update={
            name: dict(reversed(getattr(one.snapshot, name).items()))
            for name in ("hedge", "liquidity", "sentiment", "elasticity", "metadata", "engines")
        }
    )
    said = one.composite_suggestion
    composite = said.model_copy(update={"forecast": dict(reversed(said.forecast.items()))})
    return one.model_copy(update={"snapshot": snapshot, "composite_suggestion": composite})
