"""What it costs that every part is compared with its digest when it is read."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from unittest.mock import patch

from benchmarks.market import Market
from benchmarks.passes import job_of
from benchmarks.report import Row
from benchmarks.timing import alternate
from gnosis_ray.clock import utc_now
from gnosis_ray.data.store import StoreSource
from gnosis_ray.fanout import InlineFanout
from gnosis_ray.ledger.ledger_store import LedgerStore
from gnosis_ray.runs.life import execute_run
from gnosis_ray.storage import digests

ROUNDS = 9


def rows(market: Market, scratch: Path) -> Iterator[Row]:
    """Reading a run and the market's chains, with the comparison and without it."""
    job, manifest = job_of(market, scratch)
    root, run, tables = job.writer.root, manifest.run_id, manifest.tables
    fanout = InlineFanout(market.config.run.max_attempts)
    execute_run(job, manifest, job.writer, fanout, utc_now, lambda _receipt: None, market.as_of, {})
    yield _row(
        f"read all {len(tables)} tables of a sealed run of {len(market.symbols)} symbols",
        lambda: [LedgerStore(root).read(table, run) for table in tables],
        "aim: below 1.15",
    )
    yield _row(
        f"read the chains of {len(market.symbols)} symbols, as a new process does",
        lambda: StoreSource(market.root).raw_chains(market.keys),
        "hashed once a process, here each time",
    )


def _row(what: str, read: Callable[[], object], note: str) -> Row:
    seconds = alternate({"compared": partial(_anew, read), "not": partial(_without, read)}, ROUNDS)
    return Row(what, seconds["compared"], "the same, not compared", seconds["not"], note=note)


def _anew(read: Callable[[], object]) -> object:
    digests.forget_files()
    return read()


def _without(read: Callable[[], object]) -> object:
    with _no_comparison():
        return read()


@contextmanager
def _no_comparison() -> Iterator[None]:
    with (
        patch("gnosis_ray.ledger.partition.require_digest"),
        patch("gnosis_ray.data.store.part_files.require_file_digests"),
    ):
        yield
