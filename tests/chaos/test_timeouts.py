"""Symbols that hang, in hosts of many symbols and in hosts of their own: given up in bounded time, alone."""

from __future__ import annotations

from typing import Any

import pytest

from tests.chaos.driving import assert_undisturbed_but_for_the_culprits, drive

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(600)]

TIMED_OUT = "timed out: at work for more than 6 s"
REASONS = {
    "hanging": {"SYN2": TIMED_OUT},
    "symbols alone": {"SYN1": "the process at work on it died", "SYN2": TIMED_OUT},
}


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Both on one local Ray."""
    return drive(f"main({list(REASONS)!r})", tmp_path_factory.mktemp("work"))


@pytest.mark.parametrize("name", list(REASONS))
def test_the_ledger_is_that_of_an_undisturbed_run_but_for_the_culprits(outcomes: dict[str, Any], name: str) -> None:
    assert_undisturbed_but_for_the_culprits(outcomes[name], name)


@pytest.mark.parametrize("name", list(REASONS))
def test_culprits_are_named_with_reasons_that_hold_no_process_or_machine(outcomes: dict[str, Any], name: str) -> None:
    assert outcomes[name]["reasons"] == REASONS[name]
