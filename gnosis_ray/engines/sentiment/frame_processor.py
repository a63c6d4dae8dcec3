"""What a sentiment processor is: it gives a score and a confidence, for one symbol or a batch."""

from __future__ import annotations

from abc import ABC, abstractmethod
from datetime import datetime
from typing import ClassVar, Literal, Protocol, get_args, runtime_checkable

import polars as pl

from gnosis_ray.errors import ConfigError, StageError
from gnosis_ray.market.columns import HEADLINES, KEYS
from gnosis_ray.market.data_requirements import DataRequirements
from gnosis_ray.market.frame_faults import column_fault, key_fault, number_fault
from gnosis_ray.market.keys import one_key
from gnosis_ray.schemas.expectations import was
from gnosis_ray.schemas.feature_spec import FeatureSpec

SentimentSource = Literal["news", "flow", "technical"]
SENTIMENT_SOURCES: tuple[SentimentSource, ...] = get_args(SentimentSource)

_SCORES = pl.Schema(
    {**KEYS, "score": pl.Float64(), "confidence": pl.Float64(), "degraded": pl.String(), "absent": pl.String()}
)
"""The columns that every processor gives; ``features`` are beside them."""


@runtime_checkable
class SentimentProcessor(Protocol):
    """Scores one source of sentiment. Its ``name`` says which: a :data:`SentimentSource`.

    Examples
    --------
    >>> import gnosis_ray as gr
    >>> class Optimist:
    ...     name = "news"
    ...
    ...     def compute(self, symbol, now):
    ...         return 0.5, 0.8
    >>> isinstance(Optimist(), gr.SentimentProcessor)
    True
    """

    def compute(self, symbol: str, now: datetime) -> tuple[float, float]:
        """Score a symbol.

        Parameters
        ----------
        symbol
            In the spelling of :mod:`gnosis_ray.market.symbols`.
        now
            The moment, UTC; nothing that became known later may be read.

        Returns
        -------
        tuple[float, float]
            The score, -1 (bearish) to 1 (bullish), and the confidence, 0 (silent) to 1.
        """
        ...


