"""Every command ends in one of the documented exit codes, and in that of what happened."""

from __future__ import annotations

import errno
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import click
import pytest

from cluster.doctor_checks import DoctorCheck
from gnosis_ray.cli.main import gnosis_ray
from gnosis_ray.cli.main import run as run_command
from gnosis_ray.exit_codes import MEANINGS, WORST_FIRST, ExitCode, worst
from gnosis_ray.ledger.ledger_store import LedgerStore
from tests.cli.conftest import MANY, Call

README = Path(__file__).parents[2] / "README.md"

INLINE = "--granularity inline --symbols AAPL"
CASES: dict[str, dict[int, str]] = {
    "scan": {
        0: INLINE,
        2: "--symbols ,",
        3: "--granularity inline --symbols AAPL,NOPE --provider store --data-dir {store}",
        4: f"{INLINE} --provider store --data-dir {{nowhere}}",
        5: "--symbols AAPL --address 127.0.0.1:1",
        6: f"{INLINE} --provider store --data-dir {{damaged_store}}",
    },
    "explain": {
        0: f"{MANY[0]} --out {{ledger}}",
        2: f"{MANY[0]} --out {{nowhere}}",
        4: "NOPE --out {ledger}",
        6: f"{MANY[0]} --out {{damaged_ledger}}",
    },
    "runs list": {0: "--out {ledger}", 6: "--out {damaged_ledger}"},
    "runs verify": {
        0: "--out {ledger}",
        2: "nothing --out {ledger}",
        4: "--out {nowhere}",
        6: "--out {damaged_ledger}",
    },
    "runs repair": {0: "2 --out {damaged_ledger}", 2: "nothing --out {ledger}"},
    "runs show": {0: "--out {ledger}", 2: "nothing --out {ledger}", 6: "--out {damaged_ledger}"},
    "runs upgrade": {
        0: "--all --out {ledger} --to {nowhere}",
        2: "--out {ledger} --to {nowhere}",
        6: "--all --out {damaged_ledger} --to {nowhere}",
    },
    "data upgrade": {4: "--data-dir {nowhere} --to {elsewhere}"},
    "data import": {2: "{nowhere}"},
    "data fetch": {2: "--symbols AAPL --provider store"},
    "data backfill": {2: INLINE},
    "data list": {0: "--data-dir {store}", 4: "--data-dir {nowhere}", 6: "--data-dir {damaged_store}"},
    "data verify": {0: "--checks", 4: "--data-dir {nowhere}", 6: "--data-dir {damaged_store}"},
    "universe list": {0: ""},
    "universe show": {0: "dow30", 2: "no_such_universe"},
    "config show": {0: ""},
    "config plugins": {0: ""},
    "doctor": {},
}


def commands(group: click.Group, *path: str) -> Iterator[str]:
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        if isinstance(command, click.Group):
            yield from commands(command, *path, name)
        else:
            yield " ".join((*path, name))


def damaged(folder: Path, copy: Path, *parts: str) -> Path:
    shutil.copytree(folder, copy)
    for pattern in parts:
        for part in copy.glob(pattern):
            part.write_bytes(b"PAR1 and nothing else")
    return copy


def test_every_command_is_walked() -> None:
    assert set(CASES) == set(commands(gnosis_ray))


@pytest.mark.parametrize(
    ("command", "code", "arguments"),
    [(command, code, arguments) for command, cases in CASES.items() for code, arguments in cases.items()],
)
def test_a_command_ends_in_the_code_of_what_happened(
    call: Call, command: str, code: int, arguments: str, store: Path, ledger: Path, tmp_path: Path
) -> None:
    places = {
        "store": store,
        "ledger": ledger,
        "nowhere": tmp_path / "nowhere",
        "elsewhere": tmp_path / "elsewhere",
        "damaged_store": damaged(store, tmp_path / "damaged_store", "bars/*/*.parquet"),
        "damaged_ledger": damaged(ledger, tmp_path / "damaged_ledger", "runs/*/*/*", "snapshots/*/*/*"),
    }
    done = call(*command.split(), *arguments.format(**places).split())
    assert done.code == code, done.err
    assert "Traceback" not in done.err


@pytest.mark.parametrize("command", CASES)
def test_help_is_done_and_an_unknown_option_is_usage(call: Call, command: str) -> None:
    assert call(*command.split(), "--help").code == 0
    assert call(*command.split(), "--no-such-option").code == 2


