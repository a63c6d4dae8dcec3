"""The console script: watches over the process that carries out a command, and has the last word.

Where Ray fails, its client may end the process that it is in, in C++, with code 1 and no word: nothing in that process
can prevent it. So the command works in a child, and the process that the user sees says how it ended: with the child's
own exit code; or, where the child was cut off, with what it left to be said and the code of the cause.

Signals: those sent to this process alone are passed on. What a terminal sends, the child has had already. A signal that
was ignored when the command began stays ignored, as a shell wants it for SIGINT of a command in the background. If this
process is killed, so is the child.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys
from collections.abc import Callable

from cluster.ray_folder import remove_all_leftovers
from gnosis_ray import last_words
from gnosis_ray.exit_codes import ExitCode

PASSED_ON = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT)
_PARENT_DEATH_SIGNAL = 1
"""PR_SET_PDEATHSIG of prctl(2)."""
_FROM_KERNEL = 128
"""SI_KERNEL of sigaction(2): what a terminal sends, to all processes in its foreground."""


def main() -> None:
    """The console script."""
    _reserve_standard_descriptors()
    sys.exit(guarded(_command))


def _reserve_standard_descriptors() -> None:
    """Where one is closed, no file that is opened later takes its number: what is printed would end up in it."""
    for descriptor in (0, 1, 2):
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # the lowest number that is free


def _command() -> int:
    from gnosis_ray.cli.main import run  # in the child: it starts threads, which no fork survives

    return run()


def guarded(command: Callable[[], int]) -> int:
    """The exit code of ``command``, which runs in a child of this process. Call it before any thread is started.

    Where the system cannot watch over a child, ``command`` runs in this process. Returns in both: in the child, with
    the command's own code. Side effects: those of ``command``; says on stderr what a child that was cut off left.
    """
    if not sys.platform.startswith("linux"):
        return command()
    heard, told = os.pipe()
    passed = [one for one in PASSED_ON if signal.getsignal(one) != signal.SIG_IGN]
    before = signal.pthread_sigmask(signal.SIG_BLOCK, [*passed, signal.SIGCHLD])
    parent, child = os.getpid(), os.fork()
    if child == 0:
        os.close(heard)
        _die_with(parent)
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
        last_words.heard_at(told)
        code = command()
        last_words.end(code)
        return code
    os.close(told)
    status = _wait(child, passed)
    signal.pthread_sigmask(signal.SIG_SETMASK, before)
    return _ending(os.waitstatus_to_exitcode(status), _heard(heard))


def _die_with(parent: int) -> None:
    ctypes.CDLL(None).prctl(_PARENT_DEATH_SIGNAL, signal.SIGKILL)
    if os.getppid() != parent:  # it was gone before
        os.kill(os.getpid(), signal.SIGKILL)


def _wait(child: int, passed: list[signal.Signals]) -> int:
    """Pass signals on until the child has ended; its wait status."""
    while True:
        came = signal.sigwaitinfo([*passed, signal.SIGCHLD])
        if came.si_signo != signal.SIGCHLD:
            if came.si_code != _FROM_KERNEL:
                os.kill(child, came.si_signo)
            continue
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            return status


def _heard(pipe: int) -> last_words.Left:
    os.set_blocking(pipe, False)
    said = b""
    try:
        while piece := os.read(pipe, 65536):
            said += piece
    except BlockingIOError:  # the child forked, and what it forked lives
        pass
    return last_words.read(said)


def _ending(code: int, left: last_words.Left) -> int:
    """The exit code of a command whose process ended with ``code``: a negative one is the signal that ended it."""
    if left.code is not None:
        return left.code
    if not left.texts:
        return code if code >= 0 else 128 - code
    end, by = _cause(code)
    for line in (f"error: {by}", *left.texts):
        sys.stderr.write(f"{line}\n")
    sys.stderr.flush()
    remove_all_leftovers()
    return end


def _cause(code: int) -> tuple[int, str]:
    """The exit code, and the words, for the end of a process that did not come to its own."""
    if code == -signal.SIGTERM:
        return ExitCode.TERMINATED, "Terminated."
    if code == -signal.SIGINT:
        return ExitCode.INTERRUPTED, "Interrupted."
    if code in (-signal.SIGHUP, -signal.SIGQUIT):
        return 128 - code, f"Ended by {signal.Signals(-code).name}."
    if code == -signal.SIGKILL:
        return 128 - code, "Killed. The kernel does so where memory is short."
    return ExitCode.CLUSTER, "Ray failed: one of its own processes has ended, and its client has ended this one."
