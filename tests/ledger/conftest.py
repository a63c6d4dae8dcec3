"""Backends of a ledger: a folder, and a bucket."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.ledger.ledger_backends import BucketLedger, FolderLedger, LedgerBackend


@pytest.fixture
def bucket(s3: str, tmp_path: Path) -> BucketLedger:
    """A prefix of its own in a bucket."""
    return BucketLedger.at(tmp_path)


@pytest.fixture(params=["folder", "bucket"])
def backend(request: pytest.FixtureRequest, tmp_path: Path) -> LedgerBackend:
    """An empty backend of either kind."""
    if request.param == "folder":
        return FolderLedger(tmp_path / "ledger")
    backend: BucketLedger = request.getfixturevalue("bucket")
    return backend
