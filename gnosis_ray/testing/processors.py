"""The contract of a sentiment processor, of single symbols or of batches (:mod:`gnosis_ray.engines.sentiment`)."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from datetime import datetime

import polars as pl

from gnosis_ray.engines.sentiment.frame_processor import SENTIMENT_SOURCES, FrameProcessor, SentimentProcessor
from gnosis_ray.market.adapters import EmptyAdapter, MarketAdapter, SingleFromBatch
from gnosis_ray.market.keys import panel_keys
from gnosis_ray.testing.checking import require
from gnosis_ray.testing.samples import SAMPLE_MOMENTS, SAMPLE_SYMBOLS, sample_market

Processor = FrameProcessor | SentimentProcessor
MakeProcessor = Callable[[MarketAdapter], Processor]
Answer = tuple[float, float]

TOLERANCE = 1e-9
"""Between a batch and its keys one by one, relative."""


class WatchedAdapter(SingleFromBatch):
    """A market that remembers the latest moment that it was asked about."""

    def __init__(self, market: MarketAdapter) -> None:
        self._market = market
        self.latest: datetime | None = None

    def fetch_chains(self, keys: pl.DataFrame) -> pl.DataFrame:
        """See :class:`gnosis_ray.market.adapters.MarketAdapter`."""
        return self._market.fetch_chains(self._seen(keys))

    def fetch_bars(self, keys: pl.DataFrame, lookback: int) -> pl.DataFrame:
        """See :class:`gnosis_ray.market.adapters.MarketAdapter`."""
        return self._market.fetch_bars(self._seen(keys), lookback)

    def fetch_trades(self, keys: pl.DataFrame, lookback_minutes: int) -> pl.DataFrame:
        """See :class:`gnosis_ray.market.adapters.MarketAdapter`."""
        return self._market.fetch_trades(self._seen(keys), lookback_minutes)

    def fetch_quotes(self, keys: pl.DataFrame, lookback_minutes: int) -> pl.DataFrame:
        """See :class:`gnosis_ray.market.adapters.MarketAdapter`."""
        return self._market.fetch_quotes(self._seen(keys), lookback_minutes)

    def fetch_news_batch(self, keys: pl.DataFrame, lookback_hours: int) -> pl.DataFrame:
        """See :class:`gnosis_ray.market.adapters.MarketAdapter`."""
        return self._market.fetch_news_batch(self._seen(keys), lookback_hours)

    def _seen(self, keys: pl.DataFrame) -> pl.DataFrame:
        moments = [self.latest, *keys["timestamp"]]
        self.latest = max((moment for moment in moments if moment is not None), default=None)
        return keys


def check_source(make: MakeProcessor) -> None:
    """Check that a processor names the source that it scores."""
    name = getattr(make(EmptyAdapter()), "name", None)
    known = name in SENTIMENT_SOURCES
    require(known, f"Expected a name among {', '.join(SENTIMENT_SOURCES)}, was {name!r}")


def check_scores(make: MakeProcessor) -> None:
    """Check that scores are within -1 and 1, and confidences within 0 and 1."""
    for key, (score, confidence) in _answers(make(sample_market())).items():
        bounded = math.isfinite(score) and -1.0 <= score <= 1.0
        require(bounded, f"Expected a score within -1 and 1 for {key}, was {score}")
        require(0.0 <= confidence <= 1.0, f"Expected a confidence within 0 and 1 for {key}, was {confidence}")


def check_silence(make: MakeProcessor) -> None:
    """Check that a processor has no confidence where there is nothing to read."""
    for key, (_, confidence) in _answers(make(EmptyAdapter())).items():
        require(confidence == 0.0, f"Expected confidence 0 for {key} where nothing is known, was {confidence}")


def check_pure(make: MakeProcessor) -> None:
    """Check that the same key has the same answer, from whichever processor and after whichever others."""
    market = sample_market()
    processor = make(market)
    first, again = _answers(processor), _answers(processor, backwards=True)
    require(first == again, f"Expected the same answers in another order, was {first} and {again}")
    other = _answers(make(market))
    require(first == other, f"Expected the same answers of another one, was {first} and {other}")


def check_point_in_time(make: MakeProcessor) -> None:
    """Check that a processor reads nothing of after the moment that it is asked about."""
    for symbol in SAMPLE_SYMBOLS:
        for moment in SAMPLE_MOMENTS:
            watched = WatchedAdapter(sample_market())
            make(watched).compute(symbol, moment)
            early = watched.latest is None or watched.latest <= moment
            require(early, f"Expected reads up to {moment} for {symbol}, was {watched.latest}")


def check_batches(make: MakeProcessor) -> None:
    """Check that a processor of batches gives one row per key, in their order, as for each key alone."""
    processor = make(sample_market())
    if not isinstance(processor, FrameProcessor):
        return
    keys = panel_keys(SAMPLE_SYMBOLS, SAMPLE_MOMENTS).reverse()
    rows = processor.compute_batch(keys)
    missing = [n for n in ("symbol", "timestamp", "score", "confidence", "degraded", "absent") if n not in rows.columns]
    require(not missing, f"Expected the columns of a FrameProcessor, was without {', '.join(missing)}")
    require(rows.select(keys.columns).equals(keys), f"Expected one row per key in the keys' order, was\n{rows}")
    alone = _answers(processor)
    for symbol, moment, score, confidence in rows.select(*keys.columns, "score", "confidence").iter_rows():
        wanted, found = alone[symbol, moment], (score or 0.0, confidence)
        near = all(math.isclose(a, b, rel_tol=TOLERANCE, abs_tol=TOLERANCE) for a, b in zip(wanted, found, strict=True))
        require(near, f"Expected {wanted} for {symbol} at {moment} in a batch as alone, was {found}")


CHECKS = (check_source, check_scores, check_silence, check_pure, check_point_in_time, check_batches)
"""Every check of a processor."""


def check_processor(make: MakeProcessor) -> None:
    """Run every check of a sentiment processor.

    Parameters
    ----------
    make
        Makes the processor over a market, anew each time.

    Raises
    ------
    AssertionError
        For the first check that fails.
    """
    for check in CHECKS:
        check(make)


class ProcessorContract:
    """Tests of a sentiment processor: subclass it, and make the processor over a market."""

    def make_processor(self, market: MarketAdapter) -> Processor:
        """Make the processor under test."""
        raise NotImplementedError

    def test_processor_names_its_source(self) -> None:
        """See :func:`check_source`."""
        check_source(self.make_processor)

    def test_scores_are_bounded(self) -> None:
        """See :func:`check_scores`."""
        check_scores(self.make_processor)

    def test_processor_is_silent_where_nothing_is_known(self) -> None:
        """See :func:`check_silence`."""
        check_silence(self.make_processor)

    def test_processor_is_pure(self) -> None:
        """See :func:`check_pure`."""
        check_pure(self.make_processor)

    def test_processor_reads_no_future(self) -> None:
        """See :func:`check_point_in_time`."""
        check_point_in_time(self.make_processor)

    def test_batches_are_scored_as_their_keys(self) -> None:
        """See :func:`check_batches`."""
        check_batches(self.make_processor)


def _answers(processor: Processor, *, backwards: bool = False) -> dict[tuple[str, datetime], Answer]:
    keys: Sequence[tuple[str, datetime]] = panel_keys(SAMPLE_SYMBOLS, SAMPLE_MOMENTS).rows()
    return {key: processor.compute(*key) for key in (reversed(keys) if backwards else keys)}
