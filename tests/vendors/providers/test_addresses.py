"""Which addresses are a vendor's own."""

from __future__ import annotations

import pytest

from gnosis_ray.errors import ConfigError, ProviderError
from gnosis_ray.vendors.providers.addresses import OwnHosts, checked_base_url

YAHOO = OwnHosts("yahoo", frozenset({"yahoo.com"}))


@pytest.mark.parametrize(
    "url",
    [
        "https://vendor.example",
        "https://vendor.example:8443/replay/",
        "http://127.0.0.1:81",
        "http://127.8.8.8",
        "http://[::1]:81/x",
        "http://localhost:81",
    ],
)
def test_https_is_a_base_url_and_http_on_this_machine(url: str) -> None:
    assert checked_base_url("cboe", url) == url


@pytest.mark.parametrize(
    "url",
    [
        "",
        "vendor.example",
        "https://",
        "https://:80",
        "https://me@vendor.example",
        "https://me:pw@vendor.example",
        "https://vendor.example:port",
        "https://vendor.example\n",
        "http://vendor.example",
        "http://10.0.0.1",
        "http://127.0.0.1.vendor.example",
        "http://localhost.vendor.example",
        "ftp://127.0.0.1",
        "file:///etc/passwd",
        "https://[::1",
    ],
)
def test_anything_else_is_none_and_is_not_shown(url: str) -> None:
    with pytest.raises(ConfigError, match=r"providers\.cboe\.base_url") as told:
        checked_base_url("cboe", url)
    assert "pw" not in str(told.value)


@pytest.mark.parametrize(
    "url", ["https://yahoo.com/", "https://query2.finance.yahoo.com/v8", "https://CONSENT.Yahoo.com"]
)
def test_hosts_below_a_vendors_own_are_its_own(url: str) -> None:
    YAHOO.require(url)


@pytest.mark.parametrize(
    "url",
    [
        "http://yahoo.com/",
        "https://yahoo.com.evil.example/",
        "https://evilyahoo.com/",
        "https://yahoo.com@evil.example/",
        "https://evil.example/?yahoo.com",
        "https://evil.example#yahoo.com",
        "https://evil.example\\@yahoo.com/",
        "https://evil.example\\.yahoo.com/",
        "https://me@yahoo.com/",
        "https://yahoo.com/\n",
        "//yahoo.com/",
        "file:///yahoo.com",
        "https://",
    ],
)
def test_no_other_host_is_asked(url: str) -> None:
    with pytest.raises(ProviderError, match=r"Expected an https address at yahoo\.com"):
        YAHOO.require(url)


def test_a_base_url_is_the_only_host() -> None:
    hosts = OwnHosts.of("massive", "massive", "https://mirror.example/massive", ["api.massive.com"])
    hosts.require("https://mirror.example/massive/v3/trades")
    with pytest.raises(ProviderError):
        hosts.require("https://api.massive.com/v3/trades")
