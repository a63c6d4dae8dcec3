"""The gate counts what was skipped, and fails for what it was built for."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.skips import judge, main, note

ABSENT = "tests/realdata/test_x.py::test_y\tno recorded market data at /data: set GNOSIS_RAY_REALDATA"
MISSING = "tests/vendors/test_z.py\tccxt is not installed: pip install 'gnosis-ray[ccxt]'"


def test_recorded_data_may_be_absent() -> None:
    text, allowed = judge([ABSENT, ABSENT, ABSENT.replace("test_y", "test_z")])
    assert allowed
    assert text == "Skipped tests: 2; 2 for: no recorded market data at /data: set GNOSIS_RAY_REALDATA"
    assert judge([]) == ("Skipped tests: 0", True)


def test_any_other_skip_fails_by_name(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "skips.txt"
    file.write_text(f"{ABSENT}\n{MISSING}\n")
    assert main(file) == 1
    assert "tests/vendors/test_z.py: ccxt is not installed" in capsys.readouterr().out
    assert main(tmp_path / "nothing was skipped") == 0


def test_skipped_tests_and_modules_are_noted_with_their_reasons(tmp_path: Path) -> None:
    at_test = pytest.TestReport(
        "tests/test_a.py::test_b",
        ("tests/test_a.py", 1, "test_b"),
        {},
        "skipped",
        ("a.py", 3, "Skipped: too\nearly"),
        "call",
    )
    at_module = pytest.CollectReport("tests/test_c.py", "skipped", ("c.py", 1, "Skipped: no ccxt"), [])
    file = tmp_path / "deep" / "skips.txt"
    note(file, [at_test])
    note(file, [at_module])
    assert file.read_text().splitlines() == ["tests/test_a.py::test_b\ttoo early", "tests/test_c.py\tno ccxt"]
