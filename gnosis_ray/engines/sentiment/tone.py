"""The tone of one text: finance words and directions over VADER's rules of negation, degree and contrast."""

from __future__ import annotations

import re
from functools import lru_cache

from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer

from gnosis_ray.engines.sentiment.lexicon import (
    BAD,
    CLAUSE_ENDS,
    DIRECTIONS,
    GOOD,
    PHRASES,
    SILENCED,
    STRONG,
    UP_IS_BAD,
    UP_IS_GOOD,
    finance_lexicon,
)

_TOKEN = re.compile(
    r"[a-z0-9]+(?:_[a-z0-9]+)+"  # a phrase
    r"|[^\W_]+(?:['.&-][^\W_]+)*"  # a word
    r"|[.,;:!?()—–]|(?<=\s)-(?=\s)"  # the end of a clause
    r"|[\u2600-\u27bf\U0001f300-\U0001faff]"  # an emoji
)
_BREAKS = frozenset(".,;:!?()—–-")
_REACH_RIGHT, _REACH_LEFT = 4, 3
_ENTITY = "fin_entity"
_PHRASES = tuple((re.compile(rf"\b(?:{pattern})\b"), token) for pattern, (token, _) in PHRASES.items())


class ToneScorer:
    """Scores texts; the same text always scores the same. Reads no file after construction, and no network."""

    def __init__(self) -> None:
        self._rules = SentimentIntensityAnalyzer()
        for word in SILENCED:
            self._rules.lexicon.pop(word, None)
        self._rules.lexicon.update(finance_lexicon())

    def score(self, text: str) -> float:
        """Tone in [-1, 1]; 0 where no word has one.

        Case and exclamation marks are put aside: tickers are capitals and headlines shout by house style. The figure
        is VADER's compound, x / sqrt(x^2 + 15) of the summed valences (Hutto, Gilbert 2014).
        """
        words = _governed(_tokens(text))
        return float(self._rules.polarity_scores(" ".join(words))["compound"]) if words else 0.0


@lru_cache(maxsize=1)
def shared_scorer() -> ToneScorer:
    """One scorer a process: it holds two lexicons and no state."""
    return ToneScorer()


def _tokens(text: str) -> list[str]:
    lowered = text.lower().replace("’", "'").replace("‘", "'")
    for pattern, token in _PHRASES:
        lowered = pattern.sub(token, lowered)
    return _TOKEN.findall(lowered)


def _governed(tokens: list[str]) -> list[str]:
    """Without punctuation; each direction that moves an entity replaced by what that means, the entity silenced."""
    words = list(tokens)
    for place, token in enumerate(tokens):
        strength = DIRECTIONS.get(token)
        found = None if strength is None else _entity(tokens, place)
        if strength is None or found is None:
            continue
        good = (strength > 0) == (tokens[found] in UP_IS_GOOD)
        words[place] = f"{GOOD if good else BAD}_{'strong' if abs(strength) >= STRONG else 'mild'}"
        words[found] = _ENTITY
    return [word for word in words if word not in _BREAKS]


def _entity(tokens: list[str], place: int) -> int | None:
    """Where the entity stands that the direction at ``place`` moves: the next one in its clause, else the last."""
    ahead = range(place + 1, min(len(tokens), place + 1 + _REACH_RIGHT))
    behind = range(place - 1, max(-1, place - 1 - _REACH_LEFT), -1)
    for side in (ahead, behind):
        for at in side:
            word = tokens[at]
            if word in _BREAKS or word in CLAUSE_ENDS or word in DIRECTIONS:
                break
            if word in UP_IS_GOOD or word in UP_IS_BAD:
                return at
    return None
