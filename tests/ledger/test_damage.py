"""Damage to a ledger: whatever bit flips and whatever is lost, it is said, and mended where that can be."""

from __future__ import annotations

import random
import shutil
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from gnosis_ray.errors import FormatError, IntegrityError
from gnosis_ray.ledger.ledger_store import LedgerStore
from gnosis_ray.ledger.tables import TABLES
from gnosis_ray.schemas.run_schemas import content_digest
from tests.ledger.ledger_backends import BucketLedger, FolderLedger, LedgerBackend
from tests.ledger.samples import NOON, manifest, run_receipt, store, without_digests, write

RUN = manifest("20260712T120000-1f3a")


@pytest.fixture(params=["folder", "bucket"])
def backend(request: pytest.FixtureRequest, tmp_path: Path) -> LedgerBackend:
    if request.param == "folder":
        return FolderLedger(tmp_path / "ledger")
    request.getfixturevalue("s3")
    return BucketLedger.at(tmp_path)


@pytest.fixture
def ledger(backend: LedgerBackend) -> LedgerStore:
    """A ledger with one sealed run."""
    sealed = store(backend.root)
    writer = sealed.begin(RUN)
    for batch in RUN.batches():
        write(writer, batch)
    digest = content_digest(list(writer.committed().values()))
    writer.seal(run_receipt(RUN, content_digest=digest))
    return store(backend.root)


def everything(root: object) -> dict[str, pl.DataFrame]:
    """All that readers see."""
    fresh = store(root)  # type: ignore[arg-type]
    found = {table: fresh.read(table) for table in TABLES}
    assert len(list(fresh.stream())) == found["snapshots"].height
    assert fresh.manifest("latest") == RUN
    return found


def assert_same(found: dict[str, pl.DataFrame], expected: dict[str, pl.DataFrame]) -> None:
    for table, frame in expected.items():
        assert_frame_equal(found[table], frame)


def shown(backend: LedgerBackend) -> list[str]:
    """The files that readers look into."""
    return [name for name in backend.files() if "/." not in name]


def test_of_every_flipped_bit_something_is_said_or_nothing_is_read_otherwise(tmp_path: Path) -> None:
    backend = FolderLedger(tmp_path / "ledger")
    writer = store(backend.root).begin(RUN)
    for batch in RUN.batches():
        write(writer, batch)
    writer.seal(run_receipt(RUN, content_digest=content_digest(list(writer.committed().values()))))
    expected, chance = everything(backend.root), random.Random(7)  # noqa: S311
    said: dict[str, int] = {}
    named = 0
    for name in shown(backend):
        body = backend.files(name.rpartition("/")[0])[name]
        for _ in range(12):
            flipped = bytearray(body)
            flipped[chance.randrange(len(body))] ^= 1 << chance.randrange(8)
            backend.corrupt(name, bytes(flipped))
            try:
                found = everything(backend.root)
            except (IntegrityError, FormatError) as error:  # a format can become another one
                named += backend.root.as_posix() in str(error)
                said[name.partition("/")[0]] = said.get(name.partition("/")[0], 0) + 1
            else:
                assert_same(found, expected)
            finally:
                backend.corrupt(name, body)
    for table in (*RUN.tables, "manifests"):  # of a receipt only what changes a value is noticed
        assert said[table] >= 12, f"{table}: {said}"
    assert named == sum(said.values())
    assert_same(everything(backend.root), expected)


def test_a_marker_that_is_lost_is_missed_and_restored(backend: LedgerBackend, ledger: LedgerStore) -> None:
    expected, before = everything(backend.root), backend.files()
    marker = next(name for name in shown(backend) if name.startswith("commits/") and name.endswith("batch-00001"))
    backend.remove(marker)
    for read in (
        lambda: ledger.read("snapshots"),
        lambda: list(ledger.stream()),
        lambda: ledger.entry("latest", "XOM"),
    ):
        with pytest.raises(IntegrityError, match=r"no marker of batch-00001.*runs repair"):
            read()
    assert store(backend.root).verify(RUN.run_id).status == "damaged"
    done = store(backend.root).repair(RUN.run_id)
    assert (done.restored, done.set_aside) == ([marker], [])
    assert done.after is not None
    assert done.after.status == "whole"
    assert_same(everything(backend.root), expected)
    assert {name: body for name, body in backend.files().items() if name != marker} == {
        name: body for name, body in before.items() if name != marker
    }


