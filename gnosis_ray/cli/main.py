"""``gnosis-ray``: dispatches to the verb, turns errors into messages and exit codes.

Exit codes: 0 done, 2 usage or configuration, 3 done with failed symbols, 4 no data, 5 cluster, 130 interrupted.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Sequence
from importlib.metadata import version

import click

from gnosis_ray.cli.console import print_error
from gnosis_ray.cli.logs import log_level_option
from gnosis_ray.errors import ConfigError, GnosisError

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
INTERRUPTED = 130


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


@click.group(cls=Verbs, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(version("gnosis-ray"), prog_name="gnosis-ray")
@click.option("--profile", metavar="NAME|FILE", help="A settings file, or the name of one, over the defaults.")
@log_level_option
@click.pass_context
def gnosis_ray(ctx: click.Context, profile: str | None) -> None:
    """Watch an options and equity universe the way a desk does, in parallel on Ray."""
    ctx.obj = profile


def run(arguments: Sequence[str] | None = None) -> int:
    """Run a command line; returns its exit code. Side effects: whatever the verb does."""
    try:
        result = gnosis_ray.main(args=arguments, prog_name="gnosis-ray", standalone_mode=False)
    except click.exceptions.Exit as leaving:
        return leaving.exit_code
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):
        print_error("Interrupted.")
        return INTERRUPTED
    except GnosisError as error:
        print_error(str(error))
        return error.exit_code
    except (OSError, UnicodeError) as error:
        print_error(f"Cannot read or write: {error}")
        return ConfigError.exit_code
    return result if isinstance(result, int) else 0


def main() -> None:
    """The console script."""
    sys.exit(run())
