"""An object store's promises, and what is made of those it breaks."""

from __future__ import annotations

import pickle
import subprocess
import sys
import traceback
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

import gnosis_ray.storage.object_store
from gnosis_ray.storage.location import S3Url
from gnosis_ray.storage.object_store import BucketBackend, ObjectStoreError, S3Store, short_text
from gnosis_ray.storage.parallel import map_parallel
from tests.support.object_stores import BUCKET, KEY_ID, SECRET, App, answer, honest, serving

CONFLICT = b"<Error><Code>ConditionalRequestConflict</Code><Message>A delete was under way</Message></Error>"
NAMES = ["plain", "a b", "100%", "a%20b", "ü", "#1", "x=1&y=2", "+", "batch-00001.parquet", ".hidden"]


@pytest.fixture
def objects(s3: str, tmp_path: Path) -> BucketBackend:
    """An empty prefix."""
    return BucketBackend(S3Url(BUCKET, tmp_path.name))


@contextmanager
def standing_in(monkeypatch: pytest.MonkeyPatch, app: App) -> Iterator[None]:
    """Another store takes the place of the honest one; what it holds is the same."""
    with serving(app) as address, monkeypatch.context() as patch:
        patch.setenv("AWS_ENDPOINT_URL", address)
        yield


def is_conditional(environ: dict[str, Any]) -> bool:
    return environ["REQUEST_METHOD"] == "PUT" and environ.get("HTTP_IF_NONE_MATCH") == "*"


@pytest.mark.parametrize("name", NAMES)
def test_what_is_put_is_what_is_got_under_any_name(objects: BucketBackend, name: str) -> None:
    deep = f"folder {name}/{name}"
    objects.put(deep, b"1")
    objects.copy(deep, name)
    assert objects.get(name) == b"1"
    assert objects.names("") == sorted([name, deep])
    assert objects.children("") == sorted([name, f"folder {name}"])
    assert objects.names(f"folder {name}") == [name]
    objects.delete([deep, name, "never was"])
    assert (objects.names(""), objects.exists(name)) == ([], False)


def test_a_large_object_is_one_request(objects: BucketBackend) -> None:
    body = bytes(range(256)) * 40_000
    objects.put("large", body)
    assert objects.get("large") == body


def test_a_folder_holds_no_names_of_its_neighbours(objects: BucketBackend) -> None:
    for name in ("a/1", "ab/2", "a.b/3"):
        objects.put(name, b"")
    assert objects.names("a") == ["1"]
    assert objects.children("") == ["a", "a.b", "ab"]


def test_what_is_not_there_is_not_found(objects: BucketBackend) -> None:
    for ask in (objects.get, lambda name: objects.copy(name, "other")):
        with pytest.raises(FileNotFoundError, match=r"No object s3://.*/nothing"):
            ask("nothing")
    assert not objects.exists("nothing")
    assert objects.names("nothing") == objects.children("nothing") == []


def test_the_store_itself_refuses_the_second_conditional_put(objects: BucketBackend) -> None:
    bucket, key = S3Store(BUCKET), objects.root.key("one")
    assert bucket.create(key, b"first")
    assert not bucket.create(key, b"second")
    assert not bucket.create(key, b"first")
    assert objects.get("one") == b"first"


def test_of_many_at_once_one_creates(objects: BucketBackend) -> None:
    for turn in range(10):
        with ThreadPoolExecutor(8) as pool:
            won = list(pool.map(lambda n, t=turn: objects.put_if_absent(f"{t}", b"%d" % n), range(8)))
        assert sum(won) == 1
        assert objects.get(f"{turn}") == b"%d" % won.index(True)