def test_a_part_of_another_batch_is_not_read_as_this_one_s(backend: LedgerBackend, ledger: LedgerStore) -> None:
    parts = [name for name in shown(backend) if name.startswith("snapshots/")]
    backend.corrupt(parts[0], backend.files("snapshots")[parts[1]])
    with pytest.raises(IntegrityError, match=r"batch-00000\.parquet is not what was written.*runs verify"):
        ledger.read("snapshots")


@pytest.mark.parametrize("cut", [0, 4, 0.5, 0.99])
@pytest.mark.parametrize("hashed", [True, False])
def test_a_part_that_is_cut_is_named(tmp_path: Path, cut: float, hashed: bool) -> None:
    backend = FolderLedger(tmp_path / "ledger")
    writer = store(backend.root).begin(RUN)
    for batch in RUN.batches():
        write(writer, batch)
    writer.seal(run_receipt(RUN))
    if not hashed:
        without_digests(backend.root)
    name = next(name for name in shown(backend) if name.startswith("suggestions/"))
    body = backend.files("suggestions")[name]
    backend.corrupt(name, body[: int(cut if cut >= 1 else len(body) * cut)])
    for read in (lambda: store(backend.root).read("suggestions"), lambda: list(store(backend.root).stream())):
        with pytest.raises(IntegrityError, match="batch-00000"):
            read()


def test_a_run_of_a_version_without_digests_is_read_and_called_unverified(tmp_path: Path) -> None:
    backend = FolderLedger(tmp_path / "ledger")
    writer = store(backend.root).begin(RUN)
    for batch in RUN.batches():
        write(writer, batch)
    writer.seal(run_receipt(RUN))
    without_digests(backend.root)
    found = store(backend.root).verify(RUN.run_id)
    assert (found.status, found.unverified, found.errors) == ("unverified", found.parts, [])
    assert everything(backend.root)["snapshots"].height == 5


@pytest.mark.parametrize("folder", ["manifests", "commits"])
def test_a_folder_that_is_gone_is_named_and_restored(tmp_path: Path, folder: str) -> None:
    backend = FolderLedger(tmp_path / "ledger")
    writer = store(backend.root).begin(RUN)
    for batch in RUN.batches():
        write(writer, batch)
    writer.seal(run_receipt(RUN, content_digest=content_digest(list(writer.committed().values()))))
    expected = everything(backend.root)
    shutil.rmtree(backend.root / folder)
    with pytest.raises(IntegrityError, match=f"runs repair {RUN.run_id}"):
        store(backend.root).read("trade_ideas")
    with pytest.raises(IntegrityError, match=f"runs repair {RUN.run_id}"):
        store(backend.root).read("trade_ideas", RUN.run_id)
    (listed,) = store(backend.root).overview()
    assert isinstance(listed.error, IntegrityError)
    done = store(backend.root).repair(RUN.run_id)
    assert (len(done.restored), done.set_aside) == (1 if folder == "manifests" else 4, [])
    assert_same(everything(backend.root), expected)


Damage = Callable[[LedgerBackend, str, bytes], None]


