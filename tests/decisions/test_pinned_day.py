"""The decisions of the pinned day stand; a change reads as a table."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.decisions.pinned_day import SYMBOLS, Day, decided, differences, pinned


@pytest.fixture(autouse=True)
def _default_settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("GNOSIS_RAY_HOME", str(tmp_path / "home"))


def test_no_decision_of_the_pinned_day_changed(tmp_path: Path) -> None:
    changed = differences(pinned(), decided(tmp_path / "ledger"))
    if changed:
        how = "If this is meant, say why in the commit and pin them: make pin-decisions"
        pytest.fail("\n".join(["Decisions changed.", *changed, how]), pytrace=False)


def test_the_pinned_day_shows_every_action_and_many_strategies() -> None:
    day = pinned()
    assert tuple(day) == SYMBOLS
    assert {fields["composer.action"] for fields in day.values()} == {"long", "short", "flat", "spread", "complex"}
    strategies = {name for fields in day.values() for name in str(fields["ideas"]).split(", ") if name}
    assert len(strategies) >= 10


def test_a_changed_decision_is_a_line_of_symbol_field_was_is() -> None:
    was: Day = {"AAPL": {"action": "long", "confidence": 0.25, "gone": 1}, "XOM": {"ideas": ""}}
    now: Day = {"AAPL": {"action": "flat", "confidence": 0.25 * (1 + 1e-9), "new": None}, "XOM": {"ideas": ""}}
    assert differences(was, now) == [
        "symbol  field   was       is",
        "AAPL    action  long      flat",
        "AAPL    gone    1         (absent)",
        "AAPL    new     (absent)  None",
    ]


def test_a_figure_that_differs_in_the_fifth_digit_is_a_change() -> None:
    assert differences({"A": {"x": 0.123456}}, {"A": {"x": 0.12346}}) != []
    assert differences({"A": {"x": 0.123456}}, {"A": {"x": 0.1234561}}) == []
