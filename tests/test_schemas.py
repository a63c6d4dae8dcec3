"""What a run is made of: manifest, batches, receipts, failures."""

from __future__ import annotations

import pickle
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from gnosis_ray.errors import ChainError, StageError
from gnosis_ray.schemas.run_schemas import Batch, BatchReceipt, Failure, RunManifest, RunReceipt, new_run_id
from tests.ledger.samples import NOON, manifest, run_receipt


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
    failure = Failure(symbol="XOM", stage="hedge", error="ChainError", message="négatif")
    receipt = BatchReceipt(
        batch=3, attempt=2, snapshots=31, ideas=4, degraded={"stale": ("A", "B")}, failures=(failure,),
        seconds={"read": 0.1},
    )  # fmt: skip
    assert BatchReceipt.model_validate_json(receipt.model_dump_json()) == receipt


def test_wall_seconds_run_from_start_to_seal() -> None:
    assert run_receipt(manifest()).wall_seconds == 2.5


def test_a_batch_size_must_be_positive() -> None:
    with pytest.raises(ValidationError, match="batch_size"):
        RunManifest(**{**dict(manifest()), "batch_size": 0})


def test_a_failure_keeps_the_first_cause_and_the_innermost_stage() -> None:
    wrapped = StageError.wrap(ChainError("no strikes", symbol="XOM"), symbol="XOM", stage="hedge")
    seen = Failure.of(wrapped, symbol="XOM", stage="batch")
    assert seen == Failure(symbol="XOM", stage="hedge", error="ChainError", message="no strikes")
    raw = Failure.of(KeyError("spot"), symbol="XOM", stage="batch")
    assert raw == Failure(symbol="XOM", stage="batch", error="KeyError", message="'spot'")
