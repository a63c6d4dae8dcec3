"""Distributions laid by hand that offer one plug-in: what an installer would leave, without one."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest


def offer(folder: Path, kind: str, name: str, target: str, *, version: str = "1.0", dist: str = "other") -> None:
    """A distribution that offers one entry point."""
    info = folder / f"{dist}-{version}.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {dist}\nVersion: {version}\n")
    (info / "entry_points.txt").write_text(f"[gnosis_ray.{kind}]\n{name} = {target}\n")


def install(folder: Path, kind: str, source: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """Offer the function ``make`` of a module of this source as the plug-in ``mine``; its text in errors."""
    folder.mkdir(parents=True, exist_ok=True)
    offer(folder, kind, "mine", "hostile_plugin:make")
    (folder / "hostile_plugin.py").write_text(source)
    monkeypatch.delitem(sys.modules, "hostile_plugin", raising=False)
    monkeypatch.syspath_prepend(str(folder))
    return f"Plug-in 'mine' (other 1.0, entry point hostile_plugin:make of gnosis_ray.{kind})"
