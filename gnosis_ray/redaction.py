"""Masks what might be a key in a text that somebody will read: an error, a log line, a vendor's answer."""

from __future__ import annotations

import re

from pydantic import SecretStr

MASK = "***"

_NAMES = "|".join(
    (
        "api[-_]?key",
        "api[-_]?token",
        "access[-_]?token",
        "auth[-_]?token",
        "secret[-_]?key",
        "secret",
        "token",
        "password",
    )
)
_IN_ADDRESSES = "|".join(("key", "key[-_]?id", "auth", "sig", "signature"))
"""Words that stand for something else elsewhere."""
_HEADERS = "|".join(
    (
        "(?:proxy-)?authorization",
        "apca-api-key-id",
        "apca-api-secret-key",
        "x-api-key",
        "(?:set-)?cookie",
    )
)
_QUOTE = "[\"']?"
_SCHEME = r"(?:(?:bearer|basic|token)\s+)?"
_PATTERNS = (
    re.compile(rf"(?i)([?&;](?:{_IN_ADDRESSES})=)[^&#\s\"'<>]+"),
    re.compile(rf"(?i)(\b(?:{_NAMES}){_QUOTE}\s*[=:]\s*{_QUOTE}{_SCHEME})[^&#\s\"'<>,;)}}\]]+"),
    re.compile(rf"(?i)(\b(?:{_HEADERS}){_QUOTE}\s*[:=,]\s*(?:b(?=[\"']))?{_QUOTE}{_SCHEME})[^\s\"',;)}}\]]+"),
    re.compile(r"(?i)(\bbearer\s+)[A-Za-z0-9._~+/=-]{8,}"),
    re.compile(r"(?i)(\b[a-z][a-z0-9+.-]*://)[^/@\s]+(?=@)"),
)
_MIN_LENGTH = 8
"""A shorter one is masked only where it looks like a key: it may be a word of any text, and no vendor gives such."""

_handed_out: set[str] = set()


def never_show(secret: SecretStr) -> None:
    """From now on, :func:`redacted` masks this value wherever it stands, in this process."""
    value = secret.get_secret_value()
    if len(value) >= _MIN_LENGTH:
        _handed_out.add(value)


def redacted(text: str) -> str:
    """``text`` with ``***`` for each key that this process was handed, and for what looks like one.

    Looks like one: parameters such as ``apiKey=`` in an address, its user and password, the values of ``Authorization``
    and of the vendors' own key headers, bearer tokens.
    """
    for value in sorted(_handed_out, key=len, reverse=True):
        text = text.replace(value, MASK)
    for pattern in _PATTERNS:
        text = pattern.sub(rf"\g<1>{MASK}", text)
    return text
