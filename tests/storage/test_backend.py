"""Folders and buckets keep files alike: whole or absent, created once, listed by name."""

from __future__ import annotations

import errno
import os
import pickle
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from gnosis_ray.storage import parquet
from gnosis_ray.storage.backend import StorageBackend, open_backend
from gnosis_ray.storage.disk import OS_DISK
from gnosis_ray.storage.files import make_folder
from gnosis_ray.storage.folder import FolderBackend
from gnosis_ray.storage.location import S3Url
from gnosis_ray.storage.object_store import BucketBackend
from tests.support.disks import Power, PowerCutError, WatchedDisk
from tests.support.object_stores import BUCKET

NAMES = ("plain", "a b", "100%", "ü", "x=1/y=2", "deep/deeper/file.parquet", "[ab]*?", ".hidden", "deep/.batch-1.0a")
ONE_EACH = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
_segments = st.text(alphabet="ab*[]?.-_= %", min_size=1, max_size=4).filter(lambda s: s.strip(". ") == s and s)
_contents = st.dictionaries(
    st.lists(_segments, min_size=1, max_size=3).map("/".join), st.binary(max_size=40), max_size=6
).filter(lambda files: not any(other.startswith(f"{name}/") for name in files for other in files))


@pytest.fixture(params=["folder", "bucket"])
def backend(request: pytest.FixtureRequest, tmp_path: Path) -> StorageBackend:
    """An empty one."""
    if request.param == "bucket":
        request.getfixturevalue("s3")
        return open_backend(S3Url(BUCKET, f"backend/{tmp_path.name}"))
    return open_backend(tmp_path / "not there yet")


def test_a_location_gives_its_backend(tmp_path: Path) -> None:
    assert open_backend(tmp_path) == FolderBackend(tmp_path)
    assert open_backend(S3Url("bucket", "x")) == BucketBackend(S3Url("bucket", "x"))


@pytest.mark.parametrize("name", NAMES)
def test_a_name_is_one_file_whatever_is_in_it(backend: StorageBackend, name: str) -> None:
    backend.put("a", b"of another name")
    backend.put(name, b"earlier")
    backend.put(name, b"later")
    assert (backend.get(name), backend.get_tail(name, 3), backend.get_tail(name, 99)) == (b"later", b"ter", b"later")
    assert (backend.exists(name), backend.names()) == (True, sorted(["a", name]))
    assert backend.sizes() == {"a": 15, name: 5}
    backend.delete([name, "never was"])
    assert (backend.exists(name), backend.names(), backend.get("a")) == (False, ["a"], b"of another name")


def test_what_is_not_there_is_not_found(backend: StorageBackend) -> None:
    for ask in (backend.get, lambda name: backend.get_tail(name, 1)):
        with pytest.raises(FileNotFoundError):
            ask("nothing")
    assert not backend.exists("nothing")
    assert backend.names("nothing") == backend.children("nothing") == backend.browse("nothing")("") == []
    backend.put("file", b"")
    assert backend.names("file") == backend.children("file") == []


@ONE_EACH
@given(files=_contents)
def test_listings_are_those_of_the_files_written(
    tmp_path_factory: pytest.TempPathFactory, files: dict[str, bytes]
) -> None:
    assert_listings(open_backend(tmp_path_factory.mktemp("files")), files)


@settings(parent=ONE_EACH, max_examples=8)
@given(files=_contents)
def test_listings_of_a_bucket_are_the_same(
    s3: str, tmp_path_factory: pytest.TempPathFactory, files: dict[str, bytes]
) -> None:
    assert_listings(open_backend(S3Url(BUCKET, f"listed/{tmp_path_factory.mktemp('files').name}")), files)


