"""Symbols that hang, in shared hosts and in hosts of their own, are given up in bounded time, and they alone."""

from __future__ import annotations

from typing import Any

import pytest

from tests.chaos.run_in_subprocess import assert_undisturbed_except_failing_symbols, run_in_subprocess

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(600)]

TIMED_OUT = "timed out: at work for more than 6 s"
REASONS = {
    "hanging": {"SYN2": TIMED_OUT},
    "symbols alone": {"SYN1": "the process at work on it died", "SYN2": TIMED_OUT},
}


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Both on one local Ray."""
    return run_in_subprocess(f"main({list(REASONS)!r})", tmp_path_factory.mktemp("work"))


@pytest.mark.parametrize("name", list(REASONS))
def test_the_ledger_is_undisturbed_except_for_failing_symbols(outcomes: dict[str, Any], name: str) -> None:
    assert_undisturbed_except_failing_symbols(outcomes[name], name)


@pytest.mark.parametrize("name", list(REASONS))
def test_failure_reasons_name_no_process_and_no_machine(outcomes: dict[str, Any], name: str) -> None:
    assert outcomes[name]["reasons"] == REASONS[name]
