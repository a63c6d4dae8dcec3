"""Checks of this machine: each names what it found and, where that is not sufficient, what to do."""

from __future__ import annotations

import os
import resource
import shutil
import sys
import tempfile
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path

from packaging.requirements import Requirement

from cluster.doctor_checks import DoctorCheck, check, examine_cluster
from cluster.ray_folder import base_folder, unfit
from cluster.storage_probe import storage_probe
from cluster.topology import MB, Load, measure_budget, plan
from gnosis_ray.config import Config, home, load_config
from gnosis_ray.errors import ClusterError, ConfigError
from gnosis_ray.storage.backend import open_backend
from gnosis_ray.storage.location import Location

PACKAGE = "gnosis-ray"
LEAST_DISK_MB = 2048
LEAST_SHM_MB = 256
LEAST_OPEN_FILES = 4096


def examine(
    out: Location, profile: str | None = None, *, deep: bool = False, address: str | None = None
) -> list[DoctorCheck]:
    """Run all checks, in a fixed order; no finding raises.

    ``out``: where ledgers are written. ``profile``: as for :func:`gnosis_ray.config.load_config`.
    ``deep`` also starts a local Ray and runs a task on it, which takes some seconds. ``address`` also joins the cluster
    there and checks every node. Side effect: a file is written to ``out``, or to the nearest folder above it that
    exists, and removed again.
    """
    config, settings = _settings(profile)
    checks = [_python(), _ray(), settings]
    if config is not None:
        checks += [_capacity(config), _polars(config), _store(config)]
    ground = _existing(out) if isinstance(out, Path) else out
    scratch = ground if isinstance(ground, Path) else Path(tempfile.gettempdir())
    checks += [_writable(out, ground), _disk(scratch), _temporary(), *_shared_memory(), _open_files()]
    if deep:
        checks.append(_task())
    if address is not None and config is not None:
        checks += examine_cluster(address, config, ground)
    return checks


def _python() -> DoctorCheck:
    found = ".".join(map(str, sys.version_info[:3]))
    ok = (3, 11) <= sys.version_info[:2] < (3, 13)
    return check("python", ok, found, "Use Python 3.11 or 3.12.")


def _ray() -> DoctorCheck:
    pins = [Requirement(line) for line in _requirements() if Requirement(line).name == "ray"]
    wanted = pins[0].specifier if pins else None
    try:
        found = version("ray")
    except PackageNotFoundError:
        return check("ray", False, "not installed", f"Install ray{wanted or ''}.")
    ok = wanted is None or found in wanted
    return check("ray", ok, found, f"Install ray{wanted}: other versions are not tested.")


def _requirements() -> list[str]:
    try:
        return [line for line in requires(PACKAGE) or [] if "extra ==" not in line]
    except PackageNotFoundError:  # run from a source tree that is not installed: nothing is pinned
        return []


def _settings(profile: str | None) -> tuple[Config | None, DoctorCheck]:
    try:
        config = load_config(profile).config
    except ConfigError as error:
        return None, DoctorCheck(
            "settings", False, str(error), "Correct the setting; `gnosis-ray config show` lists all."
        )
    return config, DoctorCheck("settings", True, f"decision hash {config.decision_hash()}", "")


def _capacity(config: Config) -> DoctorCheck:
    try:
        budget = measure_budget()
        fitting = plan(Load(0, budget.cores, 0), budget, config.run, "shard")
    except ClusterError as error:
        return DoctorCheck("capacity", False, str(error), "Free memory, or use --granularity inline.")
    found = f"{budget.cores} cores, {budget.memory_mb} MB free: room for {fitting.hosts} hosts"
    return DoctorCheck("capacity", True, found, "")


