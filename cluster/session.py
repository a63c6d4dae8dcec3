"""The connection to Ray: a local Ray of our own, or a cluster by address.

No other Ray is joined by chance: without an address, ``RAY_ADDRESS`` and instances found on this machine are ignored.
A local Ray listens on the loopback interface only, runs no dashboard unless asked, keeps token authentication, and has
its files in a private folder that is removed with it. No process that Ray starts inherits a vendor's key.
"""

from __future__ import annotations

import logging
import os
import secrets
import signal
import threading
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

from cluster.address import check_answers
from cluster.ray_folder import session_folder
from cluster.ray_watch import RayWatch
from cluster.topology import MB, Budget, measure_budget
from gnosis_ray import last_words
from gnosis_ray.errors import ClusterError
from gnosis_ray.security.keys import held_back

logger = logging.getLogger(__name__)

LOOPBACK = "127.0.0.1"
RAY = "r"
"""The folder, in the session's own, that is Ray's: Ray lets everybody write to it, but nobody else can come there."""


@dataclass
class Session:
    """An open connection. ``address`` is None for a local Ray."""

    address: str | None
    is_open: bool = True
    dashboard: str | None = None
    """The address of a local Ray's dashboard, if requested: ``http://127.0.0.1:8265``."""
    folder: Path | None = None
    """For this session's own files: nobody else may enter it, and it is removed with the session."""
    watch: RayWatch = field(default_factory=RayWatch)
    """Whether Ray's own processes on this machine live."""

    @property
    def local(self) -> bool:
        """Whether this Ray was started here and ends with the session."""
        return self.address is None

    @property
    def gcs_address(self) -> str:
        """``HOST:PORT`` of the head that this session is connected to."""
        self.check_open()
        import ray

        address: str = ray.get_runtime_context().gcs_address
        return address

    @property
    def logs(self) -> Path | None:
        """The folder in which a local Ray logs, until the session ends."""
        return self.folder / RAY / "session_latest" / "logs" if self.local and self.folder is not None else None

    def check_open(self) -> None:
        """Raises :class:`ClusterError` once the session is closed, or a process of Ray itself has ended.

        Whoever waits for an answer of Ray asks in between: without its processes, none may ever come.
        """
        if not self.is_open:
            raise ClusterError("Expected an open session, was closed")
        if ended := self.watch.ended():
            raise ClusterError(f"Ray failed: its process {ended} has ended. What was finished is kept: resume the run.")

    def budget(self) -> Budget:
        """The sum of what the connected nodes offer; on a local Ray at most what the machine has free now."""
        self.check_open()
        import ray

        nodes = [node["Resources"] for node in ray.nodes() if node["Alive"]]  # type: ignore[no-untyped-call]
        offered = Budget(
            cores=sum(int(node.get("CPU", 0)) for node in nodes),
            memory_mb=sum(int(node.get("memory", 0)) // MB for node in nodes),
        )
        if not self.local:
            return offered
        free = measure_budget()
        return Budget(offered.cores, min(offered.memory_mb, free.memory_mb))


CUT_OFF = "`gnosis-ray doctor --deep` checks whether Ray runs on this machine; --granularity inline works without it."
"""What is to be said where Ray's client ends this process."""

_open_session: Session | None = None


@contextmanager
def connect(address: str | None, num_cpus: int | None, dashboard: bool = False) -> Iterator[Session]:
    """Start a local Ray with ``num_cpus`` (None: what this machine has), or join the cluster at ``address``.

    ``address``: ``HOST:PORT`` of the head node, or ``auto`` for what Ray itself finds from a node of the cluster.
    Workers start in an empty folder, so that no module of the user's working directory shadows ours. A nested call
    that asks for a local Ray gets the one that this function opened. Raises :class:`ClusterError` within about 30
    seconds where Ray cannot be started or reached. Side effects: starts processes, may write ``~/.ray/auth_token``.
    """
    global _open_session
    if _open_session is not None and address == _open_session.address:
        yield _open_session
        return
    _set_environment()
    if address is not None and address != "auto":
        check_answers(address)
    import ray

    if ray.is_initialized():
        raise ClusterError("Expected no Ray in this process, was connected to one already. Call ray.shutdown() first.")
    with _quiet(), session_folder() as folder, held_back(), last_words.if_cut_off(CUT_OFF):
        empty = folder / "empty"
        empty.mkdir(mode=0o700)
        options: dict[str, Any] = {
            "runtime_env": {"working_dir": str(empty)},
            "log_to_driver": False,
            "logging_level": logging.ERROR,
        }
        try:
            shown = None
            with _own_sigterm():
                if address is None:
                    shown = _start(options | {"_temp_dir": str(folder / RAY)}, num_cpus, dashboard)
                else:
                    _join(address, num_cpus, options)
            with RayWatch.over_this_node() as watch:
                _open_session = Session(address, dashboard=shown, folder=folder, watch=watch)
                yield _open_session
        finally:
            if _open_session is not None:
                _open_session.is_open = False
            _open_session = None
            ray.shutdown()


def _set_environment() -> None:
    """For this process and those it starts; a user's own choice of usage statistics is kept."""
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    # No warnings about accelerators of zero-CPU actors on standard error.
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
    # Prestarted workers are useless to actors with an environment of their own.
    os.environ.setdefault("RAY_prestart_worker_first_driver", "0")
    # A head that does not answer for so long is given up, and with it the run: it can be resumed within a minute.
    os.environ.setdefault("RAY_gcs_rpc_server_reconnect_timeout_s", "45")
    # In a Ray job submitted with a working folder, our empty one takes precedence.
    os.environ.setdefault("RAY_OVERRIDE_JOB_RUNTIME_ENV", "1")


@contextmanager
def _set(module: ModuleType, **values: Any) -> Iterator[None]:
    """Set names of a module until the block ends."""
    before = {name: getattr(module, name) for name in values}
    try:
        for name, value in values.items():
            setattr(module, name, value)
        yield
    finally:
        for name, value in before.items():
            setattr(module, name, value)


def _switched(**switches: bool) -> AbstractContextManager[None]:
    """Ray reads these switches from the environment when it is first imported, which may have been before us."""
    from ray._private import ray_constants

    return _set(ray_constants, **switches)


def _quiet() -> AbstractContextManager[None]:
    """Ray prints errors of its nodes on standard output whatever ``log_to_driver`` says; that output is our data."""
    from ray._private import worker

    return _set(worker, print_to_stdstream=_log_lines)


@contextmanager
def _own_sigterm() -> Iterator[None]:
    """Keep this process's handling of SIGTERM: Ray's would end it with code 15 before any clean-up, or with a stack."""
    from ray._private import utils

    before = signal.getsignal(signal.SIGTERM)
    try:
        with _set(utils, set_sigterm_handler=lambda _handler: None):
            yield
    finally:
        if before is not None and threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGTERM, before)


