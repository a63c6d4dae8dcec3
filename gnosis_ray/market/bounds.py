"""What no price and no count can be: figures beyond are damage, whoever gave them."""

from __future__ import annotations

import polars as pl

LARGEST_PRICE = 1e9
"""Of a share, a contract, a strike or a coin, in its currency: a thousand times the dearest share (BRK.A, 8e5 USD)."""

LARGEST_COUNT = 2.0**53
"""Of shares, coins or contracts: beyond it a float does not count by ones; the largest daily volumes are near 1e14."""


def beyond(largest: float, *columns: str) -> pl.Expr:
    """Whether any of the columns is larger than that; null is not."""
    return pl.any_horizontal((pl.col(*columns) > largest).fill_null(value=False))
