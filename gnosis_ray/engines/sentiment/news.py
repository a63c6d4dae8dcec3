"""Sentiment of news: the tone of recent headlines and posts."""

from __future__ import annotations

import math
import re
from datetime import timedelta
from typing import ClassVar

import polars as pl

from gnosis_ray.config import NewsSentimentConfig
from gnosis_ray.engines.sentiment.features import NEWS_FEATURES
from gnosis_ray.engines.sentiment.frame_processor import FrameProcessor, SentimentSource
from gnosis_ray.engines.sentiment.text import cleaned, readable, story, symbols_named
from gnosis_ray.engines.sentiment.tone import shared_scorer
from gnosis_ray.engines.shared.reasons import reasons
from gnosis_ray.market.columns import HEADLINES, KEYS, NEWS_IDENTITY
from gnosis_ray.market.data_requirements import DataRequirements
from gnosis_ray.market.news_adapter import NewsAdapter
from gnosis_ray.schemas.feature_spec import FeatureSpec

HOUR_US = 3_600_000_000
_ORDER = ("symbol", "timestamp", "known_at", "source", "headline", "body")


class NewsSentimentProcessor(FrameProcessor):
    """Reads dated items; an item counts from the moment it is known, and for ``lookback_hours`` after its event.

    Score: sum(w tone) / sum(w), with w = 2^(-age / half-life) x source weight, divided by n where the text names
    n > ``max_symbols`` symbols; a headline that comes again, in whatever spelling or from whatever source, counts once,
    as the first of its copies; a correction takes the place of its item once it is known.
    Tone: of the headline, and of the body's lead in the share ``body_weight``.
    Confidence: (1 - 2^(-sum(w) / half_confidence_weight)) x (1 + |sum(w tone)| / sum(w |tone|)) / 2: plenty of items,
    and of one mind. No item is an absence, not a fault: ``absent`` says ``no_news``.
    """

    name: SentimentSource = "news"
    features: ClassVar[tuple[FeatureSpec, ...]] = NEWS_FEATURES

    def __init__(self, adapter: NewsAdapter, config: NewsSentimentConfig) -> None:
        self._adapter = adapter
        self._config = config
        self.data_requirements = DataRequirements(news_hours=config.lookback_hours)

    def load(self, keys: pl.DataFrame) -> pl.DataFrame:
        """``columns.NEWS`` of the look-back."""
        return self._adapter.fetch_news_batch(keys, self._config.lookback_hours)

    def score(self, keys: pl.DataFrame, table: pl.DataFrame) -> pl.DataFrame:
        """See :class:`FrameProcessor`."""
        return self.score_with_items(keys, table)[0]

    def score_with_items(self, keys: pl.DataFrame, table: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
        """See :class:`FrameProcessor`."""
        indexed = keys.select(KEYS.names()).with_row_index("key")
        seen = _seen(indexed, table, timedelta(hours=self._config.lookback_hours))
        items = seen.select("item", *_ORDER).unique("item", maintain_order=True)
        scored = self._scored(items).select("item", "story", "tone", "standing")
        rows = seen.join(scored, on="item", how="left", maintain_order="left")
        once = self._weighed(rows.unique(["key", "story"], keep="first", maintain_order=True))
        copies = rows.group_by("key").agg(copies=pl.len())
        summed = _summed(once).join(copies, on="key")
        scores = indexed.join(summed, on="key", how="left", maintain_order="left").select(
            *KEYS, *_score_columns(self._config)
        )
        return scores, once.select(
            "symbol", "headline", "source", "weight", timestamp="now", published_at="timestamp", score="tone"
        ).select(HEADLINES.names())

    def _scored(self, items: pl.DataFrame) -> pl.DataFrame:
        """Each item's ``story``, ``tone`` and ``standing``, the part of its weight that does not age."""
        headline, body = pl.col("headline").fill_null(""), pl.col("body").fill_null("")
        lead = cleaned(body).str.slice(0, self._config.body_characters)
        texts = items.with_columns(
            story=story(headline),
            said=readable(headline),
            lead=readable(lead),
            named=symbols_named(pl.concat_str([headline, pl.lit(" "), lead]), pl.col("symbol")),
        )
        in_body = pl.when(pl.col("lead") != "").then(self._config.body_weight).otherwise(0.0)
        crowded = pl.col("named") > self._config.max_symbols
        toned = texts.with_columns(_tones(texts, "said"), _tones(texts, "lead"))
        return toned.with_columns(
            tone=pl.col("said_tone") * (1 - in_body) + pl.col("lead_tone") * in_body,
            standing=self._source_weight() / pl.when(crowded).then("named").otherwise(1),
        )

    def _source_weight(self) -> pl.Expr:
        weights, default = self._config.source_weights, self._config.default_source_weight
        if not weights:
            return pl.lit(default)
        source = pl.col("source").str.to_lowercase()
        return source.replace_strict(weights, default=default, return_dtype=pl.Float64)

    def _weighed(self, once: pl.DataFrame) -> pl.DataFrame:
        """The items with their ``weight``: what stands of it at the key's moment."""
        age_hours = (pl.col("now") - pl.col("timestamp")).dt.total_microseconds() * (1 / HOUR_US)
        decay = (age_hours * (-math.log(2) / self._config.half_life_hours)).exp()
        return once.with_columns(weight=decay * pl.col("standing"))


def _summed(once: pl.DataFrame) -> pl.DataFrame:
    """One row a key with items: weights and weighted tones added up."""
    return once.group_by("key", maintain_order=True).agg(
        items=pl.len(),
        weight=pl.col("weight").sum(),
        toned=(pl.col("weight") * pl.col("tone")).sum(),
        strength=(pl.col("weight") * pl.col("tone").abs()).sum(),
    )


def _score_columns(config: NewsSentimentConfig) -> list[pl.Expr]:
    weighty = pl.col("weight") > 0
    agreement = pl.when(pl.col("strength") > 0).then(pl.col("toned").abs() / pl.col("strength")).otherwise(1.0)
    enough = 1 - (pl.col("weight") * (-math.log(2) / config.half_confidence_weight)).exp()
    items = pl.col("items").fill_null(0)
    return [
        pl.when(weighty).then((pl.col("toned") / pl.col("weight")).clip(-1.0, 1.0)).alias("score"),
        pl.when(weighty).then((enough * (1 + agreement) * 0.5).clip(0.0, 1.0)).otherwise(0.0).alias("confidence"),
        items.cast(pl.Float64).alias("news_items"),
        (pl.col("copies").fill_null(0).cast(pl.Int64) - items.cast(pl.Int64)).cast(pl.Float64).alias("news_duplicates"),
        pl.lit(None, pl.String).alias("degraded"),
        reasons([(~weighty.fill_null(value=False), "no_news")]).alias("absent"),
    ]


def _seen(indexed: pl.DataFrame, news: pl.DataFrame, window: timedelta) -> pl.DataFrame:
    """A row for each key (``key, now``) and item it sees, oldest first: ``now - window < timestamp <= now``, known.

    Of an item and its corrections (``NEWS_IDENTITY``, as in the store) the key sees the last that is known by then.
    Two look-ups by time bracket a symbol's items, so that a panel of many moments never meets all pairs.
    """
    corrected_at = pl.col("known_at").shift(-1).over(NEWS_IDENTITY)
    items = news.sort(_ORDER).with_row_index("item").with_columns(corrected_at=corrected_at)
    places = items.select("symbol", "timestamp", place="item")
    firsts = items.group_by("symbol").agg(first=pl.col("item").min())
    asked = indexed.rename({"timestamp": "now"}).with_columns(opens=pl.col("now") - window)
    last = _last_before(asked, places, "now").rename({"place": "last"})
    before = _last_before(last, places, "opens").rename({"place": "before"}).join(firsts, on="symbol", how="left")
    start = pl.coalesce(pl.col("before") + 1, pl.col("first"))
    spread = (
        before.sort("key")
        .with_columns(item=pl.int_ranges(start, pl.col("last") + 1, dtype=pl.UInt32))
        .filter(pl.col("item").list.len() > 0)
        .explode("item")
        .select("key", "now", "item")
    )
    rows = spread.join(items, on="item", how="left", maintain_order="left")
    standing = pl.col("corrected_at").is_null() | (pl.col("corrected_at") > pl.col("now"))
    return rows.filter(pl.col("known_at") <= pl.col("now"), standing)


def _last_before(asked: pl.DataFrame, places: pl.DataFrame, moment: str) -> pl.DataFrame:
    """For each row the place of its symbol's last item at or before ``moment``; null without one."""
    return (
        asked.sort(moment)
        .join_asof(
            places.sort("timestamp", maintain_order=True),
            left_on=moment,
            right_on="timestamp",
            by="symbol",
            strategy="backward",
            check_sortedness=False,
        )
        .drop("timestamp")
    )


def _tones(texts: pl.DataFrame, column: str) -> pl.Series:
    """The tone of each text, its own ticker set aside, as ``{column}_tone``; equal texts are read once."""
    nameless = [_without(symbol, text) for symbol, text in texts.select("symbol", column).iter_rows()]
    scorer = shared_scorer()
    tones = {text: scorer.score(text) for text in dict.fromkeys(nameless)}
    return pl.Series(f"{column}_tone", [tones[text] for text in nameless], pl.Float64)


def _without(symbol: str, text: str) -> str:
    """A ticker is a name: ``FUN`` and ``CARE`` in capitals have no tone."""
    if symbol not in text:
        return text
    return re.sub(rf"(?<![\w.]){re.escape(symbol)}(?![\w.]*\w)", " ", text)
