"""``gnosis-ray config show``: every setting and where it came from."""

from __future__ import annotations

from typing import Any

import click
import polars as pl

from gnosis_ray.cli.console import emit, stderr
from gnosis_ray.cli.options import Format, format_option
from gnosis_ray.config import load_config
from gnosis_ray.plugins import PLUGIN_KINDS, configured_names, installed_plugins, pin_plugins


@click.group(name="config")
def command() -> None:
    """Settings."""


@command.command()
@format_option
@click.pass_obj
def show(profile: str | None, format_: Format) -> None:
    """Print each setting, its value, and its origin: environment > profile > default."""
    loaded = load_config(profile)
    digest = pin_plugins(loaded.config).decision_hash()
    body = loaded.config.model_dump(mode="json")
    rows = [{"setting": key, "value": _text(_at(body, key)), "origin": loaded.origins[key]} for key in loaded.origins]
    frame = pl.DataFrame(rows, schema={"setting": pl.String, "value": pl.String, "origin": pl.String})
    emit(frame, format_, f"Settings (decision hash {digest})")


@command.command()
@format_option
@click.pass_obj
def plugins(profile: str | None, format_: Format) -> None:
    """List the plug-ins that are installed, and those that the settings name; loads none."""
    names = configured_names(load_config(profile).config)
    rows = [
        (p.kind, p.name, p.code, p.entry_point.value, "yes" if p.name in names[p.kind] else "no")
        for p in installed_plugins()
    ]
    columns = ["kind", "name", "distribution", "entry point", "in use"]
    emit(pl.DataFrame(rows, schema=dict.fromkeys(columns, pl.String), orient="row"), format_, "Plug-ins")
    if not rows:
        stderr.print(f"None is installed. Groups: {', '.join(f'gnosis_ray.{kind}' for kind in PLUGIN_KINDS)}.")


def _at(body: Any, key: str) -> Any:
    for part in key.split("."):
        body = body[part]
    return body


def _text(value: Any) -> str:
    return "null" if value is None else str(value)
