"""How often, and how soon, a dead host is replaced."""

from __future__ import annotations

from dataclasses import dataclass

FIRST_DELAY_S = 0.1
LONGEST_DELAY_S = 5.0


@dataclass
class Restarts:
    """Allows ``limit`` losses in a row with no success between, each replaced after twice the delay before."""

    limit: int
    in_a_row: int = 0

    def on_success(self) -> None:
        """Something went well: count anew."""
        self.in_a_row = 0

    def on_loss(self) -> float | None:
        """Seconds to wait before the replacement starts; None where there have been too many losses."""
        self.in_a_row += 1
        if self.in_a_row > self.limit:
            return None
        return min(LONGEST_DELAY_S, FIRST_DELAY_S * 2.0 ** (self.in_a_row - 1))