def assert_listings(backend: StorageBackend, files: dict[str, bytes]) -> None:
    for name, body in files.items():
        backend.put(f"top/{name}", body)
    assert {name: backend.get(f"top/{name}") for name in backend.names("top")} == files
    assert backend.sizes("top") == {name: len(body) for name, body in files.items()}
    folders = {name[:end] for name in files for end, letter in enumerate(name) if letter == "/"}
    browse = backend.browse("top")
    for folder in ("", *folders):
        prefix = f"{folder}/" if folder else ""
        below = {name.removeprefix(prefix).partition("/")[0] for name in files if name.startswith(prefix)}
        assert browse(folder) == sorted(below)
        assert backend.children(f"top/{folder}".rstrip("/")) == sorted(below)


def test_of_many_creators_at_once_one_wins(backend: StorageBackend) -> None:
    for turn in range(10):
        with ThreadPoolExecutor(8) as pool:
            won = list(pool.map(lambda n, t=turn: backend.put_if_absent(f"new/{t}", b"%d" % n), range(8)))
        assert sum(won) == 1
        assert backend.get(f"new/{turn}") == b"%d" % won.index(True)
    assert len(backend.names()) == 10


def test_what_was_created_stays(backend: StorageBackend) -> None:
    assert backend.put_if_absent("one", b"first")
    assert not backend.put_if_absent("one", b"second")
    assert backend.put_if_absent("one", b"first")  # the same content: a repeated request has won
    backend.require_put_if_absent("one", b"first")
    assert backend.get("one") == b"first"


def test_it_travels(backend: StorageBackend) -> None:
    backend.put("x", b"1")
    assert pickle.loads(pickle.dumps(backend)).get("x") == b"1"  # noqa: S301  our own bytes


