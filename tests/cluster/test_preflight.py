"""A node that differs is found and named with advice: on one local node; test_nodes.py has several."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cluster import preflight
from cluster.preflight import ADVICE, Facts, compare, look, require_fit, survey
from cluster.session import Session
from cluster.storage_probe import SHARED
from gnosis_ray.config import Config
from gnosis_ray.errors import ClusterError

FACTS = {fact: f"{fact} as it should be" for fact in ADVICE if fact != "answer"}


@given(wrong=st.sets(st.sampled_from(sorted(FACTS))), silent=st.sets(st.sampled_from(sorted(FACTS))))
def test_exactly_what_differs_is_reported(wrong: set[str], silent: set[str]) -> None:
    found = {fact: "other" if fact in wrong else text for fact, text in FACTS.items() if fact not in silent}
    differences = compare(FACTS, found)
    assert {each.fact for each in differences} == wrong | silent
    assert all(each.found == ("unknown" if each.fact in silent else "other") for each in differences)
    assert [each.fact for each in differences] == [fact for fact in ADVICE if fact in wrong | silent]


def test_more_facts_than_the_driver_knows_are_no_difference() -> None:
    assert compare(FACTS, FACTS | {"colour": "green"}) == ()


def test_a_node_without_facts_says_why() -> None:
    (difference,) = compare(FACTS, "ModuleNotFoundError: No module named 'cluster'")
    assert str(difference).startswith("answer: Expected facts about the node, was ModuleNotFoundError")
    assert "installed there" in str(difference)


def ask(folder: Path, config: Config) -> dict[str, str]:
    return look(config.model_dump_json(), None, str(folder), "name", "t")


def test_a_look_reports_every_fact(tmp_path: Path, config: Config) -> None:
    (tmp_path / "name").write_text("t")
    facts = ask(tmp_path, config)
    assert set(facts) == set(FACTS)
    assert facts["ledger"] == SHARED
    assert facts["settings"] == config.decision_hash()
    assert [path.name for path in tmp_path.iterdir()] == ["name"]


def test_our_own_node_is_fit(session: Session, config: Config, tmp_path: Path) -> None:
    (finding,) = survey(session, config, tmp_path)
    assert finding.fit
    require_fit(session, config, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_ledger_that_the_driver_cannot_write_is_its_own_error(
    session: Session, config: Config, tmp_path: Path
) -> None:
    with pytest.raises(ClusterError, match="Cannot write in the ledger"):
        survey(session, config, tmp_path / "nowhere")


def test_an_unfit_node_is_named_with_advice(
    session: Session, config: Config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def answers(_look: object, question: tuple[str, ...]) -> list[tuple[str, Facts | str]]:
        good = look(*question)
        return [("one (10.0.0.1, ab)", good), ("two (10.0.0.2, cd)", good | {"polars": "0.1"}), ("three", "no reason")]

    monkeypatch.setattr(preflight, "ask_every_node", answers)
    with pytest.raises(ClusterError) as caught:
        require_fit(session, config, tmp_path)
    first, *lines = str(caught.value).splitlines()
    assert first == "2 of 3 nodes cannot take part."
    assert lines[0].startswith("node two (10.0.0.2, cd): polars: Expected 2.")
    assert "was 0.1. Give every node the same image" in lines[0]
    assert lines[1].startswith("node three: answer")
    assert caught.value.exit_code == 5
