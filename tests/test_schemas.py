"""The three core contracts, built as their users build them; and what a run is made of."""

from __future__ import annotations

import json
import pickle
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from gnosis_ray.errors import ChainError, StageError
from gnosis_ray.schemas.core_schemas import EngineOutput, StandardSnapshot, TradeIdea, TradeLeg
from gnosis_ray.schemas.run_schemas import Batch, BatchReceipt, Failure, RunManifest, RunReceipt, new_run_id
from tests.ledger.samples import NOON, manifest, run_receipt

NOW = datetime(2026, 7, 10, 20, 0, tzinfo=UTC)


def test_engine_output_keeps_kind_and_features() -> None:
    output = EngineOutput(
        kind="hedge",
        symbol="SPY",
        timestamp=NOW,
        features={"gamma_pressure": 1.0},
        confidence=0.9,
        regime="gamma_squeeze",
    )
    assert output.kind == "hedge"
    assert output.features["gamma_pressure"] == 1.0


def test_snapshot_takes_four_sections() -> None:
    snapshot = StandardSnapshot(
        symbol="SPY",
        timestamp=NOW,
        hedge={"gamma_pressure": 1.0},
        liquidity={"amihud_illiquidity": 0.1},
        sentiment={"sentiment_score": 0.5},
        elasticity={"energy_to_move_1pct_up": 10.0},
    )
    assert snapshot.symbol == "SPY"
    assert "gamma_pressure" in snapshot.hedge


def test_trade_idea_holds_its_legs() -> None:
    leg = TradeLeg(instrument_type="C", direction="buy", qty=1, strike=500.0, expiry="2026-12-18")
    idea = TradeIdea(
        id="one",
        symbol="SPY",
        strategy_type="call_debit_spread",
        side="long",
        legs=[leg],
        cost_per_unit=200.0,
        max_loss=200.0,
        max_profit=300.0,
        breakeven_levels=[502.0],
        target_exit_price=510.0,
        stop_loss_price=495.0,
        recommended_units=1,
        confidence=0.8,
        rationale="one leg",
    )
    assert idea.strategy_type == "call_debit_spread"
    assert idea.legs[0].instrument_type == "C"


@given(st.lists(st.text(max_size=3), max_size=40), st.integers(1, 12))
def test_batches_cut_the_universe_in_order_without_loss(symbols: list[str], size: int) -> None:
    run = manifest(symbols=tuple(symbols)).model_copy(update={"batch_size": size})
    batches = run.batches()
    assert [symbol for batch in batches for symbol in batch.symbols] == symbols
    assert [batch.index for batch in batches] == list(range(len(batches)))
    assert all(len(batch.symbols) == size for batch in batches[:-1])
    assert all(1 <= len(batch.symbols) <= size for batch in batches[-1:])


def test_names_of_batches_sort_as_their_numbers() -> None:
    assert Batch(index=7, symbols=()).name == "batch-00007"
    names = [Batch(index=i, symbols=()).name for i in (0, 9, 10, 99_999)]
    assert names == sorted(names)


def test_run_ids_sort_by_start() -> None:
    assert new_run_id(NOON, "1f3a") == "20260712T120000000-1f3a"
    assert new_run_id(NOON + timedelta(milliseconds=1), "0000") > new_run_id(NOON, "ffff")


@pytest.mark.parametrize("one", [manifest(), run_receipt(manifest())])
def test_manifests_and_receipts_survive_json_and_pickle(one: RunManifest | RunReceipt) -> None:
    assert type(one).model_validate_json(one.model_dump_json()) == one
    assert pickle.loads(pickle.dumps(one)) == one  # noqa: S301  our own bytes
    with pytest.raises(ValidationError, match="frozen"):
        one.run_id = "other"  # type: ignore[misc]


def test_batch_receipts_survive_json() -> None:
    failure = Failure(symbol="XOM", stage="hedge", kind="bad_data", error="ChainError", message="négatif")
    receipt = BatchReceipt(
        batch=3,
        attempt=2,
        rows={"snapshots": 31, "trade_ideas": 4},
        degraded={"stale": ("A", "B")},
        failures=(failure,),
        seconds={"read": 0.1},
    )
    assert BatchReceipt.model_validate_json(receipt.model_dump_json()) == receipt


def test_wall_seconds_run_from_start_to_seal() -> None:
    assert run_receipt(manifest()).wall_seconds == 2.5


def test_a_batch_size_must_be_positive() -> None:
    with pytest.raises(ValidationError, match="batch_size"):
        RunManifest(**{**dict(manifest()), "batch_size": 0})


def test_a_failure_keeps_the_first_cause_and_the_innermost_stage() -> None:
    wrapped = StageError.wrap(ChainError("no strikes", symbol="XOM"), symbol="XOM", stage="hedge")
    seen = Failure.of(wrapped, symbol="XOM", stage="batch")
    assert seen == Failure(symbol="XOM", stage="hedge", kind="bad_data", error="ChainError", message="no strikes")
    raw = Failure.of(KeyError("spot"), symbol="XOM", stage="batch")
    assert raw == Failure(symbol="XOM", stage="batch", kind="unexpected", error="KeyError", message="'spot'")
    component = StageError.wrap(KeyError("spot"), symbol="XOM", stage="engine.hedge")
    assert Failure.of(component, symbol="XOM", stage="batch").kind == "component"


@pytest.mark.parametrize(
    ("stage", "error", "kind"),
    [
        ("load", "NoDataError", "no_data"),
        ("engine.hedge", "ChainError", "bad_data"),
        ("fetch.chains", "TransientError", "provider"),
        ("fetch.chains", "HTTP 503", "provider"),
        ("fetch.chains", "ConnectError", "provider"),
        ("engine.hedge", "KeyError", "component"),
        ("agent.HedgeAgentV3", "KeyError", "component"),
        ("host", "Quarantined", "quarantined"),
        ("pipeline", "ZeroDivisionError", "unexpected"),
    ],
)
def test_a_failure_from_before_there_were_kinds_has_one(stage: str, error: str, kind: str) -> None:
    older = {"symbol": "XOM", "stage": stage, "error": error, "message": ""}
    for told in (older, {**older, "kind": None}):
        assert Failure.model_validate(told).kind == kind
    assert Failure.model_validate_json(json.dumps(older)).kind == kind


def test_a_kind_of_failure_is_one_of_those_that_are_known() -> None:
    with pytest.raises(ValidationError, match="kind"):
        Failure.model_validate({"symbol": "A", "stage": "s", "kind": "other", "error": "E", "message": ""})
