"""Terminals that cannot show every character, and readers that leave early: a command ends well all the same."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.conftest import MANY


def explained(ledger: Path, encoding: str, *more: str, cut: bool = False) -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable, "-m", "gnosis_ray", "explain", MANY[0], "--out", str(ledger), *more]
    environment = os.environ | {"PYTHONIOENCODING": encoding}
    if not cut:
        return subprocess.run(command, capture_output=True, env=environment, check=False, timeout=120)
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment) as process:
        assert process.stdout is not None
        process.stdout.close()  # as `head` does once it has its lines
        _, said = process.communicate(timeout=120)
    return subprocess.CompletedProcess(command, process.returncode, b"", said)


@pytest.mark.parametrize("encoding", ["ascii", "cp1252", "utf-8"])
def test_a_report_is_printed_on_any_terminal(ledger: Path, encoding: str) -> None:
    done = explained(ledger, encoding)
    assert done.returncode == 0, done.stderr
    shown = done.stdout.decode(encoding)
    assert "call wall" in shown
    assert ("#" in shown) == (encoding != "utf-8"), "bars are drawn with what there is"
    assert "Traceback" not in done.stderr.decode(encoding)


def test_what_machines_read_is_utf_8_on_any_terminal(ledger: Path) -> None:
    ascii_, utf8 = (explained(ledger, encoding, "--format", "json") for encoding in ("ascii", "utf-8"))
    assert ascii_.stdout == utf8.stdout
    assert json.loads(utf8.stdout)["symbol"] == MANY[0]


def test_a_reader_that_has_gone_ends_a_report_quietly(ledger: Path) -> None:
    done = explained(ledger, "utf-8", cut=True)
    assert (done.returncode, done.stderr) == (141, b"")
