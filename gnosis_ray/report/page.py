"""A story as one self-contained page: no script, nothing fetched, foreign text escaped."""

from __future__ import annotations

import os
import uuid
from base64 import b64encode
from datetime import timedelta
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from gnosis_ray.charts.chart_style import Chart, svg
from gnosis_ray.charts.number_formats import dollars, measured, percent, price
from gnosis_ray.config import as_of_text
from gnosis_ray.report.charts import charts_of, payoff_chart
from gnosis_ray.report.glossary import ACTION_WORDS, ENGINE_TITLES, spaced
from gnosis_ray.report.ideas import confidence_words, idea_figures, leg_words, quote_words, units_words
from gnosis_ray.report.summary import by_outcome, in_short
from gnosis_ray.report.symbol_report import Story

TEMPLATE = "page.html.j2"


def write_page(story: Story, path: Path) -> None:
    """Write the page, whole or not at all; what was there is replaced."""
    body = render(story).encode()
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{uuid.uuid4().hex}")
    try:
        temporary.write_bytes(body)
        os.replace(temporary, path)  # noqa: PTH105  as everywhere else in this code
    finally:
        temporary.unlink(missing_ok=True)


def render(story: Story) -> str:
    """The page's HTML. The same story always gives the same page."""
    template = _environment().get_template(TEMPLATE)
    return template.render(
        story=story,
        in_short=in_short(story),
        charts=charts_of(story),
        ideas=[(idea, payoff_chart(idea, story.price)) for idea in story.ideas],
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
        "action_words": ACTION_WORDS,
        "by_outcome": by_outcome,
        "confidence_words": confidence_words,
        "engine_titles": ENGINE_TITLES,
        "idea_figures": idea_figures,
        "leg_words": leg_words,
        "measured": measured,
        "quote_words": quote_words,
        "timedelta": timedelta,
        "units_words": units_words,
    }
    return environment


def _figure(chart: Chart) -> Markup:
    """A chart as an image within the page: isolated, with words for those who cannot see it."""
    source = b64encode(svg(chart.figure)).decode()
    return Markup(
        '<figure><figcaption>{}</figcaption><img alt="{}" src="data:image/svg+xml;base64,{}"></figure>'
    ).format(chart.title, chart.alt, source)
