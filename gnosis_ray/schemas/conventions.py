"""The market's conventions that formulas share: each stands here once."""

from __future__ import annotations

DAYS_PER_YEAR = 365.0
"""Of an option's life: ``tau`` in years is calendar time over this (Actual/365 Fixed)."""

SECONDS_PER_DAY = 86_400.0

TRADING_DAYS_PER_YEAR = 252
"""Sessions by which a daily variance is annualised."""

SHARES_PER_CONTRACT = 100
"""Shares that a standard listed equity or index option stands for (OCC)."""

UNBOUNDED_STOPS = 3
"""Stop distances that stand for the loss of a trade whose loss has no bound."""
