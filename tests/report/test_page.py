"""The page: foreign text stays text, the file is whole or absent."""

from __future__ import annotations

import os
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest

from gnosis_ray.report.evidence import NewsHeadline
from gnosis_ray.report.page import render, write_page
from gnosis_ray.report.symbol_report import PROFILES, ProfileSeries, SymbolReport

HOSTILE = "</script><script>alert(1)</script><img src=x onerror=alert(1)> {{ 7 * 7 }} & 'quoted\""


class Elements(HTMLParser):
    """What a browser would make of the page."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data


def parsed(page: str) -> Elements:
    elements = Elements()
    elements.feed(page)
    return elements


@pytest.fixture(scope="module")
def page(report: SymbolReport) -> str:
    """The page of the story."""
    return render(report)


@pytest.fixture(scope="module")
def bare(report: SymbolReport) -> SymbolReport:
    """The story without what charts are drawn of, but the vote: quick to render."""
    engines = tuple(replace(engine, features=()) for engine in report.engines)
    return replace(
        report, engines=engines, profiles=dict.fromkeys(PROFILES, ProfileSeries()), energy=None, bars=(), ideas=()
    )


@pytest.fixture(scope="module")
def hostile(report: SymbolReport, bare: SymbolReport) -> Elements:
    """A page on which every text that comes from outside is hostile."""
    agents = tuple(replace(agent, reasoning=HOSTILE, tags=(HOSTILE,)) for agent in report.agents)
    first = report.ideas[0]
    ideas = (replace(first, idea=first.idea.model_copy(update={"rationale": HOSTILE, "tags": [HOSTILE]})),)
    engines = tuple(replace(engine, facts={HOSTILE: HOSTILE}) for engine in bare.engines)
    composite = replace(report.composite, reasoning=HOSTILE, tags=(HOSTILE,))
    headlines = (NewsHeadline(report.as_of, HOSTILE, HOSTILE, 0.5, 1.0),)
    changed = replace(bare, agents=agents, ideas=ideas, engines=engines, composite=composite, headlines=headlines)
    return parsed(render(replace(changed, missing=(HOSTILE,), provider=HOSTILE, symbol=HOSTILE)))


def test_foreign_text_is_text(hostile: Elements) -> None:
    assert hostile.text.count(HOSTILE) >= 12
    assert "script" not in {tag for tag, _ in hostile.seen}
    images = [attributes for tag, attributes in hostile.seen if tag == "img"]
    assert all((image["src"] or "").startswith("data:image/svg+xml;base64,") for image in images)
    assert not [name for _, attributes in hostile.seen for name in attributes if name.startswith("on")]


def test_nothing_is_fetched_or_run(page: str) -> None:
    made = parsed(page)
    policies = [a["content"] for tag, a in made.seen if tag == "meta" and a.get("http-equiv")]
    assert policies == ["default-src 'none'; style-src 'unsafe-inline'; img-src data:"]
    assert not {"script", "link", "iframe", "object", "embed", "form", "base"} & {tag for tag, _ in made.seen}
    assert all(attributes.get("alt") for tag, attributes in made.seen if tag == "img")


def test_a_synthetic_market_is_called_so_loudly(page: str, bare: SymbolReport) -> None:
    assert "SYNTHETIC MARKET" in page
    assert "SYNTHETIC" not in render(replace(bare, synthetic=False))


def test_every_trade_has_its_legs_and_figures(page: str) -> None:
    text = " ".join(parsed(page).text.split())
    for wanted in ("Iron condor", "Calendar", "Covered call", "breakeven at", "probability of profit", "62.0%"):
        assert wanted in text
    assert "buy 100 shares" in text


def test_a_page_is_whole_or_absent(bare: SymbolReport, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "deep" / "page.html"
    write_page(bare, path)
    before = path.read_bytes()

    def fail(*_: object) -> None:
        raise OSError("no space left")

    monkeypatch.setattr(os, "replace", fail)
    with pytest.raises(OSError, match="no space left"):
        write_page(replace(bare, symbol="OTHER"), path)
    assert path.read_bytes() == before
    assert list(path.parent.iterdir()) == [path]
