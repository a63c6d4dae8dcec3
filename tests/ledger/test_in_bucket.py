"""What an object store makes hard: no renames, answers that are lost, conditions that are ignored."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from threading import Event
from typing import Any

import pytest

from gnosis_ray.errors import LedgerError, ResourceError
from gnosis_ray.ledger.partition import COMMITS
from gnosis_ray.ledger.run_writer import RunWriter
from gnosis_ray.storage.object_store import BucketBackend, ObjectStoreError
from tests.ledger.ledger_backends import BucketLedger
from tests.ledger.samples import manifest, record, run_receipt, store, write
from tests.support.object_stores import KEY_ID, SECRET, environment, honest, serving

RUN = manifest()
FIRST, SECOND, _ = RUN.batches()
PARTS_AND_CLAIM = 6
"""The changes up to which nobody has won."""


@pytest.fixture
def writer(bucket: BucketLedger) -> RunWriter:
    return store(bucket.root).begin(RUN)


def energies(bucket: BucketLedger) -> set[float]:
    """Of all that can be read: which attempts wrote it."""
    return {one.snapshot.hedge["energy"] for one in store(bucket.root).stream()}


def stages(bucket: BucketLedger) -> set[str]:
    return {name.split("/")[3] for name in bucket.files(COMMITS) if name.count("/") > 3}


def test_a_store_that_ignores_the_condition_is_refused_before_the_first_batch(
    bucket: BucketLedger, monkeypatch: pytest.MonkeyPatch
) -> None:
    def careless(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        environ.pop("HTTP_IF_NONE_MATCH", None)
        return honest(environ, start_response)

    with serving(careless) as address, monkeypatch.context() as patch:
        patch.setenv("AWS_ENDPOINT_URL", address)
        with pytest.raises(LedgerError, match="ignores If-None-Match"):
            store(bucket.root).begin(RUN)


@pytest.mark.parametrize("landed", [True, False])
def test_a_claim_whose_answer_was_lost_keeps_its_stage(
    bucket: BucketLedger, writer: RunWriter, monkeypatch: pytest.MonkeyPatch, landed: bool
) -> None:
    real = BucketBackend.put_if_absent

    def lost(self: BucketBackend, name: str, body: bytes) -> bool:
        if landed:
            real(self, name, body)
        raise ObjectStoreError("timed out")

    with monkeypatch.context() as patch:
        patch.setattr(BucketBackend, "put_if_absent", lost)
        with pytest.raises(ResourceError, match="timed out"):
            write(writer, FIRST, energy=1.0)
    write(writer, FIRST, attempt=2, energy=2.0)
    assert energies(bucket) == {1.0 if landed else 2.0}
    writer.seal(run_receipt(RUN))
    assert stages(bucket) == set()


def test_a_publisher_that_wakes_up_late_changes_nothing(
    bucket: BucketLedger, writer: RunWriter, monkeypatch: pytest.MonkeyPatch
) -> None:
    asleep, awake, real = Event(), Event(), BucketBackend.copy

    def slow(self: BucketBackend, source: str, target: str) -> None:
        if not asleep.is_set():
            asleep.set()
            awake.wait()
        real(self, source, target)

    monkeypatch.setattr(BucketBackend, "copy", slow)
    with ThreadPoolExecutor(1) as pool:
        late = pool.submit(write, writer, FIRST, 1, energy=1.0)
        asleep.wait()
        write(writer, FIRST, attempt=2, energy=2.0)
        before = bucket.files()
        awake.set()
        late.result()
    assert bucket.files() == before
    assert energies(bucket) == {1.0}


def test_a_resume_after_the_winner_died_before_the_marker_publishes_the_winner(
    bucket: BucketLedger, writer: RunWriter, monkeypatch: pytest.MonkeyPatch
) -> None:
    def dead(self: BucketBackend, source: str, target: str) -> None:
        raise ObjectStoreError("gone")

    with monkeypatch.context() as patch:
        patch.setattr(BucketBackend, "copy", dead)
        with pytest.raises(ResourceError, match="gone"):
            write(writer, SECOND, energy=1.0)
    assert energies(bucket) == set()
    resumed = store(bucket.root).resume(RUN.run_id)
    assert list(resumed.committed()) == [SECOND.index]
    assert energies(bucket) == {1.0}


def test_what_may_not_be_deleted_does_no_harm(
    bucket: BucketLedger, writer: RunWriter, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(self: BucketBackend, names: list[str]) -> None:
        raise ObjectStoreError("AccessDenied")

    with monkeypatch.context() as patch:
        patch.setattr(BucketBackend, "delete", refused)
        for batch in RUN.batches():
            write(writer, batch, energy=1.0)
        writer.seal(run_receipt(RUN))
    assert energies(bucket) == {1.0}
    assert len(stages(bucket)) == len(RUN.batches())
    writer.seal(run_receipt(RUN))
    assert stages(bucket) == set()


@pytest.mark.parametrize("last", [3, 6, 7, 9, 12, 13])
def test_a_process_killed_on_the_way_leaves_one_attempt(
    bucket: BucketLedger, writer: RunWriter, s3: str, last: int
) -> None:
    command = [sys.executable, "-m", "tests.ledger.drive", str(bucket.root), str(last)]
    killed = subprocess.run(command, env=os.environ | environment(s3), capture_output=True, text=True, check=False)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    seen = energies(bucket)
    assert seen == ({1.0} if last > BucketLedger.cuts else set())
    write(writer, FIRST, attempt=2, energy=2.0)
    assert energies(bucket) == {1.0 if last > PARTS_AND_CLAIM else 2.0}
    writer.seal(run_receipt(RUN))
    assert stages(bucket) == set()


def test_ledgers_within_one_another_keep_apart(bucket: BucketLedger) -> None:
    inner = bucket.root / "snapshots"
    store(inner).append(record("INNER"))
    store(bucket.root).append(record("OUTER"))
    assert [one.symbol for one in store(bucket.root).stream()] == ["OUTER"]
    assert [one.symbol for one in store(inner).stream()] == ["INNER"]


def test_a_ledger_keeps_no_credentials(bucket: BucketLedger, writer: RunWriter) -> None:
    write(writer, FIRST)
    writer.seal(run_receipt(RUN))
    held = b"".join(bucket.files().values())
    assert KEY_ID.encode() not in held
    assert SECRET.encode() not in held
