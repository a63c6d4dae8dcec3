"""Daily bars: each by itself, and against the ones before it."""

from __future__ import annotations

import math

import polars as pl

from gnosis_ray.config import BarQuality
from gnosis_ray.data.quality.checks import Check, Severity
from gnosis_ray.market.bounds import LARGEST_COUNT, LARGEST_PRICE, beyond
from gnosis_ray.market.calendar import SessionCalendar, moments_of
from gnosis_ray.market.symbols import of_pairs

_PRICES = ("open", "high", "low", "close")
_MAD_TO_SIGMA = 1.4826
"""Of a normal distribution: the standard deviation over the median distance from the median."""

_MIN_RETURNS = 20
"""Returns before a day below which nothing is said of whether its own is usual."""

_CLOSE_WANDERS = 3.0
"""Times as far from a split's ratio as the open the close may be: shares move on the day they split."""

_SPLITS = {math.log(ratio): 1.0 for ratio in (2, 3, 4, 5, 6, 7, 8, 10, 12, 15, 20, 25, 30, 40, 50, 100)}
_SPLITS |= {math.log(1.5): 2.0}  # rare, while shares do lose a third in a night: it has to fit twice as well

_IMPOSSIBLE = pl.any_horizontal(
    ~pl.col(*_PRICES).is_finite().fill_null(value=False),
    (pl.col(*_PRICES) <= 0).fill_null(value=True),
    ~pl.col("volume", "adjusted_close").is_finite().fill_null(value=True),
    (pl.col("volume") < 0).fill_null(value=False),
    (pl.col("adjusted_close") <= 0).fill_null(value=False),
    (pl.col("high") < pl.col("low")).fill_null(value=False),
    beyond(LARGEST_PRICE, *_PRICES, "adjusted_close"),
    beyond(LARGEST_COUNT, "volume"),
)


def bar_checks(limits: BarQuality) -> tuple[Check, ...]:
    """Checks of bars; over :func:`with_history`."""
    new = ~pl.col("context")
    trades = pl.col("volume").fill_null(0) > 0  # an index does not, and cannot split
    looks_split = trades & (pl.col("from_split") <= limits.split_tolerance)
    follows = (pl.col("adjustment").abs() > 0.5 * pl.col("move").abs()) & (pl.col("adjustment") * pl.col("move") < 0)
    unusual = (pl.col("true_move").abs() > limits.outlier_move) & (
        pl.col("true_move").abs() > limits.outlier_scales * pl.col("scale")
    )
    jumps = (pl.col("adjustment").abs() > limits.adjustment_jump) & ~(looks_split & follows)
    back = (pl.col("true_move") + pl.col("before_move")).abs() < 0.25 * pl.col("before_move").abs()
    was_unusual = pl.col("before_move").abs() > pl.max_horizontal(
        pl.lit(limits.outlier_move), limits.outlier_scales * pl.col("scale")
    )

    def check(name: str, severity: Severity, doc: str, when: pl.Expr, *shows: str, of: pl.Expr | None = None) -> Check:
        counted = pl.when(new).then(when)
        return Check("bars", name, severity, doc, counted, ("timestamp", *shows), of=new if of is None else new * of)

    return (
        check(
            "impossible figure", "error",
            "a price that is none, not finite, not positive or impossibly large, such a volume, a high below the low",
            _IMPOSSIBLE, *_PRICES, "volume", "adjusted_close",
        ),
        check(
            "unadjusted split", "error",
            "opens and closes at a split's ratio to the close before, and no adjusted close says what it was",
            looks_split & pl.col("adjustment").is_null(), "close_before", "open", "close",
        ),
        check(
            "split", "note", "opens and closes at a split's ratio to the close before, and the adjusted close knows it",
            looks_split & follows, "close_before", "open", "close", "adjusted_close",
        ),
        check(
            "adjusted close jumps", "warning",
            f"against the close, by more than {limits.adjustment_jump:.0%}, without a split: a spin-off, or wrong",
            jumps, "close_before", "close", "adjusted_close",
        ),
        check(
            "open or close outside its range", "warning", "not between low and high",
            ~pl.all_horizontal(pl.col(name).is_between("low", "high") for name in ("open", "close")), *_PRICES,
        ),
        check(
            "missing sessions", "warning",
            "of the exchange (of a pair: days), between the symbol's bar before and this one",
            pl.col("missing"), "missing", of=pl.col("missing").fill_null(0) + 1,
        ),
        check(
            "not at a session's close", "warning",
            "a bar of no session of the exchange; of a pair one that does not end with the day in UTC",
            ~pl.col("at_close"),
        ),
        check(
            "outlier", "note",
            f"an adjusted return beyond {limits.outlier_scales:g} robust standard deviations of the "
            f"{limits.outlier_window} before, and beyond {limits.outlier_move:.0%}",
            unusual & ~(looks_split & pl.col("adjustment").is_null()), "close_before", "close",
        ),
        check(
            "spike taken back", "warning", "an outlier whose move the next bar undoes", was_unusual & back,
            "close_before", "close",
        ),
        check(
            "repeats the bar before", "warning", "the same prices and volume", pl.col("repeats"), *_PRICES, "volume"
        ),
        check("no volume", "note", "unknown or zero", pl.col("volume").fill_null(0) == 0, "volume"),
        check("adjusted close unknown", "note", "raw closes stand for it", pl.col("adjusted_close").is_null(), "close"),
    )  # fmt: skip


