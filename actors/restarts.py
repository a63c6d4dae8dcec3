"""How often and how soon a lost host is replaced. Pure."""

from __future__ import annotations

from dataclasses import dataclass

FIRST_DELAY_S = 0.1
LONGEST_DELAY_S = 5.0


@dataclass
class Restarts:
    """Allows ``limit`` losses in a row without a success between; the delay doubles with each."""

    limit: int
    in_a_row: int = 0

    def on_success(self) -> None:
        """A success: start to count from zero."""
        self.in_a_row = 0

    def on_loss(self) -> float | None:
        """Seconds to wait before the replacement starts; None after more than ``limit`` losses."""
        self.in_a_row += 1
        if self.in_a_row > self.limit:
            return None
        return min(LONGEST_DELAY_S, FIRST_DELAY_S * 2.0 ** (self.in_a_row - 1))
