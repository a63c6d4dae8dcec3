"""The frame of self-contained HTML pages: style sheet, banner of synthetic markets, tables, figures; no script.

A template of a page extends ``page_frame.html.j2`` (blocks ``title``, ``style``, ``main``; variable ``synthetic``) and
may import the macro ``table`` from ``tables.html.j2``.
"""

from __future__ import annotations

from base64 import b64encode

from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from gnosis_ray.charts.chart_style import Chart, svg
from gnosis_ray.charts.number_formats import dollars, percent, price


def page_environment(package: str) -> Environment:
    """The templates of ``package`` and of the frame.

    Texts are escaped, and an unknown variable is an error. Filters: ``dollars``, ``percent``, ``price`` and ``figure``,
    which makes an image of a :class:`Chart`.
    """
    environment = Environment(
        loader=ChoiceLoader([PackageLoader(package, "."), PackageLoader("gnosis_ray.charts", ".")]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"dollars": dollars, "figure": figure, "percent": percent, "price": price}
    return environment


def figure(chart: Chart) -> Markup:
    """The chart as an image inside the page, isolated from it, with its alternative text."""
    source = b64encode(svg(chart.figure)).decode()
    return Markup(
        '<figure><figcaption>{}</figcaption><img alt="{}" src="data:image/svg+xml;base64,{}"></figure>'
    ).format(chart.title, chart.alt, source)
