"""Where a vendor may be asked: its own hosts alone, over https."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self
from urllib.parse import urlsplit, urlunsplit

from gnosis_ray.errors import ConfigError, ProviderError


def rebased(url: str, base_url: str) -> str:
    """``url`` at another scheme, host and port; as it was where ``base_url`` is empty."""
    if not base_url:
        return url
    base, parts = urlsplit(base_url), urlsplit(url)
    return urlunsplit((base.scheme, base.netloc, base.path.rstrip("/") + parts.path, parts.query, parts.fragment))


def checked_base_url(vendor: str, base_url: str) -> str:
    """``base_url``, if it is one: https and a host; http only to this machine, where nobody listens on the way.

    Raises :class:`ConfigError` naming the setting.
    """
    try:
        parts = urlsplit(base_url)
        host, _ = parts.hostname, parts.port  # a port that is none raises too
    except ValueError:
        parts, host = urlsplit(""), None
    if not host or "@" in parts.netloc or not base_url.isprintable() or not _is_safe(parts.scheme, host):
        raise ConfigError(
            f"Expected https:// and a host, without user and password, as providers.{vendor}.base_url "
            "(http:// only to this machine, such as http://127.0.0.1:8000)"
        )
    return base_url


@dataclass(frozen=True)
class OwnHosts:
    """The hosts of a vendor, and all below them. ``place``: the vendor's name in errors."""

    place: str
    names: frozenset[str]

    @classmethod
    def of(cls, place: str, vendor: str, base_url: str, usual: Iterable[str]) -> Self:
        """The host of ``base_url``, or the ``usual`` ones where it is empty. Raises as :func:`checked_base_url`."""
        if not base_url:
            return cls(place, frozenset(usual))
        return cls(place, frozenset({str(urlsplit(checked_base_url(vendor, base_url)).hostname)}))

    def require(self, url: str) -> None:
        """Raise :class:`ProviderError` for an address that is not the vendor's own, or not https."""
        parts = urlsplit(url)
        host = (parts.hostname or "").lower()
        own = any(host == name or host.endswith(f".{name}") for name in self.names)
        plain = url.isprintable() and "@" not in parts.netloc and "\\" not in url  # what clients read differently
        if not (own and plain and _is_safe(parts.scheme, host)):
            raise ProviderError(
                f"{self.place}: Expected an https address at {' or '.join(sorted(self.names))}, was "
                f"{parts.scheme[:10]}://{host[:80]}: it is not asked"
            )


def _is_safe(scheme: str, host: str) -> bool:
    return scheme == "https" or (scheme == "http" and _is_this_machine(host))


def _is_this_machine(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
