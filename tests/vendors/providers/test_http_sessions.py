"""What all clients of vendors share: where they ask, what a refusal means, what is missing."""

from __future__ import annotations

import importlib
import sys

import pytest

from gnosis_ray.config import Config
from gnosis_ray.errors import ConfigError, NoDataError, ProviderError, TransientError
from gnosis_ray.vendors.providers.addresses import rebased
from gnosis_ray.vendors.providers.http_sessions import load_client, refused, retry_after_s
from gnosis_ray.vendors.providers.registry import VENDOR


@pytest.mark.parametrize(
    ("base", "there"),
    [
        ("", "https://query2.finance.yahoo.com/v8/chart/%5ESPX?a=1"),
        ("http://127.0.0.1:81", "http://127.0.0.1:81/v8/chart/%5ESPX?a=1"),
        ("http://127.0.0.1:81/yahoo/", "http://127.0.0.1:81/yahoo/v8/chart/%5ESPX?a=1"),
    ],
)
def test_another_place_gets_the_same_request(base: str, there: str) -> None:
    assert rebased("https://query2.finance.yahoo.com/v8/chart/%5ESPX?a=1", base) == there


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"Retry-After": "2.5"}, 2.5),
        ({"Retry-After": "-3"}, 0.0),
        ({"Retry-After": "soon"}, None),
        ({"Retry-After": "Fri, 10 Jul 2026 20:01:30 GMT", "Date": "Fri, 10 Jul 2026 20:00:00 GMT"}, 90.0),
        ({"Retry-After": "Fri, 10 Jul 2026 20:01:30 GMT"}, None),
    ],
)
def test_how_long_to_wait_is_read_without_a_clock(headers: dict[str, str], seconds: float | None) -> None:
    assert retry_after_s(headers) == seconds


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, ProviderError),
        (401, ProviderError),
        (404, NoDataError),
        (418, TransientError),
        (429, TransientError),
        (500, TransientError),
        (504, TransientError),
    ],
)
def test_only_what_may_pass_is_asked_again(status: int, kind: type[Exception]) -> None:
    error = refused(
        "massive", "https://h/v3/trades/AAPL?apiKey=topsecret9", status, {}, "no: apiKey=x&token=topsecret8"
    )
    assert type(error) is kind
    assert getattr(error, "status", status) == status  # an unknown symbol is no fault of the vendor
    assert f"massive answered {status} to /v3/trades/AAPL" in str(error)
    assert "topsecret" not in str(error)


def test_a_client_that_is_not_installed_says_which_command_installs_it() -> None:
    with pytest.raises(ConfigError, match=r"'yahoo' needs .*no_such_client.* -m pip install 'gnosis-ray\[yahoo\]'"):
        load_client("yahoo", lambda: importlib.import_module("no_such_client"))


@pytest.mark.parametrize(
    ("vendor", "package"), [("yahoo", "yfinance"), ("massive", "massive"), ("alpaca", "alpaca"), ("ccxt", "ccxt")]
)
def test_each_vendor_asks_for_its_client_only_when_it_is_made(
    vendor: str, package: str, config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in [name for name in sys.modules if name.split(".")[0] == package]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, package, None)  # as if it were not installed
    module, _, kind = VENDOR[vendor].place.partition(":")
    maker = getattr(importlib.import_module(f"gnosis_ray.vendors.providers.{module}"), kind)
    keys = [None] * len(VENDOR[vendor].keys)
    with pytest.raises(ConfigError, match=rf"gnosis-ray\[{vendor}\]"):
        maker(getattr(config.providers, vendor), None, *keys)
