"""How a command of gnosis-ray ended: the one list of its exit codes."""

from __future__ import annotations

import signal
from collections.abc import Iterable, Mapping
from enum import IntEnum


class ExitCode(IntEnum):
    """The exit code of a command."""

    DONE = 0
    BUG = 1
    USAGE = 2
    FINDINGS = 3
    NO_DATA = 4
    CLUSTER = 5
    INTEGRITY = 6
    RESOURCE = 7
    INTERRUPTED = 128 + signal.SIGINT
    CLOSED_PIPE = 128 + signal.SIGPIPE
    TERMINATED = 128 + signal.SIGTERM


MEANINGS: Mapping[ExitCode, str] = {
    ExitCode.DONE: "done",
    ExitCode.BUG: "a fault of gnosis-ray itself",
    ExitCode.USAGE: "usage or settings",
    ExitCode.FINDINGS: "done, with failed symbols or findings",
    ExitCode.NO_DATA: "no data",
    ExitCode.CLUSTER: "cluster",
    ExitCode.INTEGRITY: "something read is not what was written",
    ExitCode.RESOURCE: "a resource gave out (disk, quota, memory): what is finished is kept",
    ExitCode.INTERRUPTED: "interrupted",
    ExitCode.CLOSED_PIPE: "the reader of stdout has gone",
    ExitCode.TERMINATED: "terminated",
}
"""As the help of the command line and the documents give them."""

WORST_FIRST = (
    ExitCode.BUG,
    ExitCode.RESOURCE,
    ExitCode.INTEGRITY,
    ExitCode.CLUSTER,
    ExitCode.USAGE,
    ExitCode.NO_DATA,
    ExitCode.FINDINGS,
    ExitCode.DONE,
)
"""Which of several outcomes of one command is its exit code; a signal ends a command at once, whatever came before."""


def worst(codes: Iterable[int]) -> ExitCode:
    """The code of a command with several outcomes; ``DONE`` for none. Raises ValueError for the code of a signal."""
    found = {ExitCode(code) for code in codes}
    if strange := sorted(found.difference(WORST_FIRST)):
        raise ValueError(f"Expected codes of outcomes, was {strange[0].value}, that of a signal")
    return next((code for code in WORST_FIRST if code in found), ExitCode.DONE)
