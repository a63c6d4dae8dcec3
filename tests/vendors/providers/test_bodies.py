"""An answer is unpacked to what was packed, however it is cut, and no further than allowed."""

from __future__ import annotations

import gzip
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gnosis_ray.clock import monotonic_seconds
from gnosis_ray.errors import ProviderError, TransientError
from gnosis_ray.vendors.providers.bodies import AnswerLimits, read_body

LIMITS = AnswerLimits("example", "example", 1, 5.0)
MIB = 1 << 20


def pieces(body: bytes, size: int) -> Iterator[bytes]:
    return (body[start : start + size] for start in range(0, len(body), size))


def read(raw: Iterator[bytes], encoding: str | None, limits: AnswerLimits = LIMITS) -> bytes:
    return read_body(raw, encoding, "/v1/x", monotonic_seconds(), limits)


@given(st.lists(st.binary(max_size=400), min_size=1, max_size=4), st.integers(1, 50))
def test_members_of_gzip_are_read_however_they_are_cut(members: list[bytes], size: int) -> None:
    packed = b"".join(gzip.compress(member) for member in members)
    assert read(pieces(packed, size), "gzip") == b"".join(members)


@given(st.binary(max_size=2000), st.sampled_from([None, "", "identity", " Identity , identity"]))
def test_what_is_not_packed_is_as_it_was_sent(body: bytes, encoding: str | None) -> None:
    assert read(pieces(body, 7), encoding) == body


@given(st.binary(min_size=1, max_size=400), st.data())
def test_what_breaks_off_may_pass(body: bytes, data: st.DataObject) -> None:
    packed = gzip.compress(body)
    cut = data.draw(st.integers(1, len(packed) - 1))
    with pytest.raises(TransientError, match="cannot be unpacked"):
        read(pieces(packed[:cut], 11), "gzip")


@pytest.mark.parametrize("encoding", ["br", "zstd", "deflate", "gzip, gzip", "br, gzip", "gzip;q=1"])
def test_another_packing_is_not_unpacked(encoding: str) -> None:
    def untouched() -> Iterator[bytes]:
        raise AssertionError("read")
        yield b""

    with pytest.raises(ProviderError, match="Expected gzip, once, or nothing") as told:
        read(untouched(), encoding)
    assert not isinstance(told.value, TransientError)


@pytest.mark.parametrize(("size", "fits"), [(MIB, True), (MIB + 1, False)])
@pytest.mark.parametrize("packed", [False, True])
def test_the_limit_is_the_last_that_fits(size: int, fits: bool, packed: bool) -> None:
    body = b" " * size
    raw = iter([gzip.compress(body) if packed else body])
    encoding = "gzip" if packed else None
    if fits:
        assert read(raw, encoding) == body
    else:
        with pytest.raises(ProviderError, match=r"more than 1 MiB to /v1/x \(providers\.example\.max_answer_mib\)"):
            read(raw, encoding)


def test_no_more_is_taken_than_the_limit_needs() -> None:
    taken = 0

    def endless() -> Iterator[bytes]:
        nonlocal taken
        while True:
            taken += 1
            yield b" " * 1024

    with pytest.raises(ProviderError, match="more than 1 MiB"):
        read(endless(), None)
    assert taken == 1025


@pytest.mark.parametrize("value", [b"{},", b"[],", b"0,", b'"",'])
def test_json_of_too_many_values_is_not_parsed(value: bytes) -> None:
    with pytest.raises(ProviderError, match="JSON values"):
        read(iter([b"[" + value * (MIB // 8 + 1) + b"0]"]), None)


def test_json_as_vendors_write_it_is_parsed() -> None:
    quote = b'{"t":1720000000000000000,"bp":1.25,"bs":3,"ap":1.5,"as":4},'
    body = b"[" + quote * (MIB // len(quote) - 1) + b"0]"
    assert read(iter([body]), None) == body
