"""Keys of these tests are forgotten after each."""

from __future__ import annotations

import pytest

from gnosis_ray import redaction


@pytest.fixture(autouse=True)
def _forget_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(redaction, "_handed_out", set())
