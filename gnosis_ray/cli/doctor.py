"""``gnosis-ray doctor``: problems of this machine or cluster, with advice."""

from __future__ import annotations

import click
import polars as pl

from cluster.doctor import examine
from gnosis_ray.cli.console import emit, stderr
from gnosis_ray.cli.options import Format, format_option, out_option
from gnosis_ray.exit_codes import ExitCode
from gnosis_ray.ledger.default_ledger import LEDGER
from gnosis_ray.storage.location import Location


@click.command(name="doctor")
@out_option
@click.option("--deep", is_flag=True, help="Also start a local Ray and run a task on it.")
@click.option("--address", metavar="HOST:PORT", help="Also look at every node of the Ray cluster there.")
@format_option
@click.pass_obj
def command(profile: str | None, out: Location | None, deep: bool, address: str | None, format_: Format) -> int:
    """Check Python, Ray, memory, disk, settings and data; exit code 5 where a check fails."""
    checks = examine(out or LEDGER, profile, deep=deep, address=address)
    rows = [("ok" if c.ok else "PROBLEM", c.name, c.found, c.advice) for c in checks]
    emit(pl.DataFrame(rows, schema=["state", "check", "found", "advice"], orient="row"), format_, "Doctor")
    problems = sum(not check.ok for check in checks)
    stderr.print(
        "No problems." if problems == 0 else f"{problems} {'problem' if problems == 1 else 'problems'}: see the advice."
    )
    return ExitCode.CLUSTER if problems else ExitCode.DONE
