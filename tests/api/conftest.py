"""An empty folder to work in, with a home of its own and no setting from outside."""

from __future__ import annotations

import os
from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def _empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in os.environ:
        if variable.startswith("GNOSIS_RAY__"):
            monkeypatch.delenv(variable)
    monkeypatch.setenv("GNOSIS_RAY_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
