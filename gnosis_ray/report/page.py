"""A symbol's report as one self-contained page: no script, no external resource, foreign text escaped."""

from __future__ import annotations

from pathlib import Path

from jinja2 import Environment

from gnosis_ray.charts.number_formats import measured
from gnosis_ray.charts.page_frame import page_environment
from gnosis_ray.config import as_of_text
from gnosis_ray.report.charts import charts_of, payoff_chart
from gnosis_ray.report.glossary import ACTION_TEXTS, ENGINE_TITLES, spaced
from gnosis_ray.report.ideas import confidence_text, idea_figures, leg_text, quote_cells, units_text
from gnosis_ray.report.summary import by_outcome, summary_sentences
from gnosis_ray.report.symbol_report import IdeaReport, SymbolReport
from gnosis_ray.storage.files import write_file

TEMPLATE = "symbol_page.html.j2"


def write_page(report: SymbolReport, path: Path) -> None:
    """Write the page atomically; an existing file is replaced."""
    write_file(path, render(report).encode())


def render(report: SymbolReport) -> str:
    """The page's HTML; equal reports give equal pages."""
    template = _environment().get_template(TEMPLATE)
    return template.render(
        report=report,
        synthetic=report.synthetic,
        summary=summary_sentences(report),
        charts=charts_of(report),
        ideas=[(idea, payoff_chart(idea, report.price)) for idea in report.ideas],
    )


def _environment() -> Environment:
    environment = page_environment("gnosis_ray.report")
    environment.filters |= {"moment": as_of_text, "spaced": spaced}
    environment.globals |= {
        "action_texts": ACTION_TEXTS,
        "by_outcome": by_outcome,
        "confidence_text": confidence_text,
        "engine_titles": ENGINE_TITLES,
        "idea_figures": idea_figures,
        "leg_rows": _leg_rows,
        "measured": measured,
        "units_text": units_text,
    }
    return environment


def _leg_rows(idea: IdeaReport) -> list[tuple[str, ...]]:
    return [(leg_text(leg.leg), *quote_cells(leg)) for leg in idea.legs]
