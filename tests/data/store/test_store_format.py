"""A store of format 1 is read as it was recorded; a new one states its format; a newer one is refused by name."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from gnosis_ray.config import Config
from gnosis_ray.data.quality import has_errors, verify
from gnosis_ray.data.store import StoreSource, StoreWriter, coverage
from gnosis_ray.data.store.history import FeatureHistory
from gnosis_ray.data.store.store_format import FORMAT_FILE, STORE_FORMAT, StoreFormat, read_format
from gnosis_ray.errors import ConfigError, DataError, FormatError, IntegrityError, NoDataError, ResourceError
from gnosis_ray.market.calendar import SessionCalendar
from gnosis_ray.market.datasets import DATASETS
from gnosis_ray.schemas.core_schemas import DataKind
from gnosis_ray.storage.digests import without_own_digest
from gnosis_ray.storage.location import Location, S3Url
from gnosis_ray.storage.object_store import BucketBackend
from tests.data.store.frames import DAY, MONDAY, bar, keys
from tests.support.object_stores import BUCKET
from tests.support.recorded import FORMAT_1, STORE_ROWS, digest_of, files_of, store_of_format_1

STORE = FORMAT_1 / "store"
LATER = datetime(2026, 7, 13, 21, tzinfo=UTC)
NEWER = b'{"format": 3, "of_the_future": 1}'


def _recorded(kind: str) -> pl.DataFrame:
    """The rows that lie in the files, with every column that engines read."""
    parts = [pl.read_parquet(path, hive_partitioning=False) for path in sorted((STORE / kind).rglob("*.parquet"))]
    return pl.concat([pl.DataFrame(schema=DATASETS[_kind(kind)].schema), *parts], how="diagonal")


def _kind(name: str) -> DataKind:
    return next(kind for kind in DATASETS if kind == name)


def _same_rows(found: pl.DataFrame, recorded: pl.DataFrame, names: list[str]) -> bool:
    return found.select(names).sort(names).equals(recorded.select(names).sort(names))


def test_the_recorded_store_is_never_rewritten() -> None:
    assert digest_of(STORE) == "1807c48f6e115ffb"


@pytest.mark.parametrize("kind", STORE_ROWS)
def test_every_recorded_row_is_read(kind: str) -> None:
    source, recorded = StoreSource(STORE), _recorded(kind)
    wanted = keys(("AAPL", LATER))
    if kind == "chains":  # each snapshot by its own moment
        moments = recorded["event_time"].unique().sort()
        read = source.raw_chains(keys(*(("AAPL", moment + timedelta(hours=1)) for moment in moments)))
    else:
        days = timedelta(days=30)
        read = {
            "bars": lambda: source.bars(wanted, 100),
            "trades": lambda: source.trades(wanted, days // timedelta(minutes=1)),
            "quotes": lambda: source.quotes(wanted, days // timedelta(minutes=1)),
            "news": lambda: source.news(wanted, days // timedelta(hours=1)),
        }[kind]()
    assert read.height == recorded.height == STORE_ROWS[kind]
    assert _same_rows(read, recorded, DATASETS[_kind(kind)].schema.names())


def test_coverage_and_verification_read_it(config: Config, market_calendar: SessionCalendar) -> None:
    assert dict(coverage(STORE).select("kind", "rows").rows()) == STORE_ROWS
    findings = verify(STORE, config, market_calendar)
    assert not has_errors(findings)
    assert set(findings["kind"]) >= {"chains", "bars"}


def test_reading_changes_no_file(tmp_path: Path) -> None:
    root = store_of_format_1(tmp_path)
    before = files_of(root)
    coverage(root)
    StoreSource(root).bars(keys(("AAPL", LATER)), 9)
    assert files_of(root) == before


def test_it_can_be_appended_to_and_keeps_its_format(tmp_path: Path) -> None:
    root = store_of_format_1(tmp_path)
    before = files_of(root)
    assert StoreWriter(root).append("bars", bar("AAPL", 7)).written == 1
    after = files_of(root)
    assert {name: after[name] for name in before} == before
    assert [Path(name).parent.as_posix() for name in after.keys() - before.keys()] == ["bars/event_year=2026"]
    assert StoreSource(root).bars(keys(("AAPL", LATER)), 100).height == STORE_ROWS["bars"] + 1
    assert read_format(root) == StoreFormat(1, stated=False)


@pytest.fixture(params=["folder", "bucket"])
def root(request: pytest.FixtureRequest, tmp_path: Path) -> Location:
    """Where nothing is yet."""
    if request.param == "folder":
        return tmp_path / "new"
    request.getfixturevalue("s3")
    return S3Url(BUCKET, f"formats/{tmp_path.name}")


def _put(root: Location, body: bytes) -> None:
    if isinstance(root, S3Url):
        BucketBackend(root).put(FORMAT_FILE, body)
    else:
        (root / FORMAT_FILE).write_bytes(body)


def _get(root: Location) -> bytes:
    return BucketBackend(root).get(FORMAT_FILE) if isinstance(root, S3Url) else (root / FORMAT_FILE).read_bytes()


def test_a_new_store_states_its_format_with_its_first_part(root: Location) -> None:
    empty = pl.DataFrame(schema=DATASETS["bars"].schema)
    StoreWriter(root).append("bars", empty)
    assert read_format(root) == StoreFormat(1, stated=False)
    StoreWriter(root).append("bars", bar("AAPL", 0))
    stated = _get(root)
    assert json.loads(without_own_digest(stated, root)[0]) == {"format": STORE_FORMAT}
    StoreWriter(root).append("bars", bar("AAPL", 1))
    assert _get(root) == stated
    assert read_format(root) == StoreFormat(STORE_FORMAT)
    assert StoreSource(root).bars(keys(("AAPL", MONDAY + 2 * DAY)), 9).height == 2


def test_a_newer_store_is_refused_by_name(root: Location) -> None:
    StoreWriter(root).append("bars", bar("AAPL", 0))
    _put(root, NEWER)
    wanted = keys(("AAPL", MONDAY))
    expected = r"The market store .* has format 3; gnosis-ray [\d.]+ reads formats 1 to 2\. Read it with the version"
    for use in (
        lambda: coverage(root),
        lambda: StoreSource(root).bars(wanted, 9),
        lambda: StoreSource(root).raw_chains(wanted),
        lambda: FeatureHistory(root).part_names(wanted, 60),
        lambda: StoreWriter(root).append("bars", bar("AAPL", 1)),
        lambda: StoreWriter(root).append_new("bars", bar("AAPL", 1), MONDAY + DAY),
    ):
        with pytest.raises(FormatError, match=expected):
            use()
    assert _get(root) == NEWER


@pytest.mark.parametrize("body", [b"", b"{", b"[2]", b'"2"', b"\xff"])
def test_a_damaged_format_is_named(tmp_path: Path, body: bytes) -> None:
    root = store_of_format_1(tmp_path)
    _put(root, body)
    with pytest.raises(IntegrityError, match=r'format\.json: Expected {"format": NUMBER}, was .*Put the file back'):
        coverage(root)


def test_a_flipped_bit_in_a_format_is_found(tmp_path: Path) -> None:
    StoreWriter(tmp_path).append("bars", bar("AAPL", 0))
    whole = _get(tmp_path)
    for bit in range(8 * len(whole)):
        at, changed = bit // 8, bytearray(whole)
        changed[at] ^= 1 << bit % 8
        _put(tmp_path, bytes(changed))
        try:
            assert read_format(tmp_path) == StoreFormat(STORE_FORMAT)  # a digest that is none any more says nothing
        except IntegrityError as error:
            assert "format.json" in str(error)  # noqa: PT017


@pytest.mark.parametrize("found", ["{}", '{"format": "2"}', '{"format": 0}', '{"format": true}'])
def test_what_is_no_format_is_refused(tmp_path: Path, found: str) -> None:
    root = store_of_format_1(tmp_path)
    _put(root, found.encode())
    with pytest.raises(IntegrityError, match="Expected a format, a whole number such as 1"):
        coverage(root)


def test_a_file_in_the_place_of_a_store_is_no_store(tmp_path: Path) -> None:
    place = tmp_path / "market"
    place.write_text("in the way")
    assert read_format(place) == StoreFormat(1, stated=False)
    with pytest.raises(NoDataError, match="is not there"):
        coverage(place)
    with pytest.raises(ResourceError, match="market"):
        StoreWriter(place).append("bars", bar("AAPL", 0))
    assert place.read_text() == "in the way"


def test_format_errors_are_neither_missing_data_nor_settings() -> None:
    assert not issubclass(FormatError, DataError | ConfigError)
    assert FormatError.exit_code == 2
