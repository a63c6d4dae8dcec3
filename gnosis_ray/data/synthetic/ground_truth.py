"""The ground truth: the planted values that an engine reading this market should recover."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from gnosis_ray.data.synthetic.params import Positioning
from gnosis_ray.data.synthetic.surface import Surface


@dataclass(frozen=True)
class GroundTruth:
    """Planted figures of one symbol in force at a moment. USD, fractions, years."""

    symbol: str
    snapshot: datetime
    """When the chain in force was taken."""
    spot: float
    beta: float
    regime: str
    """``calm`` or ``stressed``: the symbol's own volatility regime."""
    volatility: float
    """Annual, in force."""
    kyle_lambda: float
    """USD a share of signed volume, in the snapshot's session."""
    spread_bps: float
    """Of the stock."""
    carry: float
    """Continuously compounded yield q."""
    surface: Surface
    positioning: Positioning
    call_wall: float | None
    """Strike; None where no expiry is listed."""
    put_wall: float | None
    gamma_sign: int
    """Of the naive dealers' net gamma; 0 where balanced."""
    gross_energy: float
    """Planted gross gamma traded on a one-sigma day, over a day's turnover; more where the book is at its floor."""
    news_tone: int
    """Of the week: 1, -1 or 0."""
    headline_tones: Mapping[str, int]
    """Tone of each headline of the last 72 hours."""