def test_a_request_that_met_itself_has_won(objects: BucketBackend, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[str] = []

    def forgetful(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        if not is_conditional(environ):
            return honest(environ, start_response)
        done = honest(environ, start_response if seen else lambda *_: None)
        seen.append(environ["PATH_INFO"])
        return done if len(seen) > 1 else answer(start_response, "503 Slow Down", b"")

    with standing_in(monkeypatch, forgetful):
        assert objects.put_if_absent("mine", b"me")
    assert len(seen) == 2
    assert objects.get("mine") == b"me"


def test_a_conflict_of_which_nothing_landed_is_tried_again(
    objects: BucketBackend, monkeypatch: pytest.MonkeyPatch
) -> None:
    conflicts = iter([True, True])

    def busy(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        if is_conditional(environ) and next(conflicts, False):
            return answer(start_response, "409 Conflict", CONFLICT)
        return honest(environ, start_response)

    with standing_in(monkeypatch, busy):
        assert objects.put_if_absent("mine", b"me")
    assert objects.get("mine") == b"me"


def test_a_store_that_always_conflicts_is_an_error(objects: BucketBackend, monkeypatch: pytest.MonkeyPatch) -> None:
    def stuck(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        if is_conditional(environ):
            return answer(start_response, "409 Conflict", CONFLICT)
        return honest(environ, start_response)

    with standing_in(monkeypatch, stuck), pytest.raises(ObjectStoreError, match="yet nothing is there"):
        objects.put_if_absent("mine", b"me")


def test_no_error_holds_a_credential(objects: BucketBackend, monkeypatch: pytest.MonkeyPatch) -> None:
    def telling(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        text = f"<AWSAccessKeyId>{KEY_ID}</AWSAccessKeyId><StringToSign>{environ['HTTP_AUTHORIZATION']}</StringToSign>"
        body = f"<Error><Code>SignatureDoesNotMatch</Code><Message>Not {KEY_ID}, {SECRET}</Message>{text}</Error>"
        return answer(start_response, "403 Forbidden", body.encode())

    asked: list[Callable[[], object]] = [
        lambda: objects.get("x"),
        lambda: objects.put("x", b""),
        lambda: objects.put_if_absent("x", b""),
        lambda: objects.copy("x", "y"),
        lambda: objects.names(""),
        lambda: objects.delete(["x"]),
    ]
    with standing_in(monkeypatch, telling):
        for ask in asked:
            with pytest.raises(ObjectStoreError, match="SignatureDoesNotMatch: Not") as caught:
                ask()
            told = "".join(traceback.format_exception(caught.value)) + repr(caught.value)
            assert KEY_ID not in told
            assert SECRET not in told
            assert "Credential=" not in told


def test_a_long_text_is_cut_after_it_was_redacted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SESSION_TOKEN", "tok/en+1")
    shown = short_text("x" * 297 + "tok/en+1" + "y" * 1000)
    assert "tok" not in shown
    assert len(shown) < 310


def test_a_missing_bucket_is_named(s3: str) -> None:
    elsewhere = BucketBackend(S3Url("no-such-bucket", "a"))
    for ask in (elsewhere.get, elsewhere.names, lambda name: elsewhere.put(name, b"")):
        with pytest.raises(ObjectStoreError, match=r"no-such-bucket/a/x.*bucket"):
            ask("x")


def test_a_store_out_of_reach_is_given_up_in_bounded_time(
    objects: BucketBackend, monkeypatch: pytest.MonkeyPatch, s3: str
) -> None:
    assert timedelta(minutes=1) >= gnosis_ray.storage.object_store.RETRY_LIMIT
    monkeypatch.setattr(gnosis_ray.storage.object_store, "MAX_RETRIES", 1)
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    with pytest.raises(ObjectStoreError, match="connect"):
        objects.get("x")


def test_it_travels_without_credentials(objects: BucketBackend) -> None:
    objects.put("x", b"1")
    sent = pickle.dumps(objects)
    assert SECRET.encode() not in sent
    assert pickle.loads(sent).get("x") == b"1"  # noqa: S301  our own bytes


def test_map_parallel_keeps_order_and_raises() -> None:
    assert map_parallel(lambda n: n * 2, range(50)) == list(range(0, 100, 2))
    with pytest.raises(ZeroDivisionError):
        map_parallel(lambda n: 1 // n, [1, 0])


WITHOUT = """
import sys
import gnosis_ray.cli.main, gnosis_ray.ledger.ledger_store, gnosis_ray.data.store
assert "obstore" not in sys.modules, "imported too early"
sys.modules["obstore"] = None
from gnosis_ray.cli.main import run
sys.exit(run(["runs", "list", "--out", "s3://bucket/x"]))
"""


def test_the_library_is_imported_where_it_is_used_and_missed_by_name(tmp_path: Path) -> None:
    done = subprocess.run([sys.executable, "-c", WITHOUT], capture_output=True, text=True, cwd=tmp_path, check=False)
    assert (done.returncode, done.stdout) == (2, ""), done.stderr
    assert "install 'gnosis-ray[s3]'" in done.stderr
    assert "Traceback" not in done.stderr
