"""Each receipt counts once, and coordinators are replaced while receipts arrive."""

from __future__ import annotations

from actors.run_recovery import RunRecovery
from gnosis_ray.schemas.run_schemas import BatchReceipt
from tests.actors.fake_job import batches


def receipt(index: int, attempt: int = 1) -> BatchReceipt:
    return BatchReceipt(batch=index, attempt=attempt, rows={"snapshots": 1})


def test_a_receipt_is_passed_on_once_and_its_batch_is_no_longer_missing() -> None:
    seen: list[BatchReceipt] = []
    recovery = RunRecovery(batches(3), 2, seen.append)
    recovery.deliver(receipt(1))
    recovery.deliver(receipt(1, attempt=2))
    assert seen == [receipt(1)]
    assert [batch.index for batch in recovery.missing] == [0, 2]


def test_coordinators_are_replaced_up_to_the_limit_in_a_row() -> None:
    recovery = RunRecovery(batches(3), 3, lambda _: None)
    assert [recovery.on_coordinator_lost() for _ in range(3)] == [True, True, False]
    assert recovery.coordinators_lost == 3


def test_a_receipt_between_losses_starts_the_count_over() -> None:
    recovery = RunRecovery(batches(3), 2, lambda _: None)
    assert recovery.on_coordinator_lost()
    recovery.deliver(receipt(0))
    assert recovery.on_coordinator_lost()
    assert not recovery.on_coordinator_lost()
    assert recovery.coordinators_lost == 3
