"""A story says what the ledger says."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gnosis_ray.app.composition import FEATURES
from gnosis_ray.config import Config
from gnosis_ray.errors import NoDataError
from gnosis_ray.ledger.ledger_store import SymbolEntry
from gnosis_ray.report.glossary import choice_words
from gnosis_ray.report.ideas import confidence_words
from gnosis_ray.report.quotes import MarketThen
from gnosis_ray.report.summary import by_outcome, in_short
from gnosis_ray.report.symbol_report import Considered, Story, tell
from tests.report.samples import recorded, story_of


def test_every_feature_is_there_with_its_meaning(story: Story, entry: SymbolEntry) -> None:
    for engine in story.engines:
        measured = getattr(recorded(entry).snapshot, engine.kind)
        assert {r.name: r.value for r in engine.features if r.value is not None} == measured
        assert [r.name for r in engine.features] == [spec.name for spec in FEATURES[engine.kind]]
        assert all(reading.meaning and reading.unit for reading in engine.features)


def test_the_vote_adds_up(story: Story, entry: SymbolEntry, config: Config) -> None:
    adds = [voice.adds for voice in story.voices]
    assert len(adds) == len(recorded(entry).primary_suggestions) > 0
    assert story.verdict.vote == pytest.approx(sum(add for add in adds if add is not None))
    assert f"{story.verdict.vote:+.3f}" in story.verdict.reasoning
    assert abs(story.verdict.vote or 0.0) >= story.verdict.confidence
    assert story.verdict.threshold == config.composer.direction_threshold


def test_profiles_sum_to_the_features(story: Story) -> None:
    net = story.value("hedge", "gex_usd_per_pct")
    for name in ("gex_by_strike", "gex_by_expiry"):
        assert sum(story.profiles[name].value) == pytest.approx(net)
    assert list(story.profiles["gamma_profile"].x) == sorted(story.profiles["gamma_profile"].x)


def degraded(entry: SymbolEntry) -> SymbolEntry:
    """The same symbol without a book, its quotes two sessions old."""
    record = recorded(entry)
    hedge = {"spot": record.snapshot.hedge["spot"] * 0.9}
    metadata = record.snapshot.metadata | {
        "hedge.confidence": "0.0",
        "hedge.regime": "illiquid_gamma",
        "hedge.degraded": "open_interest_unavailable,stale_quotes,a_reason_of_the_future",
    }
    snapshot = record.snapshot.model_copy(update={"hedge": hedge, "metadata": metadata})
    none = entry.details.filter(symbol="nobody")
    return replace(entry, record=record.model_copy(update={"snapshot": snapshot}), details=none)


def test_a_degraded_symbol_is_told_in_words(entry: SymbolEntry, config: Config) -> None:
    story = tell(degraded(entry), config, MarketThen())
    hedge = story.engines[0]
    assert [note.name for note in hedge.degraded] == [
        "open_interest_unavailable",
        "stale_quotes",
        "a_reason_of_the_future",
    ]
    assert "what dealers hold" in hedge.degraded[0].words
    assert hedge.degraded[2].words == "A reason of the future."
    said = " ".join(in_short(story))
    assert "Dealers' hedging is unknown" in said
    assert "+11.1% from" in said
    assert story.energy is None


def test_a_faint_mood_is_not_called_one(story: Story) -> None:
    def mood(regime: str) -> str:
        engines = tuple(replace(e, regime=regime) if e.kind == "sentiment" else e for e in story.engines)
        return in_short(replace(story, engines=engines))[-1]

    assert mood("quiet").startswith("There is hardly any mood: ")
    assert mood("mixed").startswith("The mood is bu") or mood("mixed").startswith("The mood is be")


def test_a_trade_without_a_side_is_told_apart_from_the_flat_stance(story: Story) -> None:
    flat = replace(story, verdict=replace(story.verdict, action="flat"))
    assert "a small trade that needs no side: " in in_short(flat)[0]
    assert "a small trade" not in in_short(replace(story, verdict=replace(story.verdict, action="long")))[0]
    ideas = [one.idea for one in story.ideas]
    assert all(("volatility" in confidence_words(idea)) == (idea.side == "neutral") for idea in ideas)


def test_without_settings_the_rest_is_told(entry: SymbolEntry) -> None:
    story = tell(entry, None, MarketThen(problem="gone"))
    assert (story.verdict.vote, story.energy, story.market_problem) == (None, None, "gone")
    assert all(voice.adds is None for voice in story.voices)
    assert in_short(story)


def test_no_record_no_story(entry: SymbolEntry, config: Config) -> None:
    with pytest.raises(NoDataError, match="no record"):
        tell(replace(entry, record=None), config, MarketThen())


def test_what_became_of_each_strategy_is_asked_again(entry: SymbolEntry, config: Config) -> None:
    story = story_of(entry, config)
    outcomes = {one.strategy: one.outcome for one in story.considered}
    assert set(outcomes) == set(config.trade.strategies)
    chosen = sorted(name for name, outcome in outcomes.items() if outcome in ("chosen", "alternative"))
    assert chosen == sorted(idea.idea.strategy_type for idea in story.ideas)
    if story.verdict.no_trade:
        assert story.verdict.no_trade.name in outcomes.values()


def test_an_answer_that_is_not_the_ledgers_is_not_told(story: Story) -> None:
    assert story.ideas
    assert story.considered == ()


def test_a_chosen_strategy_is_told_first_and_an_unfit_one_last(story: Story) -> None:
    outcomes = {"a": "stance_flat", "b": "regime_pin", "c": "zero_units", "d": "ranked_below", "e": "chosen"}
    considered = tuple(Considered(name, said, choice_words(said)) for name, said in outcomes.items())
    told = by_outcome(replace(story, considered=considered))
    assert [names for _, names in told] == [("e",), ("d",), ("c",), ("a",), ("b",)]
    assert told[-1][0] == "not traded under pin"
