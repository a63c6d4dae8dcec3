"""The contracts: frozen, strict, in UTC, and whole after a trip through JSON or pickle."""

from __future__ import annotations

import pickle
from datetime import UTC, datetime, timedelta, timezone
from math import inf, nan
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from gnosis_ray.schemas.core_schemas import (
    ENGINE_KINDS,
    EngineOutput,
    FrozenModel,
    LedgerRecord,
    StandardSnapshot,
    Suggestion,
    TradeIdea,
    TradeLeg,
    to_utc,
)
from tests.ledger.samples import NOON, any_record, record

NAIVE = datetime(2026, 7, 12, 12)  # noqa: DTZ001  the point of the test
OUTPUT: dict[str, Any] = {"kind": "hedge", "symbol": "AAPL", "timestamp": NOON, "features": {}, "confidence": 0.5}
SUGGESTION: dict[str, Any] = {
    "id": "1", "layer": "composer", "symbol": "AAPL", "action": "flat", "confidence": 0.0, "reasoning": ""
}  # fmt: skip
LEG: dict[str, Any] = {"instrument_type": "C", "direction": "buy", "qty": 1}
IDEA: dict[str, Any] = record("AAPL").trade_ideas[0].model_dump()


@given(any_record)
@settings(max_examples=60, deadline=None)
def test_every_record_survives_json_and_pickle(one: LedgerRecord) -> None:
    assert LedgerRecord.model_validate_json(one.model_dump_json()) == one
    assert pickle.loads(pickle.dumps(one)) == one  # noqa: S301  our own bytes


def test_infinity_survives_json() -> None:
    idea = TradeIdea.model_validate_json(record("AAPL").trade_ideas[0].model_dump_json())
    assert idea.max_loss == inf
    assert idea.max_profit is None


@given(st.datetimes(timezones=st.sampled_from([UTC, timezone(timedelta(hours=-5)), timezone(timedelta(hours=9))])))
def test_moments_are_kept_and_read_in_utc(moment: datetime) -> None:
    try:
        expected = moment.astimezone(UTC)
    except OverflowError:
        return
    assert to_utc(moment) == expected
    assert to_utc(moment).tzinfo is UTC


def test_a_naive_moment_is_read_as_utc() -> None:
    assert EngineOutput(**{**OUTPUT, "timestamp": NAIVE}).timestamp == NOON
    assert StandardSnapshot(symbol="AAPL", timestamp=NAIVE).timestamp == NOON
    assert Suggestion(**SUGGESTION, timestamp=NAIVE).timestamp == NOON
    assert EngineOutput(**{**OUTPUT, "timestamp": "2026-07-12T08:00:00-04:00"}).timestamp == NOON


@pytest.mark.parametrize("one", [record("AAPL"), record("AAPL").snapshot, record("AAPL").trade_ideas[0]])
def test_contracts_are_frozen_and_refuse_what_they_do_not_know(one: FrozenModel) -> None:
    with pytest.raises(ValidationError, match="frozen"):
        one.symbol = "MSFT"  # type: ignore[attr-defined]
    with pytest.raises(ValidationError, match="surprise"):
        type(one).model_validate({**dict(one), "surprise": 1})


@pytest.mark.parametrize("value", [inf, -inf, nan])
def test_features_and_forecasts_are_finite(value: float) -> None:
    with pytest.raises(ValidationError, match="finite"):
        EngineOutput(**{**OUTPUT, "features": {"energy": value}})
    with pytest.raises(ValidationError, match="finite"):
        Suggestion(**SUGGESTION, forecast={"spot": value})
    for kind in ENGINE_KINDS:
        with pytest.raises(ValidationError, match="finite"):
            StandardSnapshot(symbol="AAPL", timestamp=NOON, **{kind: {"x": value}})


@pytest.mark.parametrize("confidence", [-0.01, 1.01, nan])
def test_confidence_is_a_share(confidence: float) -> None:
    with pytest.raises(ValidationError, match="confidence"):
        EngineOutput(**{**OUTPUT, "confidence": confidence})


@pytest.mark.parametrize(
    "wrong", [{"qty": 0}, {"strike": 0.0}, {"strike": inf}, {"expiry": "21/08/2026"}, {"direction": "long"}]
)
def test_legs_that_cannot_be_traded_are_refused(wrong: dict[str, Any]) -> None:
    assert TradeLeg(**LEG).qty == 1
    with pytest.raises(ValidationError, match=next(iter(wrong))):
        TradeLeg(**{**LEG, **wrong})


@pytest.mark.parametrize("wrong", [{"max_loss": -1.0}, {"max_loss": nan}, {"max_profit": nan}, {"cost_per_unit": inf}])
def test_ideas_with_impossible_money_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError, match=next(iter(wrong))):
        TradeIdea(**{**IDEA, **wrong})
