"""The frame of pages: foreign text is escaped, synthetic markets are labelled, nothing is fetched."""

from __future__ import annotations

import pytest
from jinja2 import UndefinedError

from gnosis_ray.charts.chart_style import Chart, blank
from gnosis_ray.charts.page_frame import figure, page_environment

PAGE = """{% extends "page_frame.html.j2" %}{% from "tables.html.j2" import table %}
{% block title %}{{ name }}{% endblock %}
{% block main %}{{ table([("name", false), ("value", true)], [(name, "1.50")], "figures") }}{% endblock %}"""
HOSTILE = "<script>alert('x')</script>"


def page(**values: object) -> str:
    return page_environment("gnosis_ray.charts").from_string(PAGE).render(**values)


def test_foreign_text_in_titles_and_tables_is_escaped() -> None:
    body = page(name=HOSTILE, synthetic=False)
    assert "<script" not in body
    assert body.count("&lt;script&gt;") == 2


def test_numbers_are_aligned_right() -> None:
    body = page(name="x", synthetic=False)
    assert '<table class="figures">' in body
    assert '<th>name</th><th class="n">value</th>' in body
    assert '<td>x</td><td class="n">1.50</td>' in body


def test_a_synthetic_market_is_labelled_in_title_and_banner() -> None:
    assert page(name="x", synthetic=True).count("SYNTHETIC") == 2
    assert "SYNTHETIC" not in page(name="x", synthetic=False)


def test_a_missing_value_is_an_error() -> None:
    with pytest.raises(UndefinedError):
        page(synthetic=False)


def test_a_figure_has_its_title_and_an_alternative_text() -> None:
    markup = figure(Chart("a & b", 'said "so"', blank()[0]))
    assert "<figcaption>a &amp; b</figcaption>" in markup
    assert 'alt="said &#34;so&#34;" src="data:image/svg+xml;base64,' in markup