def test_map_each_keeps_order_and_raises(backend: StorageBackend) -> None:
    assert backend.map_each(lambda n: n * 2, range(50)) == list(range(0, 100, 2))
    with pytest.raises(ZeroDivisionError):
        backend.map_each(lambda n: 1 // n, [1, 0])


@pytest.mark.parametrize("guess", [64, 512 * 1024])
def test_a_parquet_footer_is_read_without_the_rows(
    backend: StorageBackend, monkeypatch: pytest.MonkeyPatch, guess: int
) -> None:
    frame = pl.DataFrame({"x": range(10_000), "text": [f"row {n}" for n in range(10_000)]})
    backend.put("part.parquet", parquet.parquet_bytes(frame))
    monkeypatch.setattr(parquet, "TAIL_BYTES", guess)
    assert pl.read_parquet_schema(parquet.parquet_footer(backend, "part.parquet")) == frame.schema
    assert_frame_equal(parquet.parquet_frame(backend.get("part.parquet")), frame)


def put(backend: FolderBackend, body: bytes) -> None:
    backend.put("new/deeper/name", body)


def create(backend: FolderBackend, body: bytes) -> None:
    backend.put_if_absent("new/deeper/name", body)


@pytest.mark.parametrize("tidy", [True, False], ids=["error", "kill"])
@pytest.mark.parametrize("write", [put, create])
def test_a_crash_at_any_step_leaves_all_or_nothing(
    tmp_path: Path, write: Callable[[FolderBackend, bytes], None], tidy: bool
) -> None:
    make_folder(tmp_path)  # durable from here on: only what is below counts
    steps = Power()
    write(FolderBackend(tmp_path / "counted", WatchedDisk(steps.step)), b"body")
    assert steps.calls > 10
    seen = set()
    for at in range(1, steps.calls + 1):
        backend = FolderBackend(tmp_path / f"{at}")
        crash_at(at, backend, lambda crashing: write(crashing, b"body"), tidy=tidy)
        names = backend.names()
        seen.add(bool(names))
        assert [(name, backend.get(name)) for name in names] in ([], [("new/deeper/name", b"body")])
        write(backend, b"body")
        assert backend.get("new/deeper/name") == b"body"
        assert backend.sizes() == {"new/deeper/name": 4}
        assert backend.children("new/deeper") == ["name"]
    assert seen == {True, False}


@pytest.mark.parametrize("tidy", [True, False], ids=["error", "kill"])
def test_a_crash_while_replacing_leaves_the_earlier_or_the_later(tmp_path: Path, tidy: bool) -> None:
    backend, steps = FolderBackend(tmp_path), Power()
    put(backend, b"earlier")
    put(FolderBackend(tmp_path, WatchedDisk(steps.step)), b"earlier")
    seen = []
    for at in range(1, steps.calls + 1):
        put(backend, b"earlier")
        crash_at(at, backend, lambda crashing: put(crashing, b"later"), tidy=tidy)
        seen.append(backend.get("new/deeper/name"))
    assert seen == sorted(seen)  # the earlier one up to a step, from then on the later one
    assert set(seen) == {b"earlier", b"later"}


def crash_at(step: int, backend: FolderBackend, act: Callable[[FolderBackend], None], *, tidy: bool) -> None:
    power = Power(cut=step)
    with pytest.raises(PowerCutError):
        act(FolderBackend(backend.root, WatchedDisk(power.step, tidy)))


@pytest.mark.parametrize("write", [put, create])
def test_content_is_synced_before_its_name_and_new_folders_too(
    tmp_path: Path, write: Callable[[FolderBackend, bytes], None]
) -> None:
    make_folder(tmp_path)
    steps: list[tuple[str, str]] = []

    def note(step: str, path: Path) -> None:
        if step not in ("create", "write", "make folder"):
            steps.append((step, "." if path.suffix == ".tmp" else path.relative_to(tmp_path).as_posix()))

    write(FolderBackend(tmp_path, WatchedDisk(note)), b"body")
    name = ("link" if write is create else "replace", "new/deeper/name")
    content = [("sync file", "."), name, ("sync folder", "new/deeper")]
    assert steps == [("sync folder", "."), ("sync folder", "new"), *content]


def test_a_file_system_without_hard_links_creates_too(tmp_path: Path) -> None:
    def refused(step: str, path: Path) -> None:
        if step == "link":
            raise OSError(errno.EPERM, "Operation not permitted")

    backend = FolderBackend(tmp_path, WatchedDisk(refused))
    assert backend.put_if_absent("one", b"first")
    assert not backend.put_if_absent("one", b"second")
    assert (backend.get("one"), backend.children()) == (b"first", ["one"])


def test_a_folder_that_may_not_be_listed_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(path: Path) -> None:
        raise PermissionError(13, "Permission denied", str(path))

    (tmp_path / "inner").mkdir()
    monkeypatch.setattr(os, "scandir", refused)
    monkeypatch.setattr(os, "listdir", refused)
    for listing in (FolderBackend(tmp_path).names, FolderBackend(tmp_path).children):
        with pytest.raises(PermissionError):
            listing()


def test_folders_above_that_are_not_ours_need_no_sync(tmp_path: Path) -> None:
    """Who may not open a folder, or has it on a disk that cannot be written, has made none in it."""

    def refused(step: str, path: Path) -> None:
        if step == "sync folder" and path == tmp_path.parent:
            raise OSError(errno.EACCES, "Permission denied", str(path))

    OS_DISK.durable_folders.discard(tmp_path)
    backend = FolderBackend(tmp_path, WatchedDisk(refused))
    backend.put("new/name", b"body")
    assert backend.get("new/name") == b"body"
    assert tmp_path in OS_DISK.durable_folders


def test_a_folder_that_fails_to_sync_is_an_error(tmp_path: Path) -> None:
    def failing(step: str, path: Path) -> None:
        if step == "sync folder" and path == tmp_path.parent:
            raise OSError(errno.EIO, "Input/output error")

    OS_DISK.durable_folders.discard(tmp_path)
    with pytest.raises(OSError, match="Input/output error"):
        FolderBackend(tmp_path, WatchedDisk(failing)).put("new/name", b"body")
    assert tmp_path not in OS_DISK.durable_folders
