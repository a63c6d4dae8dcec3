"""What the libraries log, on the user's terminal."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any, TypeVar

import click
from rich.logging import RichHandler

from gnosis_ray.cli.console import stderr
from gnosis_ray.monitoring.log_lines import OURS

FC = TypeVar("FC", bound=Callable[..., Any])

LEVELS = ("debug", "info", "warning", "error")

_handler = RichHandler(console=stderr, show_path=False, markup=False, log_time_format="%H:%M:%S")


def log_level_option(command: FC) -> FC:
    """``--log-level``: how much of the log is shown; takes effect as it is read."""

    def apply(_ctx: click.Context, _param: click.Parameter, level: str) -> None:
        show_logs(level)

    return click.option(
        "--log-level",
        type=click.Choice(LEVELS),
        default="warning",
        show_default=True,
        envvar="GNOSIS_RAY_LOG",
        show_envvar=True,
        expose_value=False,
        callback=apply,
        help="How much of the log goes to stderr.",
    )(command)


def show_logs(level: str) -> None:
    """Show what is logged at ``level`` or above on stderr, without breaking a progress bar. Ray's own log stays out."""
    wanted = logging.getLevelNamesMapping()[level.upper()]
    _handler.setLevel(wanted)
    for name in OURS:
        logger = logging.getLogger(name)
        logger.addHandler(_handler)
        logger.setLevel(wanted if wanted < logging.WARNING else logging.NOTSET)