def test_a_check_of_the_machine_that_fails_is_5(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    checks = [DoctorCheck("disk", True, "much", "")]
    monkeypatch.setattr("gnosis_ray.cli.doctor.examine", lambda *_, **__: checks)
    assert call("doctor").code == 0
    checks.append(DoctorCheck("Ray", False, "none", "install it"))
    assert call("doctor").code == 5


def test_a_full_disk_is_7_and_says_how_to_go_on(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("gnosis_ray.ledger.in_folder.write_synced", full)
        done = call("scan", *INLINE.split())
    assert done.code == 7
    assert "No space left" in done.err
    assert "make room" in done.err
    resume = done.err.split("Resume with: gnosis-ray ")[1].splitlines()[0].split()
    assert call(*resume, "--granularity", "inline").code == 0


@pytest.mark.parametrize("error", [MemoryError(), OSError(errno.EDQUOT, "Disk quota exceeded")])
def test_what_gives_out_anywhere_is_7(call: Call, monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    assert ending_in(error, call, monkeypatch) == (7, True)


def test_a_fault_of_ours_is_1_in_one_line(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    def fault(*_: object, **__: object) -> None:
        raise KeyError("token=abcdefghijkl\nspot")

    monkeypatch.setattr("gnosis_ray.cli.universe.list_.callback", fault)
    done = call("universe", "list")
    assert (done.code, done.out) == (1, "")
    assert "KeyError" in done.err
    assert "--log-level debug" in done.err
    assert "Traceback" not in done.err
    assert "abcdefghijkl" not in done.err
    assert "Traceback" in call("--log-level", "debug", "universe", "list").err


def ending_in(error: BaseException, call: Call, monkeypatch: pytest.MonkeyPatch) -> tuple[int, bool]:
    def failing(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr("gnosis_ray.cli.universe.list_.callback", failing)
    done = call("universe", "list")
    return done.code, "make room" in done.err


@pytest.mark.parametrize(("sent", "code", "said"), [("SIGINT", 130, "Interrupted."), ("SIGTERM", 143, "Terminated.")])
def test_signals_have_their_codes(call: Call, monkeypatch: pytest.MonkeyPatch, sent: str, code: int, said: str) -> None:
    def interrupted(*_: object, **__: object) -> None:
        os.kill(os.getpid(), getattr(signal, sent))

    before = signal.getsignal(signal.SIGTERM)
    monkeypatch.setattr("gnosis_ray.cli.universe.list_.callback", interrupted)
    done = call("universe", "list")
    assert (done.code, said in done.err) == (code, True)
    assert signal.getsignal(signal.SIGTERM) is before


@pytest.mark.parametrize("format_", ["table", "json", "csv", "parquet"])
def test_a_reader_that_has_gone_is_141_without_a_word(format_: str) -> None:
    command = [sys.executable, "-m", "gnosis_ray", "universe", "show", "sp500", "--format", format_]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=README.parent) as started:
        assert started.stdout is not None
        started.stdout.close()
        assert started.stderr is not None
        said = started.stderr.read().decode()
        code = started.wait(timeout=60)
    assert code == 141, said
    assert "rror" not in said


def test_a_stdout_that_is_closed_from_the_start_is_141_without_a_word(tmp_path: Path) -> None:
    """And no file that the command opens takes the number of stdout."""
    out = tmp_path / "ledger"
    scan = f"scan --symbols AAPL --granularity inline --format csv --out {out}"
    command = f"exec {sys.executable} -m gnosis_ray {scan} >&-"
    done = subprocess.run(["sh", "-c", command], stderr=subprocess.PIPE, cwd=README.parent, text=True, check=False)
    assert done.returncode == 141, done.stderr
    assert "rror" not in done.stderr
    assert LedgerStore(out).receipt("latest").status == "done"


def test_the_worst_of_several_comes_first() -> None:
    assert [code.value for code in WORST_FIRST] == [1, 7, 6, 5, 2, 4, 3, 0]
    assert worst([]) == 0
    for worse, better in pairwise(WORST_FIRST):
        assert worst([better, worse]) == worst([worse, better]) == worse
    with pytest.raises(ValueError, match="130"):
        worst([0, ExitCode.INTERRUPTED])


def test_help_and_readme_list_every_code(call: Call) -> None:
    assert set(MEANINGS) == set(ExitCode)
    shown = " ".join(call("--help").out.split())
    stated = " ".join(README.read_text(encoding="utf-8").split())
    listed = "; ".join(f"{code.value} {meaning}" for code, meaning in sorted(MEANINGS.items()))
    assert f"Exit codes: {listed}. Of several, the worst: 1, 7, 6, 5, 2, 4, 3." in stated
    assert all(f"{code.value} {meaning}" in shown for code, meaning in MEANINGS.items())


def test_run_may_be_called_in_a_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where no signal handler can be set."""
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(run_command, ["universe", "list"]).result() == 0
