"""Grounds to lay a ledger on: a folder, and a bucket."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.ledger.grounds import BucketGround, FolderGround, Ground
from tests.support.object_stores import environment, object_store


@pytest.fixture(scope="session")
def s3_address() -> Iterator[str]:
    """A local S3, started once."""
    with object_store() as address:
        yield address


@pytest.fixture
def s3(s3_address: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """A local S3 that this process's environment points to."""
    for name, value in environment(s3_address).items():
        monkeypatch.setenv(name, value)
    return s3_address


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
