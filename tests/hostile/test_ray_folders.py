"""Another user of this machine can neither swap what our workers import nor read a key from Ray's processes.

One scan on Ray with a vendor's key in its environment, looked at while its hosts are at work, then told to end.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.chaos.chaos_harness import descendants, title_of
from tests.chaos.driver_processes import commits, finished, processes_of, scan, wait_for

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(180)]

NOBODY = 65534
KEY = "91d0NOTREALleakme77"
SYMBOLS = ",".join(f"SYN{number:02d}" for number in range(60))
PLANTS = """
import os, sys
from pathlib import Path
os.setgroups([])
os.setgid(int(sys.argv[1]))
os.setuid(int(sys.argv[1]))
planted = []
for place in map(Path, sys.argv[2:]):
    try:
        place.rename(place.with_name(place.name + ".ours"))
        place.mkdir()
        (place / "polars.py").write_text("raise SystemExit('planted')")
        planted.append(str(place))
    except OSError as error:
        print(type(error).__name__, file=sys.stderr)
print(*planted, sep="\\n")
"""
"""Swaps folders for its own, with a module in them that our workers would import, as another user."""


@dataclass(frozen=True)
class SeenScan:
    """A scan at work: Ray's session folder, and its driver with all that is below it."""

    driver: subprocess.Popen[str]
    session: Path
    processes: dict[int, str]


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SeenScan]:
    out = tmp_path_factory.mktemp("scanned") / "ledger"
    driver = scan(out, "--symbols", SYMBOLS, "--granularity", "shard", TRADIER_TOKEN=KEY, POLYGON_API_KEY=KEY)
    wait_for(driver, lambda: bool(commits(out)))
    (raylet,) = processes_of(driver, "raylet")
    found = re.search(r"--raylet_socket_name=(\S+)/sockets/", title_of(raylet))
    assert found is not None
    yield SeenScan(driver, Path(found[1]), {pid: title_of(pid) for pid in descendants(driver.pid)})
    if driver.poll() is None:
        driver.kill()
    driver.communicate()


def test_another_user_cannot_plant_a_module_where_workers_import_from(seen: SeenScan) -> None:
    if os.geteuid() != 0:
        pytest.skip("no right to become another user")
    unpacked = [path for path in (seen.session / "runtime_resources" / "working_dir_files").iterdir() if path.is_dir()]
    assert unpacked, "the empty working folder is unpacked below Ray's session folder"
    targets = [*unpacked, *unpacked[0].parents]
    targets = [place for place in targets if place.parent == seen.session or seen.session in place.parents]
    done = subprocess.run(
        [sys.executable, "-c", PLANTS, str(NOBODY), *map(str, [*targets, seen.session])],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == []
    assert set(done.stderr.split()) == {"PermissionError"}


def test_no_process_below_the_driver_has_a_key_in_its_environment(seen: SeenScan) -> None:
    """But the process that does the work has the environment that the shell made, which cannot be unmade."""
    below = {pid: title for pid, title in seen.processes.items() if "gnosis_ray scan" not in title}
    assert len(below) >= 8, "a scan on Ray has many processes"
    assert [title for pid, title in below.items() if KEY.encode() in environment_of(pid)] == []


def test_a_scan_that_is_told_to_end_leaves_nothing_in_the_folder_for_temporary_files(seen: SeenScan) -> None:
    assert seen.session.is_dir()
    seen.driver.send_signal(signal.SIGTERM)
    stderr = finished(seen.driver, 60.0)
    assert seen.driver.returncode == 143, stderr
    assert not seen.session.exists()
    assert not [folder for folder in seen.session.parents if folder.name.startswith("gnosis-ray-") and folder.exists()]


def environment_of(pid: int) -> bytes:
    try:
        return (Path("/proc") / str(pid) / "environ").read_bytes()
    except OSError:  # it has ended
        return b""
