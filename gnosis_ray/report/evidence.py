"""The evidence of a ledger behind one symbol's record: quotes of legs, payoffs, bars, headlines, outcomes, curves."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import polars as pl

from gnosis_ray.ledger.evidence import EVIDENCE
from gnosis_ray.ledger.ledger_store import SymbolEntry
from gnosis_ray.options.payoff_diagram import PayoffDiagram, PayoffLine
from gnosis_ray.schemas.run_schemas import RunManifest

HEADLINES_SHOWN = 8

_ABSENT = {
    "considered": "the outcome of each strategy",
    "leg_quotes": "the quotes of legs",
    "payoffs": "payoffs before expiry",
    "curves": "the curve of energies",
    "bars": "daily bars",
    "headlines": "headlines",
}
"""Table of the ledger -> what a report lacks without it."""


@dataclass(frozen=True)
class LegQuote:
    """A contract as quoted. USD per share; ``iv``, ``rate`` and ``carry`` a year; ``tau`` years from the run's moment
    to expiry; ``iv`` None where no volatility was believable."""

    quote_time: datetime
    bid: float | None
    ask: float | None
    mid: float | None
    volume: float | None
    open_interest: float | None
    iv: float | None
    iv_source: str | None
    delta: float | None
    tau: float
    rate: float
    carry: float


@dataclass(frozen=True)
class DailyBar:
    """One session, USD and shares, adjusted to the shares of the last one."""

    closed_at: datetime
    open: float
    high: float
    low: float
    close: float
    volume: float | None


@dataclass(frozen=True)
class NewsHeadline:
    """One item of news, foreign text, with its ``score`` (-1 to 1) and its ``weight`` in the mean of the scores."""

    at: datetime
    text: str
    source: str
    score: float
    weight: float


@dataclass(frozen=True)
class EnergyCurve:
    """Cost in USD (``usd``) of moves in percent (``move_pct``, ascending from the fall to the rise), and the part of
    it that order flow alone resists (``liquidity_usd``)."""

    move_pct: tuple[float, ...]
    usd: tuple[float, ...]
    liquidity_usd: tuple[float, ...]


@dataclass(frozen=True)
class VoteSettings:
    """How a run's composer voted: the weight of each layer, and the sum from which on it took a side."""

    weights: Mapping[str, float]
    threshold: float | None


def leg_quotes(entry: SymbolEntry) -> dict[tuple[str, int], LegQuote]:
    """The quotes of option legs, by the idea's id and the leg's position in it."""
    fields = list(LegQuote.__dataclass_fields__)
    rows = _of(entry, "leg_quotes").select("idea_id", "leg", *fields)
    return {(idea, leg): LegQuote(*quote) for idea, leg, *quote in rows.iter_rows()}


def payoff_diagrams(entry: SymbolEntry) -> dict[str, PayoffDiagram]:
    """The payoffs of ideas, by their ids."""
    found: dict[str, PayoffDiagram] = {}
    for (idea,), points in _of(entry, "payoffs").sort("idea_id", "line", "x").group_by("idea_id", maintain_order=True):
        by_line = points.partition_by("line", maintain_order=True)
        lines = [PayoffLine(line["label"][0], line["days"][0], tuple(line["value"])) for line in by_line]
        found[str(idea)] = PayoffDiagram(tuple(by_line[0]["x"]), tuple(lines))
    return found


def considered(entry: SymbolEntry) -> dict[str, str]:
    """Strategy -> what the trade agent made of it, in its order."""
    return dict(_of(entry, "considered").sort("position").select("strategy_type", "outcome").iter_rows())


def daily_bars(entry: SymbolEntry) -> tuple[DailyBar, ...]:
    """The daily bars with a whole range, the oldest first."""
    shown = _of(entry, "bars").sort("closed_at").select(list(DailyBar.__dataclass_fields__))
    whole = shown.drop_nulls(["open", "high", "low", "close"])
    return tuple(DailyBar(*row) for row in whole.iter_rows())


def headlines(entry: SymbolEntry) -> tuple[NewsHeadline, ...]:
    """The latest items of news, the newest first."""
    latest = _of(entry, "headlines").sort("published_at", descending=True, maintain_order=True).head(HEADLINES_SHOWN)
    rows = latest.select("published_at", "headline", "source", "score", "weight")
    return tuple(NewsHeadline(at, text or "", source or "", *rest) for at, text, source, *rest in rows.iter_rows())


def energy_curve(entry: SymbolEntry) -> EnergyCurve | None:
    """The energy of any move; None where there is none."""
    curves = _of(entry, "curves").sort("x")
    energy, liquidity = (curves.filter(name=name) for name in ("energy", "energy_liquidity"))
    if energy.is_empty() or not energy["x"].equals(liquidity["x"]):
        return None
    return EnergyCurve(tuple(energy["x"]), tuple(energy["value"]), tuple(liquidity["value"]))


def vote_settings(manifest: RunManifest) -> VoteSettings | None:
    """The composer's settings as the manifest holds them, whichever version wrote it; None if they are not there."""
    try:
        composer = json.loads(manifest.config_json)["composer"]
        weights = {str(layer): float(weight) for layer, weight in composer["weights"].items()}
        threshold = composer.get("direction_threshold")
        return VoteSettings(weights, None if threshold is None else float(threshold))
    except (ValueError, LookupError, TypeError, AttributeError):
        return None


def missing(entry: SymbolEntry, vote: VoteSettings | None) -> tuple[str, ...]:
    """What the ledger does not hold, and why, as sentences."""
    manifest, sentences = entry.manifest, list[str]()
    absent = [text for table, text in _ABSENT.items() if table not in entry.evidence]
    if absent:
        sentences.append(f"Not in this ledger, as gnosis-ray {manifest.version} did not write it: {_listed(absent)}.")
    if not manifest.features:
        sentences.append("Units and meanings of features are not in this ledger.")
    if vote is None:
        sentences.append(f"The settings of the vote that gnosis-ray {manifest.version} wrote cannot be read.")
    return tuple(sentences)


def _of(entry: SymbolEntry, table: str) -> pl.DataFrame:
    """The symbol's rows of a table at the record's moment; of a table that the run does not have, none."""
    held = entry.evidence.get(table)
    if held is None or entry.record is None:
        return pl.DataFrame(schema=EVIDENCE[table])
    return held.filter(timestamp=entry.record.timestamp)


def _listed(texts: Sequence[Any]) -> str:
    *others, last = texts
    return f"{', '.join(others)} and {last}" if others else str(last)
