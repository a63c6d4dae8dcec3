"""The body of a vendor's answer, read within bounds: bytes, seconds, one content encoding, JSON values.

Clients unpack what arrives without asking how much becomes of it: 2 KiB, packed twice, make gigabytes. So every client
is asked for the bytes as sent, and they are unpacked here, piece by piece.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Self

from gnosis_ray.clock import monotonic_seconds
from gnosis_ray.config import VendorConfig
from gnosis_ray.errors import ProviderError, TransientError

ACCEPT_ENCODING = "gzip"
"""What clients ask for. The standard library unpacks it piece by piece."""

CHUNK = 1 << 16
"""Bytes that are taken at a time, packed or unpacked."""

_BYTES_A_VALUE = 8
"""Of the largest answer allowed. Vendors' answers have 7 to 25 bytes a value; parsed, each takes 50 to 150."""


@dataclass(frozen=True)
class AnswerLimits:
    """The bounds of one answer. ``vendor``: its name in the settings, ``place``: its name in errors."""

    vendor: str
    place: str
    max_mib: int
    timeout_s: float

    @classmethod
    def of(cls, vendor: str, settings: VendorConfig, place: str | None = None) -> Self:
        """As the settings of the vendor say."""
        return cls(vendor, place or vendor, settings.max_answer_mib, settings.timeout_s)

    @property
    def setting(self) -> str:
        """The setting that bounds the size."""
        return f"providers.{self.vendor}.max_answer_mib"

    def too_large(self, path: str) -> ProviderError:
        """The error of an answer that has more bytes than allowed."""
        return ProviderError(
            f"{self.place} sent more than {self.max_mib} MiB to {path} ({self.setting}): not read further"
        )

    def checked_encoding(self, encoding: str | None, path: str) -> str:
        """``gzip``, or an empty text for none. Raises :class:`ProviderError` for another, and for more than one."""
        found = self.one_encoding(encoding, path)
        if found not in ("", "gzip", "x-gzip"):
            raise self._packed_otherwise(found, path)
        return "gzip" if found else ""

    def one_encoding(self, encoding: str | None, path: str) -> str:
        """The only encoding that a client has unpacked, or an empty text. Raises :class:`ProviderError` for several."""
        named = [name for name in (encoding or "").lower().replace(" ", "").split(",") if name not in ("", "identity")]
        if len(named) > 1:
            raise self._packed_otherwise(", ".join(named), path)
        return "".join(named)

    def _packed_otherwise(self, found: str, path: str) -> ProviderError:
        return ProviderError(
            f"{self.place} packed the answer to {path} as {found[:60]!r}: Expected {ACCEPT_ENCODING}, once, or nothing"
        )

    def check_values(self, body: bytes, path: str) -> None:
        """Raise :class:`ProviderError` for JSON of so many values that parsed they would not fit.

        The values are not counted but bounded: each but the first follows a comma or an opening bracket.
        """
        most = (self.max_mib << 20) // _BYTES_A_VALUE
        if len(body) > most and sum(map(body.count, (b",", b"[", b"{"))) > most:
            raise ProviderError(
                f"{self.place} sent more than {most:,} JSON values to {path} ({self.setting} allows one for each "
                f"{_BYTES_A_VALUE} bytes): not read"
            )


def read_body(raw: Iterable[bytes], encoding: str | None, path: str, started: float, limits: AnswerLimits) -> bytes:
    """The body of an answer, unpacked as it arrives.

    ``raw``: its bytes as sent; ``encoding``: its Content-Encoding; ``started``: when the request was sent, in
    :func:`~gnosis_ray.clock.monotonic_seconds`: clients restart their own time-outs with every byte. Raises
    :class:`ProviderError` for more bytes or values than allowed and for another encoding, :class:`TransientError` for
    what takes too long or breaks off while it is unpacked, and what ``raw`` raises.
    """
    packed = limits.checked_encoding(encoding, path)
    most = limits.max_mib << 20
    body = bytearray()
    try:
        for piece in _unpacked(raw) if packed else raw:
            body += piece
            if len(body) > most:
                raise limits.too_large(path)
            if monotonic_seconds() - started > limits.timeout_s:
                raise TransientError(
                    f"{limits.place} sent no whole answer to {path} within {limits.timeout_s:g} s "
                    f"(providers.{limits.vendor}.timeout_s)",
                    cause="ReadTimeout",
                )
    except (zlib.error, EOFError) as error:
        raise TransientError(
            f"{limits.place}: the answer to {path} cannot be unpacked: {error}", cause=type(error).__name__
        ) from error
    whole = bytes(body)
    limits.check_values(whole, path)
    return whole


def _unpacked(raw: Iterable[bytes]) -> Iterator[bytes]:
    """The pieces of a gzip stream of one or more members (RFC 1952), none larger than :data:`CHUNK`."""
    member, began = zlib.decompressobj(wbits=31), False
    for chunk in raw:
        left, began = chunk, began or bool(chunk)
        while left:
            if member.eof:
                member = zlib.decompressobj(wbits=31)
            yield member.decompress(left, CHUNK)
            left = member.unconsumed_tail or member.unused_data
    yield member.flush()
    if began and not member.eof:
        raise EOFError("it ends before its end mark")
