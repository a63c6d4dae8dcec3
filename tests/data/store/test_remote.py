"""A store that was copied to an object store reads there as it does here."""

from __future__ import annotations

import pickle
import traceback
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from polars.testing import assert_frame_equal

import gnosis_ray.storage.parquet
from gnosis_ray.data.store import StoreSource, StoreWriter, coverage
from gnosis_ray.errors import IntegrityError, NoDataError, ResourceError
from gnosis_ray.storage.location import S3Url
from gnosis_ray.storage.object_store import BucketBackend
from tests.data.store.frames import DAY, HOUR, MINUTE, MONDAY, bar, bars, chain, headline, keys, local, quote, trade
from tests.support.object_stores import BUCKET, KEY_ID, SECRET, answer, honest, serving

Read = Callable[[StoreSource, pl.DataFrame], pl.DataFrame]
READS: dict[str, Read] = {
    "chains": lambda source, wanted: source.raw_chains(wanted),
    "bars": lambda source, wanted: source.bars(wanted, 3),
    "trades": lambda source, wanted: source.trades(wanted, 5),
    "quotes": lambda source, wanted: source.quotes(wanted, 60),
    "news": lambda source, wanted: source.news(wanted, 24),
}
KEYS = {
    "one": keys(("AAPL", MONDAY)),
    "before": keys(("AAPL", MONDAY - MINUTE), ("MSFT", MONDAY - MINUTE)),
    "panel": keys(*((symbol, MONDAY + n * DAY) for symbol in ("AAPL", "BRK.B", "MSFT") for n in range(4))),
    "unknown": keys(("NONE", MONDAY)),
    "none": keys(),
}


@pytest.fixture
def market(tmp_path: Path) -> Path:
    """All kinds, in several parts, with prints that repeat and a day that was told twice."""
    writer = StoreWriter(tmp_path / "a market")
    for day in range(3):
        now = MONDAY + day * DAY
        writer.append("chains", pl.concat([chain("AAPL", now), chain("BRK.B", now)]))
        writer.append("bars", pl.concat([bar("AAPL", day), bar("BRK.B", day)]))
        writer.append("trades", pl.concat([trade("AAPL", now - MINUTE), trade("AAPL", now), trade("AAPL", now)]))
        writer.append("quotes", quote("AAPL", now))
        writer.append("news", headline("AAPL", now - HOUR, "Läuft", f"day {day}"))
    writer.append("bars", bars("MSFT", 4))
    writer.append("trades", trade("AAPL", MONDAY))
    return local(writer.root)


@pytest.fixture
def remote(s3: str, market: Path) -> S3Url:
    """The same files under a prefix."""
    url = S3Url(BUCKET, f"{market.parent.name}/a market")
    for path in market.rglob("*.parquet"):
        BucketBackend(url).put(path.relative_to(market).as_posix(), path.read_bytes())
    return url


def test_the_rows_are_those_of_the_folder(market: Path, remote: S3Url) -> None:
    folder, bucket = StoreSource(market), StoreSource(remote)
    for kind, read in READS.items():
        for asked, wanted in KEYS.items():
            here = read(folder, wanted)
            assert_frame_equal(read(bucket, wanted), here, check_exact=True)
            unseen = asked in ("unknown", "none") or (asked == "before" and kind not in ("trades", "news"))
            assert here.is_empty() == unseen, (kind, asked)


def test_the_coverage_and_the_latest_moment_are_those_of_the_folder(market: Path, remote: S3Url) -> None:
    assert_frame_equal(coverage(remote), coverage(market))
    late = MONDAY + 99 * DAY
    assert StoreSource(remote).default_as_of(late) == StoreSource(market).default_as_of(late)


def test_footers_longer_than_the_first_guess_are_fetched_whole(
    market: Path, remote: S3Url, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gnosis_ray.storage.parquet, "TAIL_BYTES", 64)
    assert_frame_equal(coverage(remote), coverage(market))


def test_it_travels(remote: S3Url) -> None:
    sent = pickle.dumps(StoreSource(remote))
    assert SECRET.encode() not in sent
    assert not pickle.loads(sent).bars(KEYS["one"], 3).is_empty()  # noqa: S301  our own bytes


