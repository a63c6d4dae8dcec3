"""A news processor with your own word list."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

import gnosis_ray as gr

LOOKBACK_HOURS = 72
FULL_CONFIDENCE_WORDS = 6
WORD = re.compile(r"[a-z]+")


class WordListProcessor:
    """Score = (good - bad) / (good + bad) words of the last three days; confidence grows with their number.

    ``name`` is the built-in source that it replaces. It scores one symbol at a time: the engine calls it key by key.
    """

    name = "news"

    def __init__(self, adapter: gr.MarketAdapter, good: Collection[str], bad: Collection[str]) -> None:
        self._adapter = adapter
        self._good = frozenset(good)
        self._bad = frozenset(bad)

    def compute(self, symbol: str, now: datetime) -> tuple[float, float]:
        """``(score, confidence)``; ``(0, 0)`` if no headline has a word of the lists."""
        items = self._adapter.fetch_news(symbol, LOOKBACK_HOURS, now)
        words = [word for text in items["headline"].unique(maintain_order=True) for word in WORD.findall(text.lower())]
        good, bad = (sum(word in wanted for word in words) for wanted in (self._good, self._bad))
        counted = good + bad
        if counted == 0:
            return 0.0, 0.0
        return (good - bad) / counted, min(1.0, counted / FULL_CONFIDENCE_WORDS)


def make(adapter: gr.MarketAdapter, settings: Mapping[str, Any]) -> WordListProcessor:
    """``good`` and ``bad``: lists of lower-case words."""
    return WordListProcessor(adapter, settings["good"], settings["bad"])
