"""Errors survive the trip between processes."""

from __future__ import annotations

import errno
import pickle

import pytest

from gnosis_ray import errors
from gnosis_ray.errors import (
    ChainError,
    DataError,
    GnosisError,
    IntegrityError,
    LedgerError,
    NoDataError,
    ProviderError,
    ResourceError,
    StageError,
    TransientError,
    exit_code_of,
    is_exhausted,
    nearest_hint,
    require_no_fault_of_machine,
    text_of,
)

ALL = [one for one in vars(errors).values() if isinstance(one, type) and issubclass(one, GnosisError)]
CODES = {
    "GnosisError": 1,
    "ConfigError": 2,
    "UniverseError": 2,
    "DataError": 4,
    "NoDataError": 4,
    "SchemaError": 4,
    "ChainError": 4,
    "ProviderError": 4,
    "TransientError": 4,
    "StageError": 3,
    "LedgerError": 2,
    "FormatError": 2,
    "ClusterError": 5,
    "IntegrityError": 6,
    "ResourceError": 7,
}


def _parts(error: GnosisError) -> tuple[object, ...]:
    return (type(error), error.message, error.symbol, error.stage, error.cause, error.args, str(error))


@pytest.mark.parametrize("cls", ALL)
@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_every_error_pickles_whole(cls: type[GnosisError], protocol: int) -> None:
    error = cls("Expected a positive strike, was -5.0", symbol="AAPL", stage="hedge", cause="ValueError")
    copy = pickle.loads(pickle.dumps(error, protocol))  # noqa: S301  our own bytes
    assert _parts(copy) == _parts(error)
    bare = pickle.loads(pickle.dumps(cls("nothing else"), protocol))  # noqa: S301
    assert _parts(bare) == _parts(cls("nothing else"))


@pytest.mark.parametrize("cls", ALL)
def test_every_error_has_its_exit_code(cls: type[GnosisError]) -> None:
    assert cls.exit_code == CODES[cls.__name__]
    assert set(CODES) == {error.__name__ for error in ALL}


@pytest.mark.parametrize("cls", ALL)
def test_wrap_keeps_what_happened(cls: type[GnosisError]) -> None:
    wrapped = cls.wrap(KeyError("strike"), symbol="MSFT", stage="trade")
    assert _parts(pickle.loads(pickle.dumps(wrapped))) == _parts(wrapped)  # noqa: S301
    assert (type(wrapped), wrapped.message, wrapped.cause) == (cls, "KeyError: 'strike'", "KeyError")
    assert (wrapped.symbol, wrapped.stage) == ("MSFT", "trade")


def test_wrap_of_a_typed_error_keeps_its_message_and_does_not_repeat_the_symbol() -> None:
    wrapped = StageError.wrap(ChainError("no strikes", symbol="XOM"), symbol="XOM", stage="hedge")
    assert str(wrapped) == "XOM: no strikes"
    assert wrapped.cause == "ChainError"


def test_wrapping_twice_keeps_the_first_cause() -> None:
    once = StageError.wrap(ZeroDivisionError("division by zero"), symbol="XOM", stage="hedge")
    twice = StageError.wrap(once, symbol="XOM", stage="pipeline")
    assert twice.cause == "ZeroDivisionError"
    assert twice.message == once.message


def test_families_are_caught_by_their_parent() -> None:
    with pytest.raises(DataError, match="AAPL: no spot"):
        raise ChainError("no spot", symbol="AAPL")
    assert not issubclass(LedgerError, DataError)


def test_the_wish_of_a_vendor_survives_the_trip() -> None:
    error = TransientError("slower, please", symbol="AAPL", status=429, retry_after_s=7.5)
    copy = pickle.loads(pickle.dumps(error))  # noqa: S301
    assert (copy.status, copy.retry_after_s, _parts(copy)) == (429, 7.5, _parts(error))


def test_a_status_names_the_cause_where_nothing_else_does() -> None:
    assert (ProviderError("no").status, ProviderError("no").cause) == (None, None)
    assert ProviderError("no", status=403).cause == "HTTP 403"
    assert ProviderError("no", status=429, cause="RateLimitExceeded").cause == "RateLimitExceeded"
    assert [ProviderError("429", status=status).too_many_requests for status in (None, 400, 429)] == [
        False,
        False,
        True,
    ]


def test_a_hint_names_the_nearest_whatever_its_case() -> None:
    known = ("store", "cboe", "Yahoo")
    assert nearest_hint("CBEO", known) == "Nearest: 'cboe' (of store, cboe, Yahoo)."
    assert nearest_hint("yaho", known) == "Nearest: 'Yahoo' (of store, cboe, Yahoo)."
    assert nearest_hint("", known).startswith("Nearest: ")


def test_a_hint_lists_only_a_few_names() -> None:
    symbols = [f"S{number:03d}" for number in range(500)]
    assert " (of " not in nearest_hint("S12", symbols)
    assert nearest_hint("s120", symbols, 2).startswith("Nearest: 'S120', 'S")
    assert nearest_hint("a", ["b"], 3) == "Nearest: 'b'."
    assert nearest_hint("a", []) == "There is none."


@pytest.mark.parametrize(
    ("error", "raised"),
    [
        (LedgerError("Cannot write"), LedgerError),
        (IntegrityError("is not what was written"), IntegrityError),
        (ResourceError("quota"), ResourceError),
        (OSError(errno.ENOSPC, "No space left on device", "/home/x"), ResourceError),
        (OSError(errno.EDQUOT, "Disk quota exceeded"), ResourceError),
    ],
)
def test_no_symbol_is_at_fault_for_what_the_machine_lacks(error: Exception, raised: type[GnosisError]) -> None:
    with pytest.raises(raised):
        require_no_fault_of_machine(error)


@pytest.mark.parametrize(
    "error", [KeyError("x"), MemoryError(), NoDataError("none"), StageError("no"), FileNotFoundError(2, "no")]
)
def test_a_symbol_may_be_at_fault_for_the_rest(error: Exception) -> None:
    require_no_fault_of_machine(error)


def test_the_text_of_a_file_s_error_names_no_place() -> None:
    assert text_of(FileNotFoundError(errno.ENOENT, "No such file", "/home/me/model.bin")) == "No such file: model.bin"
    assert str(StageError.wrap(PermissionError(13, "denied", "/a/b"), symbol="A", stage="x")).endswith("denied: b")
    assert text_of(OSError("torn")) == "torn"


def test_what_gave_out_is_the_worst_of_what_an_error_was_raised_from() -> None:
    full = LedgerError("Cannot write")
    full.__cause__ = OSError(errno.ENOSPC, "No space left on device")
    damaged = LedgerError("Cannot explain")
    damaged.__cause__ = IntegrityError("no Parquet file")
    hidden = NoDataError("nothing known")
    hidden.__cause__ = KeyError("x")  # handled on purpose: no fault of ours
    for error, code in (
        (full, 7),
        (damaged, 6),
        (hidden, 4),
        (MemoryError(), 7),
        (PermissionError(errno.EACCES, "no"), 1),
        (KeyError("x"), 1),
    ):
        assert exit_code_of(error) == code, error
        assert is_exhausted(error) == (code == 7), error
