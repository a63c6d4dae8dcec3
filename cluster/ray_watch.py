"""Whether Ray's own processes on this machine still live: without them, calls may never return."""

from __future__ import annotations

import logging
import os
import select
import socket
import struct
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Self

logger = logging.getLogger(__name__)

_WATCHED = ("raylet", "gcs_server")
"""What a local Ray cannot do without. The raylet ends with any of its agents."""


class RayWatch:
    """Descriptors of processes, each readable once its process has ended."""

    def __init__(self, processes: Mapping[int, str] | None = None) -> None:
        """``processes``: by the descriptor of each (pidfd_open(2)), its name."""
        self._processes = dict(processes or {})

    @classmethod
    @contextmanager
    def over_this_node(cls) -> Iterator[Self]:
        """Watches the processes of the Ray that this process is connected to, as far as they are on this machine.

        A head on another machine is watched by Ray itself, which gives it up after some time. Where the system has no
        descriptors of processes, nothing is watched.
        """
        watched: dict[int, str] = {}
        try:
            for name, process in _processes().items():
                try:
                    watched[os.pidfd_open(process)] = name
                except (AttributeError, OSError) as error:
                    logger.info("the process %s of Ray is not watched: %s", name, error)
            yield cls(watched)
        finally:
            for descriptor in watched:
                os.close(descriptor)

    def ended(self) -> str | None:
        """The name of a process that has ended; None while all live."""
        poll = select.poll()
        for descriptor in self._processes:
            poll.register(descriptor, select.POLLIN)
        return next((self._processes[descriptor] for descriptor, _ in poll.poll(0)), None)


def _processes() -> dict[str, int]:
    """The ids of Ray's processes on this machine, by name."""
    from ray._private import worker

    node: Any = worker._global_node
    own = {name: found[0].process.pid for name, found in node.all_processes.items() if name in _WATCHED and found}
    return own or {"raylet": _listener(node.raylet_socket_name)}


def _listener(path: str) -> int:
    """The id of the process that listens at a unix socket."""
    with socket.socket(socket.AF_UNIX) as asking:
        asking.connect(path)
        seen = asking.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
    process: int = struct.unpack("3i", seen)[0]
    return process
