"""Dated headlines of planted tone."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

import numpy as np

from gnosis_ray.data.synthetic.randomness import stream

SOURCES = ("Harbor Newswire", "Ledger Street", "Closing Bell Daily", "Northgate Markets")
_ITEMS_A_DAY = (0.35, 0.65, 0.85, 0.95)
"""Cumulative chances of 0, 1, 2, 3 items; 4 otherwise."""
_TONED_SHARE = 0.8
"""Of the items of a toned week that carry its tone; the others are neutral."""
_REPEATED_SHARE = 0.25
_TONES = ((0.35, 1), (0.65, -1), (1.0, 0))
"""Cumulative chances of a week's tone."""

_HEADLINES = {
    1: (
        "{s} beats earnings estimates and raises full-year guidance",
        "{s} upgraded to buy as analysts cite strong demand",
        "{s} reports record revenue and margin expansion",
        "{s} announces larger buyback and higher dividend",
        "{s} wins regulatory approval, shares rally to a new high",
    ),
    -1: (
        "{s} misses earnings estimates and cuts full-year guidance",
        "{s} downgraded to sell as analysts cite weak demand",
        "{s} shares plunge after profit warning and margin decline",
        "{s} faces fraud investigation and shareholder lawsuit",
        "{s} suspends dividend as losses widen",
    ),
    0: (
        "{s} to present at an investor conference next week",
        "{s} schedules its annual meeting of shareholders",
        "{s} names a new member of its board of directors",
        "{s} files its quarterly report with the regulator",
        "{s} will host a conference call at the usual hour",
    ),
}
_BODIES = {
    1: "The company reported stronger results than analysts expected and lifted its outlook.",
    -1: "The company reported weaker results than analysts expected and lowered its outlook.",
    0: "The company published the notice in a filing and gave no further details.",
}


@dataclass(frozen=True)
class SyntheticHeadline:
    """One item, and the tone planted in it: 1 positive, -1 negative, 0 neutral."""

    published: datetime
    text: str
    body: str
    source: str
    tone: int


def week_tone(seed: int, symbol: str, day: date) -> int:
    """The tone that colours the week (Monday to Sunday) of a day."""
    u = stream(seed, symbol, "news tone", day.toordinal() // 7).random()
    return next(tone for limit, tone in _TONES if u < limit)


def headlines(seed: int, symbol: str, start: datetime, end: datetime) -> list[SyntheticHeadline]:
    """Items published after ``start`` and at or before ``end``, oldest first; repeats of other sources included."""
    days = (end.date() - start.date()).days + 1
    items = [item for offset in range(days) for item in _day(seed, symbol, start.date() + timedelta(days=offset))]
    inside = [item for item in items if start < item.published <= end]
    return sorted(inside, key=lambda item: (item.published, item.source, item.text))


def _day(seed: int, symbol: str, day: date) -> list[SyntheticHeadline]:
    """The items of one day: none to four, and repeats of some of them."""
    random = stream(seed, symbol, "news", day.toordinal())
    count = int(np.searchsorted(_ITEMS_A_DAY, random.random(), side="right"))
    if count == 0:
        return []
    tone = week_tone(seed, symbol, day)
    wording = random.permutation(len(_HEADLINES[0]))[:count]
    items = []
    for index, u in zip(wording, random.random((count, 5)), strict=True):
        item_tone = tone if u[0] < _TONED_SHARE else 0
        source = int(u[1] * len(SOURCES))
        published = datetime(day.year, day.month, day.day, 10, tzinfo=UTC) + timedelta(seconds=int(u[2] * 11 * 3600))
        text = _HEADLINES[item_tone][index].format(s=symbol)
        items.append(SyntheticHeadline(published, text, _BODIES[item_tone], SOURCES[source], item_tone))
        if u[3] < _REPEATED_SHARE:
            again = published + timedelta(minutes=5 + int(u[4] * 30))
            repeat = SOURCES[(source + 1) % len(SOURCES)]
            items.append(SyntheticHeadline(again, text, _BODIES[item_tone], repeat, item_tone))
    return items
