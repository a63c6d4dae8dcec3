"""What the checks of every kind share."""

from __future__ import annotations

from multiprocessing.reduction import ForkingPickler

import polars as pl


def require(holds: bool, text: str) -> None:
    """Raise :class:`AssertionError` with ``text`` where something does not hold."""
    if not holds:
        raise AssertionError(text)


def require_picklable(value: object, what: str) -> None:
    """Raise :class:`AssertionError` where a value cannot be sent to another process."""
    try:
        ForkingPickler.dumps(value)
    except Exception as error:
        raise AssertionError(f"Expected {what} that can be pickled, was {value!r}: {error}") from error


def require_equal_frames(left: pl.DataFrame, right: pl.DataFrame, what: str) -> None:
    """Raise :class:`AssertionError` where two frames differ in a column, a row or a value."""
    require(
        left.equals(right), f"{what}: Expected the same rows, was {left.height} and {right.height}:\n{left}\n{right}"
    )


def require_finite(frame: pl.DataFrame, what: str) -> None:
    """Raise :class:`AssertionError` where a number is NaN or infinite; what is unknown is null."""
    for name, dtype in frame.schema.items():
        if dtype.is_float():
            bad = frame.filter(pl.col(name).is_not_null() & ~pl.col(name).is_finite()).height
            require(bad == 0, f"{what}: Expected finite numbers or null in {name}, was {bad} NaN or infinite")
