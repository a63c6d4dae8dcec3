"""One symbol of one run as a story: plain data, from which the terminal, the page and machines are served."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

import polars as pl

from gnosis_ray.agents.base import DIRECTION
from gnosis_ray.app.composition import FEATURES
from gnosis_ray.config import Config
from gnosis_ray.engines.base import FeatureSpec
from gnosis_ray.errors import NoDataError
from gnosis_ray.ledger.ledger_store import SymbolEntry
from gnosis_ray.report.energy import EnergyCurve, energy_curve
from gnosis_ray.report.glossary import choice_words, reason_words, regime_words
from gnosis_ray.report.payoffs import PayoffDiagram, payoff_diagram
from gnosis_ray.report.quotes import DROPPED, Bar, Headline, LegQuote, MarketThen
from gnosis_ray.schemas.core_schemas import (
    ENGINE_KINDS,
    Action,
    EngineKind,
    LedgerRecord,
    StandardSnapshot,
    Suggestion,
    TradeIdea,
    TradeLeg,
)

APART = 0.005
"""Chain and last price further apart than this, as a fraction, are two prices."""

_TOLD_APART = frozenset({"confidence", "regime", "degraded", "absent"})

ProfileName = Literal["gamma_profile", "gex_by_strike", "gex_by_expiry", "volume_profile"]
PROFILES: tuple[ProfileName, ...] = ("gamma_profile", "gex_by_strike", "gex_by_expiry", "volume_profile")


@dataclass(frozen=True)
class Reading:
    """A feature: what it is called, means and is measured in, and its value; None where it could not be computed."""

    name: str
    unit: str
    meaning: str
    source: str
    value: float | None


@dataclass(frozen=True)
class Note:
    """A degradation or a silence, as it is named and in words."""

    name: str
    words: str


@dataclass(frozen=True)
class EngineStory:
    """What an engine measured. ``degraded``: faults of the data; ``absent``: what the world did not say, no fault."""

    kind: EngineKind
    confidence: float
    regime: str | None
    regime_words: str
    degraded: tuple[Note, ...]
    absent: tuple[Note, ...]
    facts: Mapping[str, str]
    """The rest of its metadata."""
    features: tuple[Reading, ...]


@dataclass(frozen=True)
class Profile:
    """A curve or bars out of the ledger's details: ``x`` ascending (USD, or days to expiry), ``value`` at each."""

    x: tuple[float, ...] = ()
    value: tuple[float, ...] = ()


@dataclass(frozen=True)
class Voice:
    """What one agent said, and what it adds to the vote: weight x confidence x direction over the sum of weights.

    ``weight`` and ``adds`` are None where the run's settings cannot be read.
    """

    layer: str
    action: Action
    confidence: float
    weight: float | None
    adds: float | None
    reasoning: str
    forecast: Mapping[str, float]
    tags: tuple[str, ...]


@dataclass(frozen=True)
class Verdict:
    """The composite stance. ``vote`` in -1..1; it takes a side from ``threshold`` on; ``no_trade``: why no idea."""

    action: Action
    confidence: float
    vote: float | None
    threshold: float | None
    reasoning: str
    forecast: Mapping[str, float]
    tags: tuple[str, ...]
    no_trade: Note | None


@dataclass(frozen=True)
class LegStory:
    """A leg and how it was quoted; no quote for stock, or where quotes are gone."""

    leg: TradeLeg
    quote: LegQuote | None


@dataclass(frozen=True)
class IdeaStory:
    """A trade: its figures as in the ledger, its legs, its payoff, or why that cannot be drawn."""

    idea: TradeIdea
    legs: tuple[LegStory, ...]
    payoff: PayoffDiagram | None
    no_payoff: str | None


@dataclass(frozen=True)
class Considered:
    """What became of a strategy: ``outcome`` as the trade agent names it, and in words."""

    strategy: str
    outcome: str
    words: str


@dataclass(frozen=True)
class Story:
    """Everything that one run saw and decided of one symbol."""

    symbol: str
    as_of: datetime
    run_id: str
    provider: str
    synthetic: bool
    version: str
    config_hash: str
    price: float | None
    """Last price known, USD; else the one that came with the chain."""
    spot: float | None
    """Price that came with the chain, USD: the hedge engine's figures stand around it; else the last one known."""
    regime: str | None
    engines: tuple[EngineStory, ...]
    profiles: Mapping[ProfileName, Profile]
    energy: EnergyCurve | None
    voices: tuple[Voice, ...]
    verdict: Verdict
    ideas: tuple[IdeaStory, ...]
    considered: tuple[Considered, ...]
    bars: tuple[Bar, ...]
    headlines: tuple[Headline, ...]
    market_problem: str | None
    """Why quotes, bars or headlines of that moment are missing, or may differ from what the run saw."""

    @property
    def apart(self) -> bool:
        """Whether the chain was quoted around another price than the last one known."""
        return self.price is not None and self.spot is not None and abs(self.price / self.spot - 1) > APART

    def value(self, kind: EngineKind, name: str) -> float | None:
        """A feature; None where it is absent."""
        readings = (reading for engine in self.engines if engine.kind == kind for reading in engine.features)
        return next((reading.value for reading in readings if reading.name == name), None)


