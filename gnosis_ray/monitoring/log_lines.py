"""Logs of background processes: one JSON object per line."""

from __future__ import annotations

import json
import logging
import sys
from datetime import UTC, datetime

from gnosis_ray.plain_text import plain_lines

OURS = ("gnosis_ray", "actors", "cluster")
"""The loggers of gnosis-ray."""

FIELDS = ("symbol", "stage", "batch", "host")
"""Further fields of a line, each passed as ``extra={"symbol": ...}``."""


class JsonLines(logging.Formatter):
    """``time`` (UTC, ISO 8601), ``level``, ``logger``, ``message``, ``run`` and the given ones of :data:`FIELDS`."""

    def __init__(self, run: str) -> None:
        super().__init__()
        self._run = run

    def format(self, record: logging.LogRecord) -> str:
        """One line; a traceback is in it as ``error``."""
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            "run": self._run,
        }
        line |= {name: getattr(record, name) for name in FIELDS if hasattr(record, name)}
        if record.exc_info:
            line["error"] = self.formatException(record.exc_info)
        return plain_lines(json.dumps(line, ensure_ascii=False, default=str))  # JSON escapes C0 alone


def write_lines(run: str) -> None:
    """Log lines of this process to standard error from now on; Ray keeps it in a file for each process.

    Side effects: handlers and levels of the loggers of :data:`OURS`; a second call only names another run.
    """
    for name in OURS:
        logger = logging.getLogger(name)
        for handler in [each for each in logger.handlers if isinstance(each.formatter, JsonLines)]:
            logger.removeHandler(handler)
        handler = logging.StreamHandler(sys.stderr)
        handler.setFormatter(JsonLines(run))
        logger.addHandler(handler)
        logger.setLevel(logging.INFO)