@pytest.mark.parametrize(
    "damage",
    [
        lambda backend, name, body: backend.corrupt(name, body[:-1] + b"?"),
        lambda backend, name, _body: backend.remove(name),
    ],
    ids=["changed", "lost"],
)
def test_a_damaged_part_is_set_aside_and_a_resume_makes_it_anew(
    backend: LedgerBackend, ledger: LedgerStore, damage: Damage
) -> None:
    expected = everything(backend.root)
    name = next(name for name in shown(backend) if name.startswith("details/") and "batch-00002" in name)
    damage(backend, name, backend.files("details")[name])
    done = store(backend.root).repair(RUN.run_id)
    assert (done.restored, done.set_aside) == ([], [2])
    assert done.after is not None
    assert done.after.status == "cut off"
    assert [one.symbol for one in store(backend.root).stream()] == list(RUN.symbols[:4])
    again = store(backend.root).resume("latest")
    missing = [batch for batch in RUN.batches() if batch.index not in again.committed()]
    assert [batch.index for batch in missing] == [2]
    write(again, missing[0])
    again.seal(run_receipt(RUN, content_digest=content_digest(list(again.committed().values()))))
    assert_same(everything(backend.root), expected)
    assert store(backend.root).verify(RUN.run_id).status == "whole"


def test_a_marker_that_is_damaged_in_a_run_without_an_end_is_computed_anew(backend: LedgerBackend) -> None:
    writer = store(backend.root).begin(RUN)
    for batch in RUN.batches()[:2]:
        write(writer, batch)
    backend.corrupt(writer.partition.marker(1), b'{"batch":1}')
    with pytest.raises(IntegrityError, match="batch-00001"):
        store(backend.root).resume("latest").committed()
    assert store(backend.root).repair(RUN.run_id).set_aside == [1]
    again = store(backend.root).resume("latest")
    assert sorted(again.committed()) == [0]
    write(again, RUN.batches()[1])
    assert [one.symbol for one in store(backend.root).stream()] == list(RUN.symbols[:4])


def test_a_receipt_that_cannot_be_read_is_set_aside_and_a_resume_seals_anew(
    backend: LedgerBackend, ledger: LedgerStore
) -> None:
    expected = everything(backend.root)
    name = next(name for name in shown(backend) if name.startswith("runs/"))
    backend.corrupt(name, backend.files("runs")[name][:-9])
    with pytest.raises(IntegrityError, match="runs verify"):
        store(backend.root).read("snapshots")
    done = store(backend.root).repair(RUN.run_id)
    assert (done.restored, done.set_aside, done.unsealed) == ([], [], True)
    again = store(backend.root).resume("latest")
    assert sorted(again.committed()) == [0, 1, 2]
    again.seal(run_receipt(RUN, content_digest=content_digest(list(again.committed().values()))))
    assert_same(everything(backend.root), expected)


def test_a_repair_of_what_is_whole_changes_nothing(backend: LedgerBackend, ledger: LedgerStore) -> None:
    before = backend.files()
    done = ledger.repair(RUN.run_id)
    assert (done.restored, done.set_aside) == ([], [])
    assert backend.files() == before


def test_without_manifest_and_copy_nothing_is_mended(backend: LedgerBackend, ledger: LedgerStore) -> None:
    for name in shown(backend):
        if name.endswith("manifest.json"):
            backend.remove(name)
    with pytest.raises(IntegrityError, match=r"nothing of it can be mended\. Scan anew"):
        store(backend.root).repair(RUN.run_id)
    assert store(backend.root).verify(RUN.run_id).status == "damaged"


def test_the_latest_run_is_the_one_sealed_last_whatever_its_clock_said(backend: LedgerBackend) -> None:
    ledger = store(backend.root)
    for run_id in ("20990101T000000-aaaa", "20260712T120000-bbbb"):  # the first on a machine with a wrong clock
        run = manifest(run_id)
        writer = ledger.begin(run)
        for batch in run.batches():
            write(writer, batch)
        writer.seal(run_receipt(run, started_at=NOON))
    open_run = manifest("20270101T000000-cccc")
    ledger.begin(open_run)
    assert store(backend.root).manifest("latest").run_id == "20260712T120000-bbbb"
    assert store(backend.root).read("snapshots", "latest")["run_id"].unique().to_list() == ["20260712T120000-bbbb"]
    assert store(backend.root).find_to_resume("latest") == open_run.run_id
