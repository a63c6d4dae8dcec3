"""The state of one batch, and what to run next after each failure. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal, NamedTuple

from gnosis_ray.errors import LedgerError
from gnosis_ray.fanout.symbol_scheduler import SYMBOL_FAILURE_LIMIT
from gnosis_ray.schemas.run_schemas import Batch

Stage = Literal["whole", "isolating", "remainder", "giving up"]


class WorkItem(NamedTuple):
    """Work to assign: a batch, or one symbol of it in isolation. Items with fewer failures go first."""

    failure_count: int
    batch: int
    symbol: str
    """Empty for the batch itself."""


class BatchState:
    """A batch on its way to a receipt.

    1. The whole batch is run, up to ``max_attempts`` times.
    2. Then each symbol gets isolation runs: it is computed alone, without a commit. A symbol that fails
       ``SYMBOL_FAILURE_LIMIT`` of them is quarantined with the reason.
    3. Then the remainder of the batch is run, up to ``max_attempts`` times; quarantined symbols become failure rows.
    4. Then the whole batch is given up, with a failure row for each symbol; that, too, is attempted as often. After
       that nothing can be written for the batch: LedgerError.
    """

    def __init__(self, batch: Batch, max_attempts: int) -> None:
        self.batch = batch
        self.stage: Stage = "whole"
        self.finished = False
        self.in_flight = 0
        """Assigned copies of the batch; isolation runs do not count."""
        self.copied = False
        """Whether a straggler was copied in this stage. One copy is the limit, or copies that fail never end."""
        self.quarantined: dict[str, str] = {}
        """Symbols that are given up, with the reasons."""
        self._max_attempts = max_attempts
        self._attempts = 0
        self._stage_failures = 0
        self._failures = 0
        self._isolation_failures: dict[str, int] = {}
        """Failed isolation runs of each symbol that has neither passed nor been quarantined."""

    @property
    def suspect(self) -> bool:
        """Whether an attempt at the batch has failed."""
        return self._failures > 0

    def work_item(self, symbol: str = "") -> WorkItem:
        """The batch, or an isolation run of ``symbol``, as work to queue."""
        return WorkItem(self._failures, self.batch.index, symbol)

    def next_attempt(self) -> int:
        """A number that no other attempt at this batch has."""
        self._attempts += 1
        return self._attempts

    def attempt_failed(self, reason: str) -> list[WorkItem]:
        """An attempt at the batch failed: what to queue now. Raises LedgerError where nothing can be written for it."""
        self._stage_failures += 1
        self._failures += 1
        if self.in_flight:
            return []  # another copy is running and may yet succeed
        if self._stage_failures < self._max_attempts:
            return [self.work_item()]
        if self.stage == "whole":
            self._enter("isolating")
            self._isolation_failures = dict.fromkeys(self.batch.symbols, 0)
            runs = [self.work_item(symbol) for symbol in self.batch.symbols]
            return runs or self._give_up(self.batch.symbols, reason)
        if self.stage == "remainder":
            return self._give_up(self.batch.symbols, reason)
        raise LedgerError(f"{self.batch.name} could be neither worked nor given up: {reason}", stage="fanout")

    def isolation_passed(self, symbol: str) -> list[WorkItem]:
        """An isolation run of a symbol succeeded: what to queue now."""
        self._isolation_failures.pop(symbol, None)
        return self._after_isolation()

    def isolation_failed(self, symbol: str, reason: str) -> list[WorkItem]:
        """An isolation run of a symbol failed: what to queue now."""
        self._failures += 1
        self._isolation_failures[symbol] += 1
        if self._isolation_failures[symbol] < SYMBOL_FAILURE_LIMIT:
            return [self.work_item(symbol)]
        del self._isolation_failures[symbol]
        self.quarantined[symbol] = reason
        return self._after_isolation()

    def _after_isolation(self) -> list[WorkItem]:
        """The batch itself, once every symbol has passed or is quarantined."""
        if self._isolation_failures:
            return []
        self._enter("giving up" if len(self.quarantined) == len(self.batch.symbols) else "remainder")
        return [self.work_item()]

    def _give_up(self, symbols: Iterable[str], reason: str) -> list[WorkItem]:
        """Give up the whole batch. A symbol that was quarantined before keeps its own reason."""
        self.quarantined = dict.fromkeys(symbols, reason) | self.quarantined
        self._enter("giving up")
        return [self.work_item()]

    def _enter(self, stage: Stage) -> None:
        self.stage = stage
        self.copied = False
        self._stage_failures = 0
