"""How ideas are ranked, filtered and said in a line."""

from __future__ import annotations

from math import inf

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gnosis_ray.cli.console import emit
from gnosis_ray.cli.ideas import FIGURES, SPARE, IdeaFilter, _readable, require_strategies
from gnosis_ray.errors import ConfigError
from gnosis_ray.ledger.rows import trade_ideas_frame
from gnosis_ray.report.ranking import ideas_frame
from gnosis_ray.schemas.core_schemas import TradeIdea, TradeLeg
from tests.ledger import samples

RECEIPT = samples.run_receipt(samples.manifest())
CALL = TradeLeg(instrument_type="C", direction="buy", qty=1, strike=320.0, expiry="2026-08-21", price=9.95)


def idea(name: str, **changes: object) -> TradeIdea:
    plain = TradeIdea(
        id=name,
        symbol=name,
        strategy_type="long_call",
        side="long",
        legs=[CALL],
        cost_per_unit=200.0,
        max_loss=200.0,
        expected_value=-10.0,
        expected_edge=0.0,
        recommended_units=3,
        confidence=0.5,
        rationale="",
    )
    return plain.model_copy(update=changes)


def ranked(*ideas: TradeIdea) -> pl.DataFrame:
    record = samples.record("AAPL").model_copy(update={"trade_ideas": list(ideas)})
    return ideas_frame(trade_ideas_frame([record]), RECEIPT)


def scores(*ideas: TradeIdea) -> dict[str, float | None]:
    return dict(ranked(*ideas).select("id", "score").iter_rows())


def test_the_score_is_what_is_expected_over_what_can_be_lost_times_confidence() -> None:
    assert scores(idea("a", expected_edge=30.0))["a"] == pytest.approx((30 - 10) / 200 * 0.5)


def test_doubt_makes_no_expected_loss_smaller() -> None:
    found = scores(idea("sure", confidence=0.9), idea("unsure", confidence=0.1))
    assert found["sure"] == found["unsure"] == pytest.approx(-0.05)


def test_an_unbounded_loss_stands_as_its_stop_distances() -> None:
    short = idea("s", cost_per_unit=-100.0, stop_loss_price=104.0, max_loss=inf, expected_value=-1.0, expected_edge=2.2)
    assert scores(short)["s"] == pytest.approx(1.2 / 12.0 * 0.5)


def test_what_has_no_expectation_comes_last_surest_first() -> None:
    blind = [idea(n, expected_value=None, expected_edge=None, confidence=c) for n, c in (("x", 0.3), ("y", 0.9))]
    assert ranked(*blind, idea("poor", expected_value=-150.0))["id"].to_list() == ["poor", "y", "x"]


@given(
    edges=st.lists(st.floats(-50, 50), min_size=1, max_size=6),
    confidences=st.lists(st.floats(0, 1), min_size=6, max_size=6),
)
def test_more_expectation_never_ranks_lower(edges: list[float], confidences: list[float]) -> None:
    """Among equally sure ideas the order is that of what they are expected to bring."""
    ideas = [idea(f"i{n}", expected_edge=edge, confidence=confidences[0]) for n, edge in enumerate(edges)]
    best = ranked(*ideas)["expected_edge_usd"].to_list()
    if confidences[0] > 1e-9:
        assert best == pytest.approx(sorted(best, reverse=True), abs=1e-9)


@pytest.mark.parametrize(
    ("wanted", "kept"),
    [
        (IdeaFilter(), ["a", "b", "c"]),
        (IdeaFilter(top=1), ["a"]),
        (IdeaFilter(sides=("short", "neutral")), ["b", "c"]),
        (IdeaFilter(strategies=("iron_condor",)), ["c"]),
        (IdeaFilter(min_confidence=0.4), ["a", "b"]),
        (IdeaFilter(top=1, min_confidence=0.4, sides=("short",)), ["b"]),
    ],
)
def test_filters_keep_what_passes_all_of_them(wanted: IdeaFilter, kept: list[str]) -> None:
    ideas = ranked(
        idea("a", expected_edge=30.0),
        idea("b", expected_edge=20.0, side="short", confidence=0.4),
        idea("c", side="neutral", strategy_type="iron_condor", confidence=0.2),
    )
    assert wanted.applied_to(ideas)["id"].to_list() == kept


def legs(*words: str) -> list[TradeLeg]:
    """``buy 1 C 320 2026-08-21`` or ``buy 100 STOCK``."""
    found = []
    for word in words:
        direction, qty, kind, *rest = word.split()
        strike, expiry = rest or (None, None)
        found.append(
            TradeLeg.model_validate(
                {"instrument_type": kind, "direction": direction, "qty": qty, "strike": strike, "expiry": expiry}
            )
        )
    return found


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("buy 1 STOCK",), "buy 3 shares"),
        (("sell 1 STOCK",), "sell short 3 shares"),
        (("buy 1 C 320 2026-08-21", "sell 1 C 330 2026-08-21"), "3 x 2026-08-21 +320C -330C"),
        (("buy 1 C 310 2026-08-21", "sell 2 C 320.5 2026-08-21"), "3 x 2026-08-21 +310C -2x320.5C"),
        (("sell 1 P 320 2026-08-21", "buy 1 P 320 2026-09-18"), "3 x 2026-08-21 -320P 2026-09-18 +320P"),
        (("buy 100 STOCK", "sell 1 C 330 2026-08-21"), "3 x +100 shares 2026-08-21 -330C"),
    ],
)
def test_a_trade_is_said_in_a_line(words: tuple[str, ...], said: str) -> None:
    assert ranked(idea("a", legs=legs(*words)))["trade"].to_list() == [said]


def shown(capsys: pytest.CaptureFixture[str], *ideas: TradeIdea) -> tuple[str, str]:
    """The table of ideas and what is said beside it."""
    emit(_readable(ranked(*ideas)), "table", "ideas", FIGURES, SPARE)
    said = capsys.readouterr()
    return said.out, said.err


def test_a_score_has_three_decimals_and_zero_no_sign(capsys: pytest.CaptureFixture[str]) -> None:
    tiny = idea("a", expected_value=-0.02, expected_edge=0.01)
    table, _ = shown(capsys, tiny, idea("b", expected_edge=90.0))
    assert "-0" not in table.replace("2026-08-21", "")
    assert " 0.000 " in table
    assert " 0.200 " in table


def test_a_narrow_terminal_keeps_the_trade_whole_and_says_what_it_left_out(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for columns in (60, 80):
        monkeypatch.setenv("COLUMNS", str(columns))
        table, said = shown(capsys, idea("a", legs=legs("buy 1 C 320 2026-08-21", "sell 1 C 330 2026-08-21")))
        assert max(map(len, table.splitlines())) <= columns
        assert {"3", "x", "2026-08-21", "+320C", "-330C"} <= set(table.split())
        assert ("3 x 2026-08-21 +320C -330C" in table) is (columns == 80)
        assert "max loss $" in table
        assert f"line of {columns} characters: " in said
        assert "probability of profit" in said
    monkeypatch.setenv("COLUMNS", "200")
    table, said = shown(capsys, idea("a"))
    assert "probability of" in table
    assert said == ""


def test_a_filter_by_what_is_no_strategy_is_refused_naming_the_nearest() -> None:
    with pytest.raises(ConfigError, match=r"unknown strategy 'iron_condr'\. Nearest: 'iron_condor'"):
        require_strategies(["long_call", "iron_condr"])
    require_strategies(["long_call", "of_another_package"], of_run=["of_another_package"])
