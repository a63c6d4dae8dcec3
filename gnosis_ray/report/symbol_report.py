"""The report of one symbol of one run: plain data that the terminal, the page and JSON are rendered from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

import polars as pl

from gnosis_ray.errors import NoDataError
from gnosis_ray.ledger.ledger_store import SymbolEntry
from gnosis_ray.options.payoff_diagram import PayoffDiagram, payoff_diagram
from gnosis_ray.report import evidence
from gnosis_ray.report.evidence import DailyBar, EnergyCurve, LegQuote, NewsHeadline, VoteSettings
from gnosis_ray.report.glossary import outcome_text, reason_text, regime_text
from gnosis_ray.schemas.core_schemas import (
    DIRECTION,
    ENGINE_KINDS,
    Action,
    EngineKind,
    LedgerRecord,
    StandardSnapshot,
    Suggestion,
    TradeIdea,
    TradeLeg,
)
from gnosis_ray.schemas.feature_spec import FeatureSpec

MIN_PRICE_GAP = 0.005
"""Relative distance from which on the price of the chain and the last price are shown as two."""

DROPPED = "dropped:"
"""Tag of a composite stance that led to no idea; the reason follows."""

_SHOWN_ELSEWHERE = frozenset({"confidence", "regime", "degraded", "absent"})

ProfileName = Literal["gamma_profile", "gex_by_strike", "gex_by_expiry", "volume_profile"]
PROFILES: tuple[ProfileName, ...] = ("gamma_profile", "gex_by_strike", "gex_by_expiry", "volume_profile")


@dataclass(frozen=True)
class FeatureValue:
    """A feature with its unit, meaning and source; ``value`` is None if it could not be computed."""

    name: str
    unit: str
    meaning: str
    source: str
    value: float | None


@dataclass(frozen=True)
class NamedReason:
    """A reason by the name that the ledger has for it, and as a sentence."""

    name: str
    text: str


@dataclass(frozen=True)
class EngineReport:
    """What an engine measured. ``degraded``: faults of the data; ``absent``: missing input that is no fault."""

    kind: EngineKind
    confidence: float
    regime: str | None
    regime_text: str
    degraded: tuple[NamedReason, ...]
    absent: tuple[NamedReason, ...]
    facts: Mapping[str, str]
    """Its other metadata."""
    features: tuple[FeatureValue, ...]


@dataclass(frozen=True)
class ProfileSeries:
    """A curve or bars of the ledger's details: ``x`` ascending (USD, or days to expiry), ``value`` at each."""

    x: tuple[float, ...] = ()
    value: tuple[float, ...] = ()


@dataclass(frozen=True)
class AgentReport:
    """The stance of one agent, and its part of the vote: weight x confidence x direction over the sum of weights.

    ``weight`` and ``adds`` are None if the run's settings cannot be read.
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
class CompositeReport:
    """The composite stance. ``vote`` in -1..1; it takes a side from ``threshold`` on; ``no_trade``: why no idea."""

    action: Action
    confidence: float
    vote: float | None
    threshold: float | None
    reasoning: str
    forecast: Mapping[str, float]
    tags: tuple[str, ...]
    no_trade: NamedReason | None


@dataclass(frozen=True)
class QuotedLeg:
    """A leg with its quote; None for stock, or where the ledger holds none."""

    leg: TradeLeg
    quote: LegQuote | None


@dataclass(frozen=True)
class IdeaReport:
    """A trade idea with its quoted legs and its payoff, or the reason why that cannot be drawn.

    ``note``: why the payoff is less than whole.
    """

    idea: TradeIdea
    legs: tuple[QuotedLeg, ...]
    payoff: PayoffDiagram | None
    note: str | None
    no_payoff: str | None


@dataclass(frozen=True)
class StrategyOutcome:
    """The outcome of a strategy, by the trade agent's name for it, and as text."""

    strategy: str
    outcome: str
    text: str


@dataclass(frozen=True)
class SymbolReport:
    """Everything that one run measured and decided about one symbol."""

    symbol: str
    as_of: datetime
    run_id: str
    provider: str
    synthetic: bool
    version: str
    config_hash: str
    price: float | None
    """Last price known, USD; else the one of the chain."""
    spot: float | None
    """Price that came with the chain, USD: the hedge engine's figures refer to it; else the last price known."""
    regime: str | None
    engines: tuple[EngineReport, ...]
    profiles: Mapping[ProfileName, ProfileSeries]
    energy: EnergyCurve | None
    agents: tuple[AgentReport, ...]
    composite: CompositeReport
    ideas: tuple[IdeaReport, ...]
    considered: tuple[StrategyOutcome, ...]
    bars: tuple[DailyBar, ...]
    headlines: tuple[NewsHeadline, ...]
    missing: tuple[str, ...]
    """What the ledger does not hold, and why, as sentences."""

    @property
    def prices_differ(self) -> bool:
        """Whether the chain was quoted at another price than the last one known."""
        return self.price is not None and self.spot is not None and abs(self.price / self.spot - 1) > MIN_PRICE_GAP

    def value(self, kind: EngineKind, name: str) -> float | None:
        """A feature; None where it is absent."""
        features = (feature for engine in self.engines if engine.kind == kind for feature in engine.features)
        return next((feature.value for feature in features if feature.name == name), None)