def test_parts_that_come_later_are_seen(market: Path, remote: S3Url) -> None:
    source = StoreSource(remote)
    assert source.bars(keys(("ZZZ", MONDAY)), 1).is_empty()
    (part,) = StoreWriter(market).append("bars", bar("ZZZ", 0)).parts
    BucketBackend(remote).put(local(part).relative_to(market).as_posix(), local(part).read_bytes())
    BucketBackend(remote).put(f"bars/event_year=2026/.{part.name}.tmp", b"no part")
    assert source.bars(keys(("ZZZ", MONDAY)), 1).height == 1


def test_written_there_it_is_the_same_parts_and_bytes(s3: str, market: Path, tmp_path: Path) -> None:
    url = S3Url(BUCKET, f"written/{tmp_path.name}")
    folder = tmp_path / "here"
    for place in (url, folder):
        writer = StoreWriter(place)
        for day in range(3):
            writer.append("chains", chain("AAPL", MONDAY + day * DAY))
        writer.append("bars", bars("MSFT", 300))
        again = writer.append("bars", bars("MSFT", 300))
        assert (again.written, again.known) == (0, 300)
        new = writer.append_new("bars", bars("MSFT", 301), MONDAY + 301 * DAY)
        assert (new.written, new.known) == (1, 300)
    names = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
    assert BucketBackend(url).names("") == names
    assert len(names) == 7
    assert names[-1] == "format.json"
    for name in names:
        assert BucketBackend(url).get(name) == (folder / name).read_bytes()


def test_a_store_that_refuses_a_part_is_named(s3: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ResourceError, match=r"s3://no-such-bucket/x/format\.json: there is no such bucket"):
        StoreWriter(S3Url("no-such-bucket", "x")).append("bars", bars("MSFT", 1))
    monkeypatch.setattr("gnosis_ray.data.store.catalog.require_format", lambda _root: None)
    monkeypatch.setattr("gnosis_ray.data.store.catalog.list_parts", lambda *_: [])
    monkeypatch.setattr("gnosis_ray.data.store.catalog.Catalog.require_some", lambda _self: None)
    monkeypatch.setattr("gnosis_ray.data.store.writer.state_format", lambda _root: None)
    with pytest.raises(ResourceError, match=r"s3://no-such-bucket/.*event_year="):
        StoreWriter(S3Url("no-such-bucket", "x")).append("bars", bars("MSFT", 1))


def test_an_empty_prefix_a_missing_bucket_and_a_damaged_part_are_named(s3: str, remote: S3Url) -> None:
    with pytest.raises(NoDataError, match=r"s3://.*/nothing holds no market data"):
        coverage(remote / "nothing")
    with pytest.raises(ResourceError, match="no-such-bucket"):
        coverage(S3Url("no-such-bucket", "x"))
    BucketBackend(remote).put("bars/event_year=2026/part-0.parquet", b"PAR1 and nothing else")
    with pytest.raises(IntegrityError, match=r"event_year=2026/part-0\.parquet"):
        StoreSource(remote).bars(KEYS["one"], 3)


def test_no_error_of_a_scan_holds_a_credential(remote: S3Url, monkeypatch: pytest.MonkeyPatch) -> None:
    source = StoreSource(remote)
    assert not source.bars(KEYS["one"], 3).is_empty()

    def telling(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        if environ["REQUEST_METHOD"] == "GET" and "list-type" in environ["QUERY_STRING"]:
            return honest(environ, start_response)
        text = f"{KEY_ID} {SECRET} {environ['HTTP_AUTHORIZATION']}"
        body = f"<Error><Code>AccessDenied</Code><Message>Denied</Message><Told>{text}</Told></Error>"
        return answer(start_response, "403 Forbidden", body.encode())

    with serving(telling) as address, monkeypatch.context() as patch:
        patch.setenv("AWS_ENDPOINT_URL", address)
        with pytest.raises(ResourceError, match="Cannot read dataset bars") as caught:
            source.bars(KEYS["one"], 3)
    told = "".join(traceback.format_exception(caught.value))
    for secret in (KEY_ID, SECRET, "Signature="):
        assert secret not in told
