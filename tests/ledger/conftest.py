"""Grounds to lay a ledger on: a folder, and a bucket."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.ledger.ledger_backends import BucketGround, FolderGround, Ground


@pytest.fixture
def bucket(s3: str, tmp_path: Path) -> BucketGround:
    """A prefix of its own in a bucket."""
    return BucketGround.at(tmp_path)


@pytest.fixture(params=["folder", "bucket"])
def ground(request: pytest.FixtureRequest, tmp_path: Path) -> Ground:
    """A place of either kind, with nothing in it."""
    if request.param == "folder":
        return FolderGround(tmp_path / "ledger")
    ground: BucketGround = request.getfixturevalue("bucket")
    return ground
