"""A symbol's report as one self-contained page: no script, no external resource, foreign text escaped."""

from __future__ import annotations

from base64 import b64encode
from datetime import timedelta
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from gnosis_ray.charts.chart_style import Chart, svg
from gnosis_ray.charts.number_formats import dollars, measured, percent, price
from gnosis_ray.config import as_of_text
from gnosis_ray.report.charts import charts_of, payoff_chart
from gnosis_ray.report.glossary import ACTION_TEXTS, ENGINE_TITLES, spaced
from gnosis_ray.report.ideas import confidence_text, idea_figures, leg_text, quote_cells, units_text
from gnosis_ray.report.summary import by_outcome, summary_sentences
from gnosis_ray.report.symbol_report import SymbolReport
from gnosis_ray.storage.files import write_file

TEMPLATE = "page.html.j2"


def write_page(report: SymbolReport, path: Path) -> None:
    """Write the page atomically; an existing file is replaced."""
    write_file(path, render(report).encode())


def render(report: SymbolReport) -> str:
    """The page's HTML; equal reports give equal pages."""
    template = _environment().get_template(TEMPLATE)
    return template.render(
        report=report,
        summary=summary_sentences(report),
        charts=charts_of(report),
        ideas=[(idea, payoff_chart(idea, report.price)) for idea in report.ideas],
    )


def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("gnosis_ray.report", "."),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "figure": _figure,
        "moment": as_of_text,
        "percent": percent,
        "price": price,
        "dollars": dollars,
        "spaced": spaced,
    }
    environment.globals |= {
        "action_texts": ACTION_TEXTS,
        "by_outcome": by_outcome,
        "confidence_text": confidence_text,
        "engine_titles": ENGINE_TITLES,
        "idea_figures": idea_figures,
        "leg_text": leg_text,
        "measured": measured,
        "quote_cells": quote_cells,
        "timedelta": timedelta,
        "units_text": units_text,
    }
    return environment


def _figure(chart: Chart) -> Markup:
    """A chart as an image within the page: isolated, with words for those who cannot see it."""
    source = b64encode(svg(chart.figure)).decode()
    return Markup(
        '<figure><figcaption>{}</figcaption><img alt="{}" src="data:image/svg+xml;base64,{}"></figure>'
    ).format(chart.title, chart.alt, source)
