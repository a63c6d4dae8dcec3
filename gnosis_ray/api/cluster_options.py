"""The Ray that a run uses, and what is reported about it."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass
from importlib.util import find_spec
from urllib.parse import urlsplit

from cluster.session import Session, connect, token_place
from gnosis_ray.api.observer import RunObserver
from gnosis_ray.errors import ConfigError, install_command


@dataclass(frozen=True)
class ClusterOptions:
    """The cluster at ``address``, or where that is None a local Ray, with Ray's ``dashboard`` if requested."""

    address: str | None
    dashboard: bool = False

    def check(self, granularity: str) -> None:
        """Raises :class:`ConfigError` for a cluster that nothing would run on, and where a dashboard cannot be."""
        if self.address is not None and granularity == "inline":
            raise ConfigError(f"Granularity inline works without Ray: drop --address {self.address}, or inline")
        if not self.dashboard:
            return
        if self.address is not None:
            raise ConfigError("A cluster has a dashboard of its own, on its head node: drop --ray-dashboard")
        if granularity == "inline":
            raise ConfigError("Without Ray there is no dashboard: drop --ray-dashboard or --granularity inline")
        if find_spec("aiohttp_cors") is None:
            raise ConfigError(f"Ray's dashboard is an extra. Install it with: {install_command('ray-dashboard')}")

    def open(self, cores: int | None, stack: ExitStack, observer: RunObserver) -> Session:
        """The connection, closed with ``stack``. Reports the dashboard's address."""
        opening = "starting Ray ..." if self.address is None else f"joining Ray at {self.address} ..."
        observer.message(opening, "transient")
        session = stack.enter_context(connect(self.address, cores, self.dashboard))
        if self.dashboard:
            for line in directions(session):
                observer.message(line)
        return session


def directions(session: Session) -> list[str]:
    """How to open the dashboard of a local Ray, from this machine and from others, and where its token is."""
    if session.dashboard is None:
        return [f"Ray started without its dashboard: see dashboard.log in {session.logs}, until the run has ended"]
    port = urlsplit(session.dashboard).port
    place = token_place()
    return [
        f"Ray's dashboard, until the scan has ended: {session.dashboard}",
        *([f"  it asks for a token: the content of {place}"] if place else []),
        f"  from another machine: ssh -L {port}:127.0.0.1:{port} THIS-MACHINE, then open the same address there",
    ]
