"""A store of format 1 is copied whole into a new one, which nobody can read before it is finished."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path

import polars as pl
import pytest

import gnosis_ray.data.store.upgrade as upgrading
from gnosis_ray.data.store import StoreWriter, coverage
from gnosis_ray.data.store.part_files import write_part
from gnosis_ray.data.store.store_format import FORMAT_FILE, STORE_FORMAT
from gnosis_ray.data.store.upgrade import upgrade_store
from gnosis_ray.errors import ConfigError, DataError, IntegrityError, NoDataError
from gnosis_ray.market.columns import FEATURE_HISTORY
from gnosis_ray.market.datasets import DATASETS, Dataset
from gnosis_ray.storage.digests import without_own_digest
from gnosis_ray.storage.location import Location, S3Url
from gnosis_ray.storage.object_store import BucketBackend
from tests.data.store.frames import DAY, MONDAY, bar, trade
from tests.support.object_stores import BUCKET
from tests.support.recorded import FORMAT_1, STORE_ROWS, files_of, store_of_format_1

STORE = FORMAT_1 / "store"


def _silent(_text: str, _done: int, _total: int) -> None:
    """Shows nothing."""


def _parts(root: Path) -> dict[str, bytes]:
    return {name: body for name, body in files_of(root).items() if name.endswith(".parquet")}


@pytest.fixture(params=["folder", "bucket"])
def target(request: pytest.FixtureRequest, tmp_path: Path) -> Location:
    """Where nothing is yet."""
    if request.param == "folder":
        return tmp_path / "copy"
    request.getfixturevalue("s3")
    return S3Url(BUCKET, f"upgraded/{tmp_path.name}")


def _files(root: Location) -> dict[str, bytes]:
    if isinstance(root, Path):
        return files_of(root)
    backend = BucketBackend(root)
    return {name: backend.get(name) for name in backend.names()}


def _by_content(files: Mapping[str, bytes]) -> dict[str, bytes]:
    """Files by their names without the hash of a part's bytes, which parts of format 1 lack."""
    return {re.sub(r"(part-[0-9a-f]{16})-[0-9a-f]{32}", r"\1", name): body for name, body in files.items()}


def test_a_copy_has_every_row_and_states_its_format(target: Location) -> None:
    before = files_of(STORE)
    seen: list[tuple[str, int, int]] = []
    copied = upgrade_store(STORE, target, lambda text, done, total: seen.append((text, done, total)))
    assert {kind: rows for kind, _, rows in copied.rows()} == STORE_ROWS
    assert copied["parts"].sum() == len(before) == 8
    assert seen[0] == ("chains 2026-07-09", 1, 8)
    assert [done for _, done, _ in seen] == list(range(1, 9))
    files = _by_content(_files(target))
    assert json.loads(without_own_digest(files.pop(FORMAT_FILE), target)[0]) == {"format": STORE_FORMAT}
    assert sorted(files) == sorted(before)
    sizes = ["kind", "symbols", "first_event", "last_event", "rows", "parts", "last_known"]
    assert coverage(target).select(sizes).equals(coverage(STORE).select(sizes))
    assert files_of(STORE) == before
    for name, body in before.items():
        copy = pl.read_parquet(files[name], hive_partitioning=False)
        assert copy.equals(pl.read_parquet(body, hive_partitioning=False))


def test_rows_keep_when_they_were_known_and_fetched_and_how_often_they_repeat(tmp_path: Path) -> None:
    source = store_of_format_1(tmp_path)
    fetched = bar("MSFT", 0, known=MONDAY + DAY).with_columns(fetched_at=pl.lit(MONDAY + 2 * DAY))
    writer = StoreWriter(source)
    writer.append("bars", fetched)
    writer.append("bars", bar("MSFT", 0, 101.0, known=MONDAY + 3 * DAY))
    writer.append("trades", pl.concat([trade("MSFT", MONDAY)] * 2))
    writer.append("trades", pl.concat([trade("MSFT", MONDAY)] * 3))
    upgrade_store(source, tmp_path / "copy", _silent)
    copies = _parts(tmp_path / "copy")
    assert _by_content(copies).keys() == _by_content(_parts(source)).keys()
    frames = [pl.read_parquet(body, hive_partitioning=False) for body in copies.values()]
    kept = pl.concat([frame for frame in frames if "fetched_at" in frame.columns], how="diagonal")
    assert kept.select("known_at", "fetched_at").rows() == [(MONDAY + DAY, MONDAY + 2 * DAY)]
    assert sorted(f.height for f in frames if f["symbol"][0] == "MSFT" and "price" in f.columns) == [2, 3]


