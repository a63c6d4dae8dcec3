"""What is known of one batch, and what to try next after each failure. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal, NamedTuple

from gnosis_ray.errors import LedgerError
from gnosis_ray.fanout.symbol_scheduler import SYMBOL_STRIKES
from gnosis_ray.schemas.run_schemas import Batch

Stage = Literal["whole", "probing", "rest", "giving up"]


class Unit(NamedTuple):
    """A try to be handed out: of a batch, or of one symbol of it. Those with fewer strikes go first."""

    strikes: int
    batch: int
    symbol: str
    """Empty for the batch itself."""


class Case:
    """A batch on its way to a receipt.

    1. The batch is tried whole, ``max_attempts`` times.
    2. Then each symbol is probed: worked alone, without a commit. One that fails ``SYMBOL_STRIKES`` times is written
       off with its reason.
    3. Then the rest of the batch is tried, as often; the written-off symbols become failure rows.
    4. Then the whole batch is given up, a failure row a symbol; that, too, has as many tries. After those nothing can
       be written for it: LedgerError.
    """

    def __init__(self, batch: Batch, max_attempts: int) -> None:
        self.batch = batch
        self.stage: Stage = "whole"
        self.finished = False
        self.live = 0
        """Copies of the batch in flight; probes do not count."""
        self.copied = False
        """Whether a straggler's copy was handed out in this stage: one is all, or copies that fail go on for ever."""
        self.lost: dict[str, str] = {}
        """Symbols that are written off, with the reasons."""
        self._max_attempts = max_attempts
        self._tries = 0
        self._strikes = 0
        self._total = 0
        self._unsettled: dict[str, int] = {}

    @property
    def suspect(self) -> bool:
        """Whether a try of it has failed."""
        return self._total > 0

    def unit(self, symbol: str = "") -> Unit:
        """What is to be tried."""
        return Unit(self._total, self.batch.index, symbol)

    def next_attempt(self) -> int:
        """A number that no other try of this batch has."""
        self._tries += 1
        return self._tries

    def strike(self, reason: str) -> list[Unit]:
        """A try of the batch failed: what to queue now. Raises LedgerError where nothing can be written for it."""
        self._strikes += 1
        self._total += 1
        if self.live:
            return []  # another copy is at work and may yet succeed
        if self._strikes < self._max_attempts:
            return [self.unit()]
        if self.stage == "whole":
            self._enter("probing")
            self._unsettled = dict.fromkeys(self.batch.symbols, 0)
            return [self.unit(symbol) for symbol in self.batch.symbols] or self._give_up(self.batch.symbols, reason)
        if self.stage == "rest":
            return self._give_up(self.batch.symbols, reason)
        raise LedgerError(f"{self.batch.name} could be neither worked nor given up: {reason}", stage="fanout")

    def probe_passed(self, symbol: str) -> list[Unit]:
        """A symbol can be worked alone: what to queue now."""
        self._unsettled.pop(symbol, None)
        return self._settled()

    def probe_failed(self, symbol: str, reason: str) -> list[Unit]:
        """A symbol failed alone: what to queue now."""
        self._total += 1
        self._unsettled[symbol] += 1
        if self._unsettled[symbol] < SYMBOL_STRIKES:
            return [self.unit(symbol)]
        del self._unsettled[symbol]
        self.lost[symbol] = reason
        return self._settled()

    def _settled(self) -> list[Unit]:
        if self._unsettled:
            return []
        self._enter("giving up" if len(self.lost) == len(self.batch.symbols) else "rest")
        return [self.unit()]

    def _give_up(self, symbols: Iterable[str], reason: str) -> list[Unit]:
        """The batch as a whole is to blame; what symbols did alone stays said of them."""
        self.lost = dict.fromkeys(symbols, reason) | self.lost
        self._enter("giving up")
        return [self.unit()]

    def _enter(self, stage: Stage) -> None:
        self.stage = stage
        self.copied = False
        self._strikes = 0