def _polars(config: Config) -> DoctorCheck:
    """The setting applies to each host; the user's environment variable applies to an inline run."""
    threads = config.run.polars_threads
    cores = measure_budget().cores
    inline = os.environ.get("POLARS_MAX_THREADS")
    found = f"{threads} a host" + (f", {inline} inline (POLARS_MAX_THREADS)" if inline else "")
    return check("polars threads", threads <= cores, found, f"Set run.polars_threads to {cores} or less.")


def _store(config: Config) -> DoctorCheck:
    if config.data.provider == "synthetic":
        return DoctorCheck("market data", True, "synthetic, needs no store", "")
    if config.data.provider != "store":
        kept = "fetched in each run, kept in the store" if config.data.reads_store else "a plug-in: needs no store"
        return DoctorCheck("market data", True, f"{config.data.provider}, {kept}", "")
    place = config.data.dir or home() / "market"
    advice = "Import data with `gnosis-ray data import`, or set data.dir."
    try:
        return check("market data", bool(open_backend(place).children()), str(place), advice)
    except (OSError, ConfigError) as error:
        return DoctorCheck("market data", False, str(error), "See that this machine may read there.")


def _existing(folder: Path) -> Path:
    """The folder, or the nearest one above it that exists."""
    return next(path for path in (folder.absolute(), *folder.absolute().parents) if path.exists())


def _writable(out: Location, ground: Location) -> DoctorCheck:
    try:
        with storage_probe(ground):
            return DoctorCheck("output folder", True, str(out), "")
    except ClusterError as error:
        return DoctorCheck("output folder", False, f"{out}: {error}", "Choose another place with --out.")


def _disk(folder: Path) -> DoctorCheck:
    free = shutil.disk_usage(folder).free // MB
    return check(
        "disk space", free >= LEAST_DISK_MB, f"{free} MB free", f"Free {LEAST_DISK_MB} MB for the ledger and for Ray."
    )


def _temporary() -> DoctorCheck:
    """Where Ray's files go: another folder than ``$TMPDIR`` where that is too long for sockets or not safe."""
    try:
        base = base_folder()
    except ClusterError as error:
        return DoctorCheck("ray's folder", False, str(error), "Or use --granularity inline, which needs no Ray.")
    wanted = Path(tempfile.gettempdir()).resolve()
    instead = "" if base == wanted else f": {wanted} {unfit(wanted)}"
    return DoctorCheck("ray's folder", True, f"a private one in {base}{instead}", "")


def _shared_memory() -> Iterator[DoctorCheck]:
    """Ray stores objects there; a system without the folder has nothing to check."""
    folder = Path("/dev/shm")  # noqa: S108 - looked at, not written to
    if folder.is_dir():
        free = shutil.disk_usage(folder).free // MB
        advice = f"Give the container {LEAST_SHM_MB} MB or more: --shm-size. Ray falls back to slow files."
        yield check("shared memory", free >= LEAST_SHM_MB, f"{free} MB free", advice)


def _open_files() -> DoctorCheck:
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    unlimited = hard == resource.RLIM_INFINITY
    ok = unlimited or hard >= LEAST_OPEN_FILES
    found = "unlimited" if unlimited else str(hard)
    return check("open files", ok, found, f"Raise the limit: ulimit -Hn {LEAST_OPEN_FILES}.")


def _task() -> DoctorCheck:
    from cluster.session import connect

    try:
        with connect(None, 1):
            answer = _answer_of_a_task()
    except ClusterError as error:
        return DoctorCheck(
            "local ray", False, str(error), "See the checks above; `gnosis-ray --log-level debug` logs more."
        )
    return DoctorCheck("local ray", True, f"a task ran in process {answer}", "")


def _process() -> int:
    """In this module, not in the driver's script: a worker has to import it, as it has to import the actors."""
    return os.getpid()


def _answer_of_a_task() -> int:
    import ray
    from ray.exceptions import RayError

    try:
        answer: int = ray.get(ray.remote(num_cpus=0)(_process).remote(), timeout=60)
    except RayError as error:
        raise ClusterError(f"A task did not run: {type(error).__name__}: {error}") from error
    return answer