def test_the_history_of_features_is_copied(tmp_path: Path) -> None:
    source = store_of_format_1(tmp_path)
    row = ("AAPL", MONDAY, MONDAY, "store", "f00d", "hedge__atm_iv_30d", 0.25)
    history = pl.DataFrame([row], schema=FEATURE_HISTORY, orient="row")
    StoreWriter(source).append_features(history)
    copied = upgrade_store(source, tmp_path / "copy", _silent)
    assert copied.filter(kind="features").rows() == [("features", 1, 1)]
    part = next((tmp_path / "copy" / "features").rglob("*.parquet"))
    assert pl.read_parquet(part, hive_partitioning=False).equals(history)


@pytest.mark.parametrize("written", range(9))
def test_an_interrupted_copy_is_refused_by_readers_and_finished_by_the_same_call(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, written: int
) -> None:
    target = tmp_path / "copy"

    def until_killed(root: Location, data: Dataset, period: str, rows: pl.DataFrame) -> tuple[Location, bool]:
        if len(_parts(target)) == written:
            raise KeyboardInterrupt
        return write_part(root, data, period, rows)

    def killed(_root: Location) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(upgrading, "write_part", until_killed)
    monkeypatch.setattr(upgrading, "seal_copy", killed)
    with pytest.raises(KeyboardInterrupt):
        upgrade_store(STORE, target, _silent)
    assert len(_parts(target)) == written
    for use in (lambda: coverage(target), lambda: StoreWriter(target).append("bars", bar("AAPL", 0))):
        with pytest.raises(DataError, match=r"unfinished copy: repeat `gnosis-ray data upgrade --to "):
            use()
    monkeypatch.undo()
    upgrade_store(STORE, target, _silent)
    assert _by_content(_parts(target)).keys() == _parts(STORE).keys()
    assert coverage(target)["rows"].sum() == sum(STORE_ROWS.values())


def test_a_place_that_holds_a_store_is_refused(tmp_path: Path) -> None:
    older = store_of_format_1(tmp_path)
    current = tmp_path / "current"
    StoreWriter(current).append("bars", bar("AAPL", 0))
    for target in (older, current):
        before = files_of(target)
        with pytest.raises(ConfigError, match="Expected an empty place or an unfinished copy, was a market store"):
            upgrade_store(STORE, target, _silent)
        assert files_of(target) == before
    with pytest.raises(ConfigError, match="was the source"):
        upgrade_store(older, older.parent / "x" / ".." / older.name, _silent)
    with pytest.raises(ConfigError, match="has format 2 already: there is nothing to upgrade"):
        upgrade_store(current, tmp_path / "copy", _silent)
    with pytest.raises(NoDataError, match="is not there"):
        upgrade_store(tmp_path / "nowhere", tmp_path / "copy", _silent)
    assert not (tmp_path / "copy").exists()


def test_a_copy_that_differs_is_not_finished(tmp_path: Path) -> None:
    source, target = store_of_format_1(tmp_path), tmp_path / "copy"
    upgrade_store(source, target, _silent)
    (target / FORMAT_FILE).write_text('{"format": 2, "complete": false}')
    part = next(path for path in target.rglob("*.parquet") if "bars" in path.parts)
    body = part.read_bytes()
    changed = pl.read_parquet(part, hive_partitioning=False).with_columns(pl.col("close") + 0.01)
    changed.write_parquet(part)
    with pytest.raises(IntegrityError, match=rf"{part.name} is not what was written"):
        upgrade_store(source, target, _silent)
    unhashed = part.rename(part.with_name(f"{part.stem.rpartition('-')[0]}.parquet"))
    with pytest.raises(IntegrityError, match=rf"{unhashed.name} differs from its source"):
        upgrade_store(source, target, _silent)
    unhashed.unlink()
    part.write_bytes(body)
    extra = part.with_name("part-0000000000000000.parquet")
    extra.write_bytes(body)
    with pytest.raises(DataError, match=r"is not a copy of .*: bars/2026 differs"):
        upgrade_store(source, target, _silent)
    with pytest.raises(DataError, match="unfinished copy"):
        coverage(target)
    extra.unlink()
    upgrade_store(source, target, _silent)
    assert coverage(target).height == len(DATASETS)


def test_a_damaged_source_is_named(tmp_path: Path) -> None:
    source = store_of_format_1(tmp_path)
    part = next((source / "news").rglob("*.parquet"))
    part.write_bytes(part.read_bytes()[:-20])
    with pytest.raises(IntegrityError, match=part.name):
        upgrade_store(source, tmp_path / "copy", _silent)
