"""Log lines are JSON, one an event, whatever is said in them."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from gnosis_ray.monitoring.log_lines import OURS, write_lines

Lines = Callable[[], list[dict[str, Any]]]


@pytest.fixture
def lines(capsys: pytest.CaptureFixture[str]) -> Iterator[Lines]:
    """What went to standard error; the loggers start bare, as in a new process, and are left as they were."""
    before = {name: (list(logging.getLogger(name).handlers), logging.getLogger(name).level) for name in OURS}
    for name in OURS:
        logging.getLogger(name).handlers.clear()
    yield lambda: [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    for name, (handlers, level) in before.items():
        logging.getLogger(name).handlers[:] = handlers
        logging.getLogger(name).setLevel(level)


def test_a_line_says_run_symbol_and_stage(lines: Lines) -> None:
    write_lines("20260713T000000-test")
    extra = {"symbol": "AAPL", "stage": "engine.hedge", "secret": "not a field"}
    logging.getLogger("gnosis_ray.app.jobs.scan").info("failed: %s", "no luck\nat all", extra=extra)
    (line,) = lines()
    assert line.pop("time").endswith("+00:00")
    assert line == {
        "level": "info",
        "logger": "gnosis_ray.app.jobs.scan",
        "message": "failed: no luck\nat all",
        "run": "20260713T000000-test",
        "symbol": "AAPL",
        "stage": "engine.hedge",
    }


def test_a_traceback_stays_on_the_line(lines: Lines) -> None:
    write_lines("run")
    try:
        1 / 0  # noqa: B018 - for its error
    except ZeroDivisionError:
        logging.getLogger("actors.worker").exception("broken")
    (line,) = lines()
    assert line["level"] == "error"
    assert line["error"].endswith("ZeroDivisionError: division by zero")


def test_a_second_run_in_the_process_takes_the_first_ones_place(lines: Lines) -> None:
    write_lines("first")
    write_lines("second")
    logging.getLogger("cluster.session").warning("once")
    assert [line["run"] for line in lines()] == ["second"]


def test_other_libraries_are_left_alone(lines: Lines) -> None:
    write_lines("run")
    logging.getLogger("polars").info("not ours")
    assert lines() == []
