"""Which batches of a run still need a receipt, and whether another coordinator may take over. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from gnosis_ray.fanout import OnReceipt
from gnosis_ray.schemas.run_schemas import Batch, BatchReceipt


class RunRecovery:
    """Passes each receipt on once, and allows ``max_attempts`` coordinators in a row without a receipt between.

    A coordinator that takes over gets the batches in ``missing``. One that died may have committed batches whose
    receipts it did not deliver: they are attempted again, which is harmless.
    """

    def __init__(self, batches: Sequence[Batch], max_attempts: int, on_receipt: OnReceipt) -> None:
        self._missing = {batch.index: batch for batch in batches}
        self._max_attempts = max_attempts
        self._on_receipt = on_receipt
        self._lost_in_a_row = 0
        self.coordinators_lost = 0

    @property
    def missing(self) -> tuple[Batch, ...]:
        """The batches without a receipt, in their order."""
        return tuple(self._missing.values())

    def deliver(self, receipt: BatchReceipt) -> None:
        """A receipt arrived from a coordinator; a second one of the same batch is dropped."""
        self._lost_in_a_row = 0
        if self._missing.pop(receipt.batch, None) is not None:
            self._on_receipt(receipt)

    def on_coordinator_lost(self) -> bool:
        """A coordinator died. Returns whether another one may take over."""
        self.coordinators_lost += 1
        self._lost_in_a_row += 1
        return self._lost_in_a_row < self._max_attempts