class FrameProcessor(ABC):
    """A processor that reads one table and scores a whole batch at once; one symbol is a batch of one.

    Scores have one row a key, in the keys' order: ``symbol, timestamp, score`` (-1 to 1, null where the source is
    silent), ``confidence`` (0 to 1, 0 where silent), a column for each of ``features``, ``degraded`` (comma-separated:
    data that should be there is missing or old) and ``absent`` (nothing was published or traded: no fault of the data).

    Examples
    --------
    >>> import gnosis_ray as gr
    >>> import polars as pl
    >>> class Momentum(gr.FrameProcessor):
    ...     name = "technical"
    ...
    ...     def __init__(self, adapter):
    ...         self.adapter = adapter
    ...
    ...     def load(self, keys):
    ...         return self.adapter.fetch_bars(keys, 21)
    ...
    ...     def score(self, keys, table):
    ...         moves = table.group_by("symbol").agg(move=pl.col("close").last() / pl.col("close").first() - 1)
    ...         none = pl.lit(None, pl.String)
    ...         return keys.join(moves, on="symbol", how="left", maintain_order="left").select(
    ...             "symbol",
    ...             "timestamp",
    ...             score=(10 * pl.col("move")).tanh(),
    ...             confidence=pl.col("move").is_not_null().cast(pl.Float64),
    ...             degraded=none,
    ...             absent=none,
    ...         )
    >>> config = gr.load_config()
    >>> score, confidence = Momentum(gr.open_market(config)).compute("AAPL", config.data.synthetic.as_of)
    >>> -1 <= score <= 1, confidence
    (True, 1.0)
    """

    name: SentimentSource
    features: ClassVar[tuple[FeatureSpec, ...]] = ()
    data_requirements: DataRequirements | None = None
    """What ``load`` reads. Of a processor that does not declare it, the engine assumes what the built-in ones read."""

    @abstractmethod
    def load(self, keys: pl.DataFrame) -> pl.DataFrame:
        """Read, through the adapter, the table that ``score`` needs.

        Parameters
        ----------
        keys
            ``columns.KEYS``: one row a symbol and moment.

        Returns
        -------
        pl.DataFrame
            Known at or before the symbol's latest key.
        """

    @abstractmethod
    def score(self, keys: pl.DataFrame, table: pl.DataFrame) -> pl.DataFrame:
        """Score every key. Pure: the same inputs give the same bits.

        Parameters
        ----------
        keys
            As ``load`` got them.
        table
            What ``load`` returned.

        Returns
        -------
        pl.DataFrame
            One row a key, in the keys' order, with the columns that the class names.
        """

    def score_with_items(self, keys: pl.DataFrame, table: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
        """:meth:`score`, and the items of news that it is made of (``columns.HEADLINES``): none unless overridden."""
        return self.score(keys, table), pl.DataFrame(schema=HEADLINES)

    def compute_batch(self, keys: pl.DataFrame) -> pl.DataFrame:
        """``load`` and ``score``."""
        return self.score(keys, self.load(keys))

    def compute(self, symbol: str, now: datetime) -> tuple[float, float]:
        """``(score, confidence)`` of one symbol; ``(0, 0)`` where the source is silent."""
        row = self.compute_batch(one_key(symbol, now)).row(0, named=True)
        return (0.0 if row["score"] is None else row["score"]), row["confidence"]


class AdaptedProcessor(FrameProcessor):
    """A processor that only knows single symbols, asked key by key; confidence 0 is silence."""

    def __init__(self, processor: SentimentProcessor, name: SentimentSource) -> None:
        self.name = name
        self.data_requirements = getattr(processor, "data_requirements", None)
        self._processor = processor

    def load(self, keys: pl.DataFrame) -> pl.DataFrame:
        """The keys: to it reading and scoring are one step, in which it may fail for one symbol."""
        return keys.select(KEYS.names())

    def score(self, keys: pl.DataFrame, table: pl.DataFrame) -> pl.DataFrame:  # noqa: ARG002 - it reads for itself
        """Its answer for each key; of confidence 0, null."""
        asked = keys.select(KEYS.names())
        answers = [checked_answer(self._processor.compute(symbol, now), symbol) for symbol, now in asked.iter_rows()]
        schema = {"score": pl.Float64, "confidence": pl.Float64}
        nothing = pl.lit(None, pl.String)
        return asked.hstack(pl.DataFrame(answers, schema=schema, orient="row")).with_columns(
            pl.when(pl.col("confidence") > 0).then("score").alias("score"), degraded=nothing, absent=nothing
        )


def checked_answer(found: object, symbol: str) -> tuple[float, float]:
    """A processor's score and confidence. Raises :class:`StageError` for anything else than two numbers in bounds."""
    pair = tuple(found) if isinstance(found, tuple | list) else ()
    if len(pair) != 2 or not all(isinstance(one, float | int) and not isinstance(one, bool) for one in pair):
        raise StageError(f"Expected a score and a confidence for {symbol}, was {was(found)}")
    score, confidence = pair
    if not (-1.0 <= score <= 1.0 and 0.0 <= confidence <= 1.0):
        bounds = "Expected a score from -1 to 1 and a confidence from 0 to 1"
        raise StageError(f"{bounds} for {symbol}, was {score} and {confidence}")
    return float(score), float(confidence)


def checked_scores(
    processor: FrameProcessor, keys: pl.DataFrame, table: pl.DataFrame
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """What a processor makes of a batch: scores and items. Raises :class:`StageError` naming the column at fault."""
    found: object = processor.score_with_items(keys, table)
    if not isinstance(found, tuple) or len(found) != 2:
        raise StageError(f"{processor.name}: Expected scores and items, was {was(found)}")
    scores, items = found
    fault = _score_fault(scores, keys) or column_fault(items, HEADLINES)
    if fault is not None:
        raise StageError(f"{processor.name}: {fault}")
    return scores, items


def _score_fault(scores: object, keys: pl.DataFrame) -> str | None:
    fault = column_fault(scores, _SCORES)
    if fault is not None or not isinstance(scores, pl.DataFrame):
        return fault
    return (
        key_fault(scores, keys)
        or number_fault(scores, ["score"], -1.0, 1.0)
        or number_fault(scores, ["confidence"], 0.0, 1.0)
    )


def adapted(processor: FrameProcessor | SentimentProcessor) -> FrameProcessor:
    """A processor as a :class:`FrameProcessor`; :class:`ConfigError` where its ``name`` is no source of sentiment."""
    if isinstance(processor, FrameProcessor):
        return processor
    name = getattr(processor, "name", None)
    for source in SENTIMENT_SOURCES:
        if name == source:
            return AdaptedProcessor(processor, source)
    raise ConfigError(f"Expected a processor named one of {', '.join(SENTIMENT_SOURCES)}, was {name!r}")
