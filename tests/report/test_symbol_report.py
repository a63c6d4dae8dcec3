"""A story says what the ledger says."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from gnosis_ray.app.features import ENGINE_FEATURES
from gnosis_ray.config import Config
from gnosis_ray.errors import NoDataError
from gnosis_ray.ledger.ledger_store import SymbolEntry
from gnosis_ray.report.glossary import outcome_text
from gnosis_ray.report.ideas import confidence_text
from gnosis_ray.report.summary import by_outcome, summary_sentences
from gnosis_ray.report.symbol_report import StrategyOutcome, SymbolReport, build_symbol_report
from gnosis_ray.schemas.core_schemas import EngineSummary
from tests.report.samples import recorded


def test_every_feature_is_there_with_its_meaning(report: SymbolReport, entry: SymbolEntry) -> None:
    for engine in report.engines:
        measured = getattr(recorded(entry).snapshot, engine.kind)
        assert {r.name: r.value for r in engine.features if r.value is not None} == measured
        assert [r.name for r in engine.features] == [spec.name for spec in ENGINE_FEATURES[engine.kind]]
        assert all(reading.meaning and reading.unit for reading in engine.features)


def test_the_vote_adds_up(report: SymbolReport, entry: SymbolEntry, config: Config) -> None:
    adds = [agent.adds for agent in report.agents]
    assert len(adds) == len(recorded(entry).primary_suggestions) > 0
    assert report.composite.vote == pytest.approx(sum(add for add in adds if add is not None))
    assert f"{report.composite.vote:+.3f}" in report.composite.reasoning
    assert abs(report.composite.vote or 0.0) >= report.composite.confidence
    assert report.composite.threshold == config.composer.direction_threshold


def test_profiles_sum_to_the_features(report: SymbolReport) -> None:
    net = report.value("hedge", "gex_usd_per_pct")
    for name in ("gex_by_strike", "gex_by_expiry"):
        assert sum(report.profiles[name].value) == pytest.approx(net)
    assert list(report.profiles["gamma_profile"].x) == sorted(report.profiles["gamma_profile"].x)


def degraded(entry: SymbolEntry) -> SymbolEntry:
    """The same symbol without a book, its quotes two sessions old."""
    record = recorded(entry)
    hedge = {"spot": record.snapshot.hedge["spot"] * 0.9}
    summary = EngineSummary(
        confidence=0.0,
        regime="illiquid_gamma",
        degraded=("open_interest_unavailable", "stale_quotes", "a_reason_of_the_future"),
    )
    engines = record.snapshot.engines | {"hedge": summary}
    snapshot = record.snapshot.model_copy(update={"hedge": hedge, "engines": engines})
    none = entry.details.filter(symbol="nobody")
    return replace(entry, record=record.model_copy(update={"snapshot": snapshot}), details=none, evidence={})


def test_a_degraded_symbol_is_explained_in_words(entry: SymbolEntry) -> None:
    report = build_symbol_report(degraded(entry))
    hedge = report.engines[0]
    assert [note.name for note in hedge.degraded] == [
        "open_interest_unavailable",
        "stale_quotes",
        "a_reason_of_the_future",
    ]
    assert "what dealers hold" in hedge.degraded[0].text
    assert hedge.degraded[2].text == "A reason of the future."
    said = " ".join(summary_sentences(report))
    assert "Dealers' hedging is unknown" in said
    assert "+11.1% from" in said
    assert report.energy is None


def test_a_faint_mood_is_not_called_one(report: SymbolReport) -> None:
    def mood(regime: str) -> str:
        engines = tuple(replace(e, regime=regime) if e.kind == "sentiment" else e for e in report.engines)
        return summary_sentences(replace(report, engines=engines))[-1]

    assert mood("quiet").startswith("There is hardly any mood: ")
    assert mood("mixed").startswith("The mood is bu") or mood("mixed").startswith("The mood is be")


def test_a_trade_without_a_side_is_told_apart_from_the_flat_stance(report: SymbolReport) -> None:
    flat = replace(report, composite=replace(report.composite, action="flat"))
    assert "a small trade that needs no side: " in summary_sentences(flat)[0]
    assert (
        "a small trade" not in summary_sentences(replace(report, composite=replace(report.composite, action="long")))[0]
    )
    ideas = [one.idea for one in report.ideas]
    assert all(("volatility" in confidence_text(idea)) == (idea.side == "neutral") for idea in ideas)


def test_without_settings_of_the_vote_the_rest_is_reported(entry: SymbolEntry) -> None:
    for text in ("[]", "no json", '{"market": 3}', '{"composer": {"weights": {"primary_hedge": "much"}}}'):
        report = build_symbol_report(with_settings(entry, text))
        assert (report.composite.vote, report.composite.threshold) == (None, None)
        assert all(agent.adds is None for agent in report.agents)
        assert any("settings of the vote" in sentence for sentence in report.missing)
        assert summary_sentences(report)


def test_settings_of_the_vote_are_those_that_the_run_wrote(entry: SymbolEntry) -> None:
    written = json.loads(entry.manifest.config_json)
    written["composer"]["direction_threshold"] = 0.35
    written["a_section_of_the_future"] = {"x": 1}
    report = build_symbol_report(with_settings(entry, json.dumps(written)))
    assert report.composite.threshold == 0.35
    assert report.missing == ()


def with_settings(entry: SymbolEntry, text: str) -> SymbolEntry:
    """The entry of a run with other settings in its manifest."""
    return replace(entry, manifest=entry.manifest.model_copy(update={"config_json": text}))


def test_no_record_no_report(entry: SymbolEntry) -> None:
    with pytest.raises(NoDataError, match="no record"):
        build_symbol_report(replace(entry, record=None))


def test_the_outcome_of_each_strategy_is_the_trade_agents(entry: SymbolEntry, config: Config) -> None:
    report = build_symbol_report(entry)
    outcomes = {one.strategy: one.outcome for one in report.considered}
    assert set(outcomes) == set(config.trade.strategies)
    chosen = sorted(name for name, outcome in outcomes.items() if outcome in ("chosen", "alternative"))
    assert chosen == sorted(idea.idea.strategy_type for idea in report.ideas)
    if report.composite.no_trade:
        assert report.composite.no_trade.name in outcomes.values()


def test_a_ledger_without_evidence_says_what_it_lacks(entry: SymbolEntry) -> None:
    older = replace(entry, evidence={}, manifest=entry.manifest.model_copy(update={"features": {}, "version": "0.0.9"}))
    report = build_symbol_report(older)
    assert (report.bars, report.headlines, report.energy, report.considered) == ((), (), None, ())
    lacks, meanings = report.missing
    assert lacks.startswith("Not in this ledger, as gnosis-ray 0.0.9 did not write it: the outcome of each strategy, ")
    assert lacks.endswith(" and headlines.")
    assert "meanings of features" in meanings
    measured = recorded(entry).snapshot.hedge
    assert {feature.name: feature.value for feature in report.engines[0].features} == measured


def test_a_chosen_strategy_is_told_first_and_an_unfit_one_last(report: SymbolReport) -> None:
    outcomes = {"a": "stance_flat", "b": "regime_pin", "c": "zero_units", "d": "ranked_below", "e": "chosen"}
    considered = tuple(StrategyOutcome(name, said, outcome_text(said)) for name, said in outcomes.items())
    told = by_outcome(replace(report, considered=considered))
    assert [names for _, names in told] == [("e",), ("d",), ("c",), ("a",), ("b",)]
    assert told[-1][0] == "not traded under pin"
