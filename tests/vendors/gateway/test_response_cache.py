"""A response is found again as it was received, until it is outdated; what cannot be read is none."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from gnosis_ray.errors import IntegrityError, ResourceError
from gnosis_ray.storage.backend import StorageBackend, open_backend
from gnosis_ray.storage.location import S3Url
from gnosis_ray.vendors.gateway.response_cache import KEPT_FOR, ResponseCache, response_schema
from tests.support.object_stores import BUCKET

NOON = datetime(2026, 7, 10, 12, 0, 0, 1, tzinfo=UTC)
SINCE = NOON - timedelta(days=365)


@pytest.fixture(params=["folder", "bucket"])
def backend(request: pytest.FixtureRequest, tmp_path: Path) -> StorageBackend:
    if request.param == "bucket":
        request.getfixturevalue("s3")
        return open_backend(S3Url(BUCKET, f"cache/{tmp_path.name}"))
    return open_backend(tmp_path / "no[pat]*tern?")


def bars(close: float) -> pl.DataFrame:
    row = {name: close for name, dtype in response_schema("bars").items() if dtype == pl.Float64}
    return pl.DataFrame([{"symbol": "AAPL", "timestamp": NOON, **row}], schema=response_schema("bars"))


def test_the_newest_response_comes_back_equal(backend: StorageBackend) -> None:
    cache = ResponseCache(backend.root)
    assert cache.newest("cboe", "bars", "AAPL") is None
    cache.keep("cboe", "bars", "AAPL", bars(2.0), NOON, SINCE)
    cache.keep("cboe", "bars", "AAPL", bars(1.0), NOON - timedelta(hours=1), SINCE)
    found = ResponseCache(backend.root).newest("cboe", "bars", "AAPL")
    assert found is not None
    assert (found.fetched_at, found.since) == (NOON, SINCE)
    assert_frame_equal(cache.rows(found), bars(2.0))
    assert found.name.startswith("cboe/bars/AAPL/20260710T120000000001-")
    assert backend.exists(found.name)
    for vendor, symbol in (("yahoo", "AAPL"), ("cboe", "AAP"), ("cboe", "MSFT")):
        assert cache.newest(vendor, "bars", symbol) is None


def test_outdated_responses_are_deleted_by_the_next(backend: StorageBackend) -> None:
    cache = ResponseCache(backend.root)
    old = cache.keep("cboe", "bars", "AAPL", bars(1.0), NOON, SINCE)
    other = cache.keep("cboe", "bars", "MSFT", bars(1.0), NOON, SINCE)
    cache.keep("cboe", "bars", "AAPL", bars(2.0), NOON + KEPT_FOR, SINCE)
    assert len(backend.names("cboe/bars/AAPL")) == 2
    cache.keep("cboe", "bars", "AAPL", bars(3.0), NOON + KEPT_FOR + timedelta(seconds=1), SINCE)
    assert len(backend.names("cboe/bars/AAPL")) == 2
    with pytest.raises(ResourceError, match=r"Cannot read what was fetched into .*AAPL"):
        cache.rows(old)
    assert_frame_equal(cache.rows(other), bars(1.0))


def test_what_cannot_be_read_is_passed_over(backend: StorageBackend) -> None:
    cache = ResponseCache(backend.root)
    kept = cache.keep("cboe", "bars", "AAPL", bars(1.0), NOON, SINCE)
    cache.keep("cboe", "bars", "AAPL", bars(2.0).drop("volume"), NOON + timedelta(hours=1), SINCE)
    backend.put("cboe/bars/AAPL/20260711T120000000000.parquet", b"PAR1 damaged")
    backend.put(f"cboe/bars/AAPL/20260711T120000000000-{'0' * 32}.parquet", b"PAR1 damaged")
    backend.put("cboe/bars/AAPL/20260711T130000000000.json", b"{}")
    backend.put("cboe/bars/AAPL/notes.parquet", b"")
    assert cache.newest("cboe", "bars", "AAPL") == kept


def test_a_response_that_has_changed_is_asked_for_again(backend: StorageBackend) -> None:
    cache = ResponseCache(backend.root)
    kept = cache.keep("cboe", "bars", "AAPL", bars(1.0), NOON, SINCE)
    body = backend.get(kept.name)
    backend.put(kept.name, body[:40] + bytes([body[40] ^ 1]) + body[41:])
    assert cache.newest("cboe", "bars", "AAPL") is None
    with pytest.raises(IntegrityError, match=r"AAPL.* is not what was written"):
        cache.rows(kept)