class History:
    """The last bars of each symbol in the partitions before: what the next ones are compared with."""

    def __init__(self, calendar: SessionCalendar, limits: BarQuality) -> None:
        self._calendar = calendar
        self._limits = limits
        self._tail: pl.DataFrame | None = None

    def extend(self, rows: pl.DataFrame) -> pl.DataFrame:
        """``rows`` (later than all before, one version a bar) behind their symbols' last bars, with comparisons.

        ``context`` marks the bars that were looked at before. ``move``: log return of the raw close, ``adjustment``:
        log change of adjusted close over close, ``true_move`` their sum (the raw one where the other is unknown);
        ``from_split``: how far the log moves to open and to close are from those of the nearest split; ``scale``: the
        robust standard deviation of the true moves before. Side effect: remembers the last bars.
        """
        mine = rows.select("symbol").unique()
        before = rows.clear() if self._tail is None else self._tail
        joined = pl.concat(
            [
                before.join(mine, on="symbol", how="semi").with_columns(context=pl.lit(value=True)),
                rows.with_columns(context=pl.lit(value=False)),
            ]
        ).sort("symbol", "timestamp")
        last = joined.drop("context").group_by("symbol", maintain_order=True).tail(self._limits.outlier_window + 2)
        self._tail = pl.concat([before.join(mine, on="symbol", how="anti"), last])
        return self._compared(joined)

    def _compared(self, bars: pl.DataFrame) -> pl.DataFrame:
        moments = moments_of(bars["timestamp"])
        window = self._limits.outlier_window
        prior = [_prior(name) for name in (*_PRICES, "volume", "adjusted_close", "number")]
        return (
            bars.with_columns(
                pl.Series("number", self._calendar.session_number(moments)),
                pl.Series("at_close", self._calendar.is_close(moments)),
                of_pairs(bars["symbol"]).alias("pair"),
            )
            .with_columns(  # a pair has a session each day, from midnight to midnight in UTC
                number=pl.when("pair").then(pl.col("timestamp").dt.epoch("d").cast(pl.Int64)).otherwise("number"),
                at_close=pl.when("pair").then(pl.col("timestamp").dt.time() == pl.time()).otherwise("at_close"),
            )
            .with_columns(prior)
            .with_columns(
                missing=(pl.col("number") - pl.col("number_before") - 1).clip(0),
                move=(pl.col("close") / pl.col("close_before")).log(),
                opened=(pl.col("open") / pl.col("close_before")).log(),
                adjustment=(_adjustment_factor() / _adjustment_factor("_before")).log(),
                repeats=pl.all_horizontal(pl.col(n) == pl.col(f"{n}_before") for n in (*_PRICES, "volume")),
            )
            .with_columns(
                true_move=pl.col("move") + pl.col("adjustment").fill_null(0.0),
                from_split=_from_split(),
            )
            .with_columns(
                _prior("true_move", "before_move"),
                scale=_MAD_TO_SIGMA
                * pl.col("true_move").abs().rolling_median(window, min_samples=_MIN_RETURNS).shift(1).over("symbol"),
            )
        )


def _prior(name: str, called: str = "") -> pl.Expr:
    """A column of the symbol's bar before; rows are sorted by symbol."""
    follows = pl.col("symbol") == pl.col("symbol").shift(1)
    return pl.when(follows).then(pl.col(name).shift(1)).alias(called or f"{name}_before")


def _adjustment_factor(suffix: str = "") -> pl.Expr:
    return pl.col(f"adjusted_close{suffix}") / pl.col(f"close{suffix}")


def _from_split() -> pl.Expr:
    """The log distance of the open from the nearest split's ratio; of the close a third of it, where that is more."""
    distances = [
        pl.max_horizontal(
            (pl.col("opened") - sign * ratio).abs(), (pl.col("move") - sign * ratio).abs() * (1 / _CLOSE_WANDERS)
        )
        * weight
        for ratio, weight in _SPLITS.items()
        for sign in (-1, 1)
    ]
    return pl.min_horizontal(distances)