def build_symbol_report(entry: SymbolEntry) -> SymbolReport:
    """The report of a ledger ``entry``: everything in it comes from there.

    Pure. Raises :class:`NoDataError` if the run has no record of the symbol.
    """
    record, manifest = entry.record, entry.manifest
    if record is None:
        raise NoDataError(f"Run {manifest.run_id} has no record of it")
    snapshot = record.snapshot
    last, chained = snapshot.liquidity.get("last_price"), snapshot.hedge.get("spot")
    spot = last if chained is None else chained
    price = spot if last is None else last
    vote = evidence.vote_settings(manifest)
    return SymbolReport(
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
        engines=tuple(
            _engine(kind, snapshot, manifest.features.get(kind, ()))
            for kind in ENGINE_KINDS
            if kind in snapshot.engines
        ),
        profiles={name: _profile(entry.details, name) for name in PROFILES},
        energy=evidence.energy_curve(entry),
        agents=_agents(record, vote),
        composite=_composite(record, vote),
        ideas=_ideas(entry, record, price),
        considered=tuple(
            StrategyOutcome(name, outcome, outcome_text(outcome))
            for name, outcome in evidence.considered(entry).items()
        ),
        bars=evidence.daily_bars(entry),
        headlines=evidence.headlines(entry),
        missing=evidence.missing(entry, vote),
    )


def _engine(kind: EngineKind, snapshot: StandardSnapshot, specs: Sequence[FeatureSpec]) -> EngineReport:
    own = {key.removeprefix(f"{kind}."): text for key, text in snapshot.metadata.items() if key.startswith(f"{kind}.")}
    summary = snapshot.engines[kind]
    return EngineReport(
        kind=kind,
        confidence=summary.confidence,
        regime=summary.regime,
        regime_text=regime_text(kind, summary.regime) if summary.regime else "",
        degraded=_named_reasons(kind, summary.degraded),
        absent=_named_reasons(kind, summary.absent),
        facts={key: own[key] for key in sorted(own.keys() - _SHOWN_ELSEWHERE)},
        features=_feature_values(specs, getattr(snapshot, kind)),
    )


def _named_reasons(kind: EngineKind, names: Sequence[str]) -> tuple[NamedReason, ...]:
    return tuple(NamedReason(name, reason_text(kind, name)) for name in names)


def _feature_values(specs: Sequence[FeatureSpec], values: Mapping[str, float]) -> tuple[FeatureValue, ...]:
    """In the order of the specs; features without a spec come last."""
    known = [FeatureValue(s.name, s.unit, s.doc, s.source, values.get(s.name)) for s in specs]
    others = sorted(values.keys() - {spec.name for spec in specs})
    return (*known, *(FeatureValue(name, "", "", "", values[name]) for name in others))


def _profile(details: pl.DataFrame, name: ProfileName) -> ProfileSeries:
    rows = details.filter(pl.col("name") == name).sort("x")
    return ProfileSeries(tuple(rows["x"]), tuple(rows["value"]))


def _agents(record: LedgerRecord, vote: VoteSettings | None) -> tuple[AgentReport, ...]:
    suggestions = record.primary_suggestions
    weights = {} if vote is None else vote.weights
    total = sum(weights.get(one.layer, 0.0) for one in suggestions)
    return tuple(_agent(one, weights.get(one.layer), total) for one in suggestions)


def _agent(suggestion: Suggestion, weight: float | None, total: float) -> AgentReport:
    adds = None
    if weight is not None and total > 0:
        adds = weight * suggestion.confidence * DIRECTION[suggestion.action] / total
    return AgentReport(
        layer=suggestion.layer,
        action=suggestion.action,
        confidence=suggestion.confidence,
        weight=weight,
        adds=adds,
        reasoning=suggestion.reasoning,
        forecast=suggestion.forecast,
        tags=tuple(suggestion.tags),
    )


def _composite(record: LedgerRecord, vote: VoteSettings | None) -> CompositeReport:
    suggestion = record.composite_suggestion
    adds = [agent.adds for agent in _agents(record, vote)]
    dropped = next((tag.removeprefix(DROPPED) for tag in suggestion.tags if tag.startswith(DROPPED)), None)
    return CompositeReport(
        action=suggestion.action,
        confidence=suggestion.confidence,
        vote=None if not adds or None in adds else sum(one for one in adds if one is not None),
        threshold=None if vote is None else vote.threshold,
        reasoning=suggestion.reasoning,
        forecast=suggestion.forecast,
        tags=tuple(tag for tag in suggestion.tags if not tag.startswith(DROPPED)),
        no_trade=None if dropped is None else NamedReason(dropped, outcome_text(dropped)),
    )


def _ideas(entry: SymbolEntry, record: LedgerRecord, price: float | None) -> tuple[IdeaReport, ...]:
    quotes, drawn = evidence.leg_quotes(entry), evidence.payoff_diagrams(entry)
    reports = []
    for idea in record.trade_ideas:
        quoted = [quotes.get((idea.id, i)) for i in range(len(idea.legs))]
        diagram = drawn.get(idea.id)
        if diagram is None and "payoffs" not in entry.evidence and price is not None:
            diagram = payoff_diagram(idea, [None] * len(idea.legs), price, None)
        reports.append(
            IdeaReport(
                idea=idea,
                legs=tuple(QuotedLeg(leg, quote) for leg, quote in zip(idea.legs, quoted, strict=True)),
                payoff=diagram,
                note=None if diagram is None else _payoff_note(diagram, idea),
                no_payoff=None if diagram is not None else _no_payoff(price),
            )
        )
    return tuple(reports)


def _payoff_note(diagram: PayoffDiagram, idea: TradeIdea) -> str | None:
    """Why a diagram has its end alone."""
    if len(diagram.lines) > 1 or all(leg.expiry is None for leg in idea.legs):
        return None
    return "A quote of its legs, or its volatility, is not in the ledger: only the payoff at expiry can be drawn."


def _no_payoff(price: float | None) -> str:
    if price is None:
        return "the price of the underlying is unknown"
    return (
        "a quote of its legs, or its volatility, is not in the ledger, and legs of several expiries cannot be valued "
        "without"
    )
