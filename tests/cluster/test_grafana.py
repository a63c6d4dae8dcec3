"""The Grafana dashboard asks for what runs emit, in words."""

from __future__ import annotations

import json
import re
from pathlib import Path

from gnosis_ray.monitoring.catalogue import METRICS

BOARD = json.loads((Path(__file__).parents[2] / "cluster" / "grafana" / "gnosis_ray.json").read_text(encoding="utf-8"))
OURS = re.compile(r"\bray_gnosis_\w+")
GROUPED = re.compile(r"by \(([^)]*)\) \((ray_gnosis_\w+)")
SAID_BY_RAY = {"le", "SessionName"}


def expressions() -> list[str]:
    return [target["expr"] for panel in BOARD["panels"] for target in panel["targets"]]


def overlap(one: dict[str, int], other: dict[str, int]) -> bool:
    return (
        one["x"] < other["x"] + other["w"]
        and other["x"] < one["x"] + one["w"]
        and one["y"] < other["y"] + other["h"]
        and other["y"] < one["y"] + one["h"]
    )


def test_every_query_names_metrics_that_runs_emit() -> None:
    exported = {name for metric in METRICS for name in metric.exported}
    asked = [OURS.findall(expression) for expression in expressions()]
    assert all(asked), "a panel that shows nothing of ours"
    assert {name for names in asked for name in names} <= exported
    variables = [OURS.findall(json.dumps(each)) for each in BOARD["templating"]["list"]]
    assert {name for names in variables for name in names} <= exported


def test_every_metric_is_shown() -> None:
    asked = {name for expression in expressions() for name in OURS.findall(expression)}
    assert [metric.name for metric in METRICS if not asked & set(metric.exported)] == []


def test_queries_group_by_tags_that_the_metric_has() -> None:
    tags = {name: {*metric.tags, *SAID_BY_RAY} for metric in METRICS for name in metric.exported}
    grouped = [match for expression in expressions() for match in GROUPED.findall(expression)]
    assert grouped
    assert [(names, metric) for names, metric in grouped if not set(names.split(", ")) <= tags[metric]] == []


def test_panels_have_readable_titles_and_do_not_overlap() -> None:
    titles = [panel["title"] for panel in BOARD["panels"]]
    assert len(titles) == len(set(titles))
    assert not any("_" in title for title in titles)
    assert all(panel["description"] for panel in BOARD["panels"])
    places = [panel["gridPos"] for panel in BOARD["panels"]]
    assert not any(overlap(one, other) for i, one in enumerate(places) for other in places[:i])
    assert all(place["x"] + place["w"] <= 24 for place in places)


def test_the_dashboard_is_independent_of_an_installation() -> None:
    sources = {json.dumps(panel["datasource"], sort_keys=True) for panel in BOARD["panels"]}
    assert sources == {json.dumps({"type": "prometheus", "uid": "${datasource}"}, sort_keys=True)}
