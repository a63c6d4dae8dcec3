"""``gnosis-ray``: dispatches to the verb, turns errors into messages and exit codes."""

from __future__ import annotations

import importlib
import logging
import os
import signal
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from importlib.metadata import version
from types import FrameType

import click

from gnosis_ray.cli.console import print_error
from gnosis_ray.cli.logs import log_level_option
from gnosis_ray.cli.output_encoding import make_total
from gnosis_ray.clock import monotonic_seconds
from gnosis_ray.errors import GnosisError, exit_code_of, is_exhausted, nearest_hint
from gnosis_ray.exit_codes import MEANINGS, ExitCode
from gnosis_ray.redaction import redacted
from gnosis_ray.schemas.expectations import was

logger = logging.getLogger(__name__)

VERBS = {
    "scan": ("gnosis_ray.cli.scan", "Measure a universe, take stances, propose trades, write the ledger."),
    "explain": (
        "gnosis_ray.cli.explain",
        "Explain what a run decided about one symbol; as a page with --html.",
    ),
    "runs": ("gnosis_ray.cli.runs", "List runs, show one."),
    "data": ("gnosis_ray.cli.data", "Import, fetch, list and check market data in the store."),
    "universe": ("gnosis_ray.cli.universe", "List universes, show the members of one."),
    "config": ("gnosis_ray.cli.config", "Show every setting and where it came from."),
    "doctor": ("gnosis_ray.cli.doctor", "Check this machine or cluster, with advice."),
}

AGAIN_S = 1.0
"""A signal to end that arrives sooner after another is the same request."""

KEPT = ". What is finished is kept: remove the cause (make room, say), then run it again, or resume it."


class Verbs(click.Group):
    """Imports a verb's module when it is used: help stays fast."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        """The verbs, in the order of a user's day."""
        return list(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """The verb's command, from the module of its name."""
        if cmd_name not in VERBS:
            return None
        command: click.Command = importlib.import_module(VERBS[cmd_name][0]).command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """The verbs with a line each, without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, line) for name, (_, line) in VERBS.items()])
        with formatter.section("Exit codes"):
            formatter.write_dl([(str(code.value), meaning) for code, meaning in MEANINGS.items()])

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The verb that was named. A usage error names the nearest to one that there is not."""
        name = args[0] if args else ""
        if name and not name.startswith("-") and name not in VERBS:
            raise click.UsageError(f"Unknown command {was(name, 40)}. {nearest_hint(name, VERBS)}", ctx)
        return super().resolve_command(ctx, args)

    def invoke(self, ctx: click.Context) -> object:
        """Run the verb."""
        try:
            return super().invoke(ctx)
        except BrokenPipeError as error:
            raise _ClosedPipeError from error


@click.group(cls=Verbs, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(version("gnosis-ray"), prog_name="gnosis-ray")
@click.option("--profile", metavar="NAME|FILE", help="A settings file, or the name of one, over the defaults.")
@log_level_option
@click.pass_context
def gnosis_ray(ctx: click.Context, profile: str | None) -> None:
    """Watch an options and equity universe the way a desk does, in parallel on Ray."""
    ctx.obj = profile


def run(arguments: Sequence[str] | None = None) -> int:
    """Run a command line; returns its :class:`~gnosis_ray.exit_codes.ExitCode`.

    Side effects: whatever the verb does. In the main thread SIGTERM ends it as SIGINT does, with its own code.
    """
    ending = _Ending()
    make_total()
    try:
        with _terminable(ending):
            result = gnosis_ray.main(args=arguments, prog_name="gnosis-ray", standalone_mode=False)
            _flush_stdout()
    except click.exceptions.Exit as leaving:
        return leaving.exit_code
    except click.ClickException as error:
        error.show()
        if isinstance(error, click.UsageError) and error.ctx is None:  # else click names the command's own help
            click.echo("Try 'gnosis-ray --help' for help.", err=True)
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):
        terminated = ending.by == signal.SIGTERM
        print_error("Terminated." if terminated else "Interrupted.")
        return ExitCode.TERMINATED if terminated else ExitCode.INTERRUPTED
    except (_ClosedPipeError, BrokenPipeError):
        _discard_stdout()
        return ExitCode.CLOSED_PIPE
    except Exception as error:  # noqa: BLE001 - each becomes one line and an exit code
        return _report(error)
    return result if isinstance(result, int) else ExitCode.DONE


def _report(error: Exception) -> ExitCode:
    """Print what ended a command in a line; its exit code. The traceback is for ``--log-level debug``."""
    logger.debug("The command ended with %s", type(error).__name__, exc_info=error)
    if isinstance(error, GnosisError):
        print_error(f"{error}{KEPT if is_exhausted(error) else ''}")
        return exit_code_of(error)
    said = " ".join(redacted(f"{type(error).__name__}: {error}").split())
    if is_exhausted(error):
        print_error(f"{said}{KEPT}")
        return ExitCode.RESOURCE
    if isinstance(error, (OSError, UnicodeError)):
        print_error(f"Cannot read or write: {error}")
        return ExitCode.USAGE
    print_error(f"{said} - a fault of gnosis-ray. `gnosis-ray --log-level debug ...` shows where: please report it.")
    return ExitCode.BUG


@contextmanager
def _terminable(ending: _Ending) -> Iterator[None]:
    """Raise SIGTERM as an interrupt, so that a run says how it can be resumed and stops the Ray that it started.

    A second signal soon after does not disturb the clean-up: who ends a group of processes may reach one twice.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def interrupt(number: int, _frame: FrameType | None) -> None:
        now = monotonic_seconds()
        if ending.at is None or now - ending.at >= AGAIN_S:
            ending.at, ending.by = now, number
            raise KeyboardInterrupt

    before = {signal.SIGTERM: signal.signal(signal.SIGTERM, interrupt)}
    if signal.getsignal(signal.SIGINT) == signal.default_int_handler:  # not where it is ignored: in the background
        before[signal.SIGINT] = signal.signal(signal.SIGINT, interrupt)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _flush_stdout() -> None:
    """A reader that has gone shows now, not at exit. One that never was, where stdout is closed, counts as gone."""
    if sys.stdout is None:
        raise BrokenPipeError
    sys.stdout.flush()


def _discard_stdout() -> None:
    """Nobody reads it any more: what is still buffered would raise again when the interpreter exits."""
    if sys.stdout is None:
        return
    with suppress(OSError, ValueError):  # a stdout without a file descriptor
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


@dataclass
class _Ending:
    """The signal that ends a command, and when it came: Ray raises a plain interrupt in place of a handler's error."""

    by: int | None = None
    at: float | None = None


class _ClosedPipeError(Exception):
    """What :class:`BrokenPipeError` is raised as: click would end the process with code 1."""
