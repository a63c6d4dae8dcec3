"""The location of a ledger or a market store: a folder, or a prefix of a bucket."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from gnosis_ray.errors import ConfigError
from gnosis_ray.redaction import redacted
from gnosis_ray.schemas.expectations import was

_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+)://(.*)", re.DOTALL)
_COLLAPSED = re.compile(r"s3:/?[^/]")


@dataclass(frozen=True)
class S3Url:
    """A prefix of a bucket on an S3-compatible object store; holds no credentials."""

    bucket: str
    prefix: str = ""
    """Segments joined by ``/``, none at either end; empty for the whole bucket."""

    @classmethod
    def parse(cls, text: str) -> S3Url:
        """From ``s3://bucket/prefix``. Raises :class:`ConfigError` for anything else, and for what no key can hold."""
        scheme, separator, rest = text.partition("://")
        bucket, _, prefix = rest.partition("/")
        prefix = prefix.rstrip("/")
        unusable = any(segment in ("", ".", "..") for segment in prefix.split("/")) if prefix else False
        if scheme != "s3" or not separator or unusable or not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]+", bucket):
            raise ConfigError(f"Expected s3://bucket/prefix, was '{redacted(text)}'")
        return cls(bucket, prefix)

    def __str__(self) -> str:
        return f"s3://{self.bucket}/{self.prefix}".rstrip("/")

    def __truediv__(self, name: str) -> S3Url:
        return S3Url(self.bucket, self.key(name))

    @property
    def name(self) -> str:
        """The last segment; empty for a whole bucket."""
        return self.prefix.rpartition("/")[2]

    @property
    def parent(self) -> S3Url:
        """Without the last segment; a whole bucket is its own."""
        return S3Url(self.bucket, self.prefix.rpartition("/")[0])

    def key(self, name: str) -> str:
        """The object key of a relative name."""
        return f"{self.prefix}/{name}" if self.prefix and name else self.prefix or name


Location = Path | S3Url


def locate(place: str | Location) -> Location:
    """An absolute folder, or the :class:`S3Url` that a text is the address of.

    Raises :class:`ConfigError` for the addresses of other services, and for an address that was made a path, which
    loses a slash.
    """
    if isinstance(place, S3Url):
        return place
    if not isinstance(place, str | Path) or not str(place).strip() or "\0" in str(place):
        raise ConfigError(f"Expected a folder or s3://bucket/prefix, was {was(place)}")
    found = _SCHEME.fullmatch(place) if isinstance(place, str) else None
    if found is not None:
        if found[1].lower() != "s3":
            raise ConfigError(f"Expected a folder or s3://bucket/prefix, was '{redacted(found[0])}'")
        return S3Url.parse(f"s3://{found[2]}")
    if isinstance(place, Path) and _COLLAPSED.match(str(place)):
        raise ConfigError(f"Expected s3://bucket/prefix as text, was the path '{place}'")
    return Path(place).expanduser().absolute()


def resolved(location: Location) -> Location:
    """A folder without ``~``, ``..`` and symbolic links, so that every process means the same; a prefix as it is."""
    return location.expanduser().resolve() if isinstance(location, Path) else location
