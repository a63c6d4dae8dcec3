"""``gnosis-ray config show``: every setting and where it came from."""

from __future__ import annotations

from typing import Any

import click
import polars as pl

from gnosis_ray.cli.console import Format, emit, format_option
from gnosis_ray.config import load_config


@click.group(name="config")
def command() -> None:
    """Settings."""


@command.command()
@format_option
@click.pass_obj
def show(profile: str | None, format_: Format) -> None:
    """Print each setting, its value, and its origin: environment > profile > default."""
    loaded = load_config(profile)
    body = loaded.config.model_dump(mode="json")
    rows = [{"setting": key, "value": _text(_at(body, key)), "origin": loaded.origins[key]} for key in loaded.origins]
    frame = pl.DataFrame(rows, schema={"setting": pl.String, "value": pl.String, "origin": pl.String})
    emit(frame, format_, f"Settings (decision hash {loaded.config.decision_hash()})")


def _at(body: Any, key: str) -> Any:
    for part in key.split("."):
        body = body[part]
    return body


def _text(value: Any) -> str:
    return "null" if value is None else str(value)