def _log_lines(data: Mapping[str, Any], ignore_prefix: bool) -> None:  # noqa: ARG001 - Ray's signature
    for line in data["lines"]:
        logger.debug("%s: %s", data["pid"], line)


def _start(options: Mapping[str, Any], num_cpus: int | None, dashboard: bool) -> str | None:
    """The address of the dashboard, if there is one."""
    import ray

    ensure_token()
    cores = num_cpus if num_cpus is not None else measure_budget().cores
    try:
        # Not a cluster: the node takes the loopback address and every port is bound to it. Under `uv run`, Ray would
        # start workers through uv in the empty folder, where there is no project.
        with _switched(ENABLE_RAY_CLUSTER=False, RAY_ENABLE_UV_RUN_RUNTIME_ENV=False):
            context = ray.init(
                address="local",
                num_cpus=cores,
                include_dashboard=dashboard,
                dashboard_host=LOOPBACK,
                **options,
            )
    except Exception as error:
        raise ClusterError(
            f"Cannot start a local Ray: {type(error).__name__}: {error}. `gnosis-ray doctor` checks this machine; "
            "--granularity inline runs without Ray."
        ) from error
    return f"http://{context.dashboard_url}" if dashboard and context.dashboard_url else None


def _join(address: str, num_cpus: int | None, options: Mapping[str, Any]) -> None:
    import ray

    if num_cpus is not None:
        raise ClusterError(f"Expected no number of cores with an address, was {num_cpus}: a cluster has its own")
    try:
        with _switched(RAY_ENABLE_UV_RUN_RUNTIME_ENV=False):
            ray.init(address=address, **options)
    except Exception as error:
        raise ClusterError(
            f"Cannot join Ray at '{address}': {type(error).__name__}: {error}. Run on a node of that cluster, with the "
            "same versions of Ray and Python."
        ) from error


def ensure_token() -> Path | None:
    """Make sure that a local Ray finds a token that only this user can read; the file, or None where not needed.

    Ray creates one too, readable by everyone. Permissions of others on an existing file are removed. Nothing is done
    where the environment names a token or switches authentication off. Raises :class:`ClusterError` if the file cannot
    be written.
    """
    named = os.environ.get("RAY_AUTH_TOKEN") or os.environ.get("RAY_AUTH_TOKEN_PATH")
    if named or os.environ.get("RAY_AUTH_MODE", "token").lower() != "token":
        return None
    path = Path.home() / ".ray" / "auth_token"
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        _create_private(path, secrets.token_hex(32))
        if path.stat().st_mode & 0o077:
            path.chmod(0o600)
    except OSError as error:
        raise ClusterError(
            f"Cannot keep Ray's token in {path}: {error}. Set RAY_AUTH_TOKEN_PATH to a private file that holds one."
        ) from error
    return path


def token_place() -> str | None:
    """A description of where the token of a local Ray is; None where none is required."""
    if os.environ.get("RAY_AUTH_MODE", "token").lower() != "token":
        return None
    if os.environ.get("RAY_AUTH_TOKEN"):
        return "the environment variable RAY_AUTH_TOKEN"
    return os.environ.get("RAY_AUTH_TOKEN_PATH") or str(Path.home() / ".ray" / "auth_token")


def _create_private(path: Path, text: str) -> None:
    """Write a new file atomically, readable by its owner only; an existing one is kept."""
    if path.exists():
        return
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(text)
    try:
        os.link(draft, path)
    except FileExistsError:
        return
    finally:
        draft.unlink()