def tell(entry: SymbolEntry, config: Config | None, market: MarketThen) -> Story:
    """The story of a symbol out of its ledger ``entry``, the run's settings and what ``market_then`` read again.

    Pure. Raises :class:`NoDataError` where the run has no record of the symbol.
    """
    record, manifest = entry.record, entry.manifest
    if record is None:
        raise NoDataError(f"Run {manifest.run_id} has no record of it")
    snapshot = record.snapshot
    last, chained = snapshot.liquidity.get("last_price"), snapshot.hedge.get("spot")
    spot = last if chained is None else chained
    price = spot if last is None else last
    vol = snapshot.hedge.get("atm_iv_30d", snapshot.elasticity.get("realised_vol_20d"))
    return Story(
        symbol=record.symbol,
        as_of=record.timestamp,
        run_id=manifest.run_id,
        provider=manifest.provider,
        synthetic=manifest.synthetic,
        version=manifest.version,
        config_hash=manifest.config_hash,
        price=price,
        spot=spot,
        regime=snapshot.regime,
        engines=tuple(_engine(kind, snapshot) for kind in ENGINE_KINDS if f"{kind}.confidence" in snapshot.metadata),
        profiles={name: _profile(entry.details, name) for name in PROFILES},
        energy=energy_curve(snapshot.hedge, snapshot.elasticity, entry.details, config),
        voices=_voices(record, config),
        verdict=_verdict(record, config),
        ideas=tuple(_idea(idea, market, price, vol) for idea in record.trade_ideas),
        considered=tuple(Considered(name, said, choice_words(said)) for name, said in market.considered.items()),
        bars=market.bars,
        headlines=market.headlines,
        market_problem=market.problem,
    )


def _engine(kind: EngineKind, snapshot: StandardSnapshot) -> EngineStory:
    own = {key.removeprefix(f"{kind}."): text for key, text in snapshot.metadata.items() if key.startswith(f"{kind}.")}
    regime = own.get("regime")
    return EngineStory(
        kind=kind,
        confidence=float(own["confidence"]),
        regime=regime,
        regime_words=regime_words(kind, regime) if regime else "",
        degraded=_notes(kind, own.get("degraded", "")),
        absent=_notes(kind, own.get("absent", "")),
        facts={key: own[key] for key in sorted(own.keys() - _TOLD_APART)},
        features=_readings(FEATURES[kind], getattr(snapshot, kind)),
    )


def _notes(kind: EngineKind, names: str) -> tuple[Note, ...]:
    return tuple(Note(name, reason_words(kind, name)) for name in dict.fromkeys(filter(None, names.split(","))))


def _readings(specs: Sequence[FeatureSpec], values: Mapping[str, float]) -> tuple[Reading, ...]:
    """In the order of the specs; what was measured beyond them comes last."""
    known = [Reading(s.name, s.unit, s.doc, s.source, values.get(s.name)) for s in specs]
    others = sorted(values.keys() - {spec.name for spec in specs})
    return (*known, *(Reading(name, "", "", "", values[name]) for name in others))


def _profile(details: pl.DataFrame, name: ProfileName) -> Profile:
    rows = details.filter(pl.col("name") == name).sort("x")
    return Profile(tuple(rows["x"]), tuple(rows["value"]))


def _voices(record: LedgerRecord, config: Config | None) -> tuple[Voice, ...]:
    said = record.primary_suggestions
    weights = {} if config is None else config.composer.weights
    total = sum(weights.get(one.layer, 0.0) for one in said)
    return tuple(_voice(one, weights.get(one.layer), total) for one in said)


def _voice(said: Suggestion, weight: float | None, total: float) -> Voice:
    told = weight is not None and total > 0
    return Voice(
        layer=said.layer,
        action=said.action,
        confidence=said.confidence,
        weight=weight,
        adds=(weight or 0.0) * said.confidence * DIRECTION[said.action] / total if told else None,
        reasoning=said.reasoning,
        forecast=said.forecast,
        tags=tuple(said.tags),
    )


def _verdict(record: LedgerRecord, config: Config | None) -> Verdict:
    said = record.composite_suggestion
    adds = [voice.adds for voice in _voices(record, config)]
    dropped = next((tag.removeprefix(DROPPED) for tag in said.tags if tag.startswith(DROPPED)), None)
    return Verdict(
        action=said.action,
        confidence=said.confidence,
        vote=None if not adds or None in adds else sum(one for one in adds if one is not None),
        threshold=None if config is None else config.composer.direction_threshold,
        reasoning=said.reasoning,
        forecast=said.forecast,
        tags=tuple(tag for tag in said.tags if not tag.startswith(DROPPED)),
        no_trade=None if dropped is None else Note(dropped, choice_words(dropped)),
    )


def _idea(idea: TradeIdea, market: MarketThen, price: float | None, vol: float | None) -> IdeaStory:
    drawn = payoff_diagram(idea, market, price, vol)
    return IdeaStory(
        idea=idea,
        legs=tuple(LegStory(leg, market.of(leg)) for leg in idea.legs),
        payoff=None if isinstance(drawn, str) else drawn,
        no_payoff=drawn if isinstance(drawn, str) else None,
    )
