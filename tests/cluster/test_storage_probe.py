"""Two machines see the same place exactly where each reads what the other wrote, in folders and in buckets."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from cluster.storage_probe import SHARED, check_shared, storage_probe
from gnosis_ray.errors import ClusterError
from gnosis_ray.storage.location import Location, S3Url
from gnosis_ray.storage.object_store import BucketBackend
from tests.support.object_stores import BUCKET, environment, object_store


@pytest.fixture(scope="module")
def bucket() -> Iterator[str]:
    """The address of a store with an empty bucket."""
    with object_store() as address:
        yield address


@pytest.fixture(params=["folder", "bucket"])
def place(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Location:
    """An empty place."""
    if request.param == "folder":
        return tmp_path
    for name, value in environment(request.getfixturevalue("bucket")).items():
        monkeypatch.setenv(name, value)
    return S3Url(BUCKET, tmp_path.name)


def held(place: Location) -> list[str]:
    return [path.name for path in place.iterdir()] if isinstance(place, Path) else BucketBackend(place).names("")


def test_one_place_is_shared_and_left_as_it_was(place: Location) -> None:
    with storage_probe(place) as (name, content):
        assert check_shared(str(place), name, content) == SHARED
        assert held(place) == [name]
    assert held(place) == []


def test_another_place_is_not(place: Location) -> None:
    with storage_probe(place) as (name, content):
        assert check_shared(str(place), f"{name}x", content).startswith("FileNotFoundError")
        assert "another .preflight" in check_shared(str(place), name, "made up")


def test_a_readable_place_that_cannot_be_written_is_not_shared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    with storage_probe(tmp_path) as (name, content):
        monkeypatch.setattr(os, "replace", refuse)
        assert check_shared(str(tmp_path), name, content).startswith("PermissionError")


def test_what_this_machine_cannot_write_is_an_error(tmp_path: Path, place: Location) -> None:
    nowhere = tmp_path / "nowhere" if isinstance(place, Path) else S3Url("no-such-bucket")
    with pytest.raises(ClusterError, match="Cannot write in the ledger"), storage_probe(nowhere):
        raise AssertionError


def test_the_content_cannot_be_guessed(tmp_path: Path) -> None:
    with storage_probe(tmp_path) as first, storage_probe(tmp_path) as second:
        assert len({*first, *second}) == 4
