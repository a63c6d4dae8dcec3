"""The one redaction: masks what might be a credential in a text that people read, such as an error or a log line."""

from __future__ import annotations

import os
import re

from pydantic import SecretStr

MASK = "***REDACTED***"

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
_IN_ADDRESSES = "|".join(("key", "key[-_]?id", "auth", "sig", "signature", "awsaccesskeyid", "x-amz-[a-z-]+"))
"""Query parameters; elsewhere these words have other meanings."""
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
    re.compile(r"(\bAWS4-HMAC-SHA256\s+)Credential=.*?Signature=[0-9a-f]+"),
    re.compile(rf"(?i)([?&;](?:{_IN_ADDRESSES})=)[^&#\s\"'<>]+"),
    re.compile(rf"(?i)(\b(?:{_NAMES}){_QUOTE}\s*[=:]\s*{_QUOTE}{_SCHEME})[^&#\s\"'<>,;)}}\]]+"),
    re.compile(rf"(?i)(\b(?:{_HEADERS}){_QUOTE}\s*[:=,]\s*(?:b(?=[\"']))?{_QUOTE}{_SCHEME})[^\s\"',;)}}\]]+"),
    re.compile(r"(?i)(\bbearer\s+)[A-Za-z0-9._~+/=-]{8,}"),
    re.compile(r"(?i)(\b[a-z][a-z0-9+.-]*://)[^/@\s]+(?=@)"),
    re.compile(r"()\b(?:AKIA|ASIA|AROA|AIDA)[A-Z0-9]{8,}\b"),
)
_ENVIRONMENT = re.compile(r"AWS_.*(KEY|SECRET|TOKEN|CREDENTIAL)", re.IGNORECASE)
"""Environment variables whose values are credentials of an object store."""
_MIN_ENVIRONMENT_LENGTH = 4
_MIN_LENGTH = 8
"""A shorter one is masked only where it looks like a key: it may be a word of any text, and no vendor gives such."""

_handed_out: set[str] = set()


def never_show(secret: SecretStr) -> None:
    """From now on, :func:`redacted` masks this value wherever it occurs, in this process."""
    value = secret.get_secret_value()
    if len(value) >= _MIN_LENGTH:
        _handed_out.add(value)


def redacted(text: str) -> str:
    """``text`` with :data:`MASK` for every known credential, and for what looks like one.

    Known are the keys given to :func:`never_show` and the values of this process's ``AWS_*`` credential variables.
    Looks like one: parameters such as ``apiKey=`` in an address, its user and password, the values of ``Authorization``
    and of the vendors' own key headers, bearer tokens, access key ids and signatures of AWS.
    """
    for value in sorted(_handed_out | _in_environment(), key=len, reverse=True):
        text = text.replace(value, MASK)
    for pattern in _PATTERNS:
        text = pattern.sub(rf"\g<1>{MASK}", text)
    return text


def _in_environment() -> set[str]:
    """Read at each call: the client of an object store reads the environment as late."""
    named = {value for name, value in os.environ.items() if _ENVIRONMENT.match(name)}
    return {value for value in named if len(value) >= _MIN_ENVIRONMENT_LENGTH}
