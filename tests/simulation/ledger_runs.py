"""Whole runs over simulated hosts into a simulated ledger, with their features' history: crashed, read and resumed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from functools import lru_cache
from itertools import count
from random import Random

import polars as pl

from gnosis_ray.app.feature_history import append_history
from gnosis_ray.data.store.catalog import Catalog
from gnosis_ray.data.store.reading import read_rows
from gnosis_ray.errors import LedgerError
from gnosis_ray.fanout import OnReceipt
from gnosis_ray.ledger.ledger_store import LedgerStore
from gnosis_ray.ledger.run_writer import RunWriter
from gnosis_ray.market.datasets import FEATURES
from gnosis_ray.runs.life import execute_run
from gnosis_ray.schemas.run_schemas import BatchReceipt, RunReceipt
from tests.simulation.hosts import SimulatedFanout
from tests.simulation.outcomes import Commands, DamageFoundError, Outcome, reading, require
from tests.simulation.places import FAULTS, PlaceKind, SimulatedPlace, simulated
from tests.simulation.tiny_run import NONCE, NOON, RUN_ID, TinyJob, manifest
from tests.simulation.world import World, drawn_faults


@dataclass(frozen=True)
class Undisturbed:
    """What a run comes to where nothing goes wrong, and in how many steps."""

    rows: pl.DataFrame
    history: pl.DataFrame
    receipt: RunReceipt
    steps: int


@dataclass
class LedgerRuns:
    """One run in one place, command after command."""

    place: SimulatedPlace
    batches: int
    hosts: int
    publishes: bool
    """Whether its features join their history, as those of a backfill do."""
    nonces: Iterator[int] = field(default_factory=count)
    acknowledged: set[int] = field(default_factory=set)
    """Batches whose receipts the driver has seen."""
    sealed: bool = False
    """Whether a command has said that the run is done."""
    _checked: object = None
    """What lay there at the last check."""

    def command(self) -> RunReceipt:
        """What ``data backfill`` does, or with ``--resume`` where the run was begun."""
        ledger, run = LedgerStore(self.place / "ledger"), manifest(self.batches)
        try:
            writer = ledger.resume(ledger.find(RUN_ID))
        except LedgerError:
            writer = ledger.begin(run)
        receipt = writer.finished()
        if receipt is not None:
            return receipt
        return execute_run(
            TinyJob(writer, self.nonces),
            run,
            writer,
            SimulatedFanout(self.place.world, self.hosts),
            lambda: NOON + timedelta(seconds=self.place.world.now),
            self._acknowledge(set()),
            NOON,
            {},
            (lambda: self._publish(writer)) if self.publishes else lambda: None,
        )

    def check(self, expected: Undisturbed) -> None:
        """What any reader sees now is some whole batches of the run, all that were acknowledged; if sealed, all."""
        with reading(self.place.world):
            said_sealed, acknowledged = self.sealed, set(self.acknowledged)  # others may go on while this one reads
            state = (said_sealed, acknowledged, self.place.contents())
            if state != self._checked:
                self._checked = state
                self._check(expected, said_sealed, acknowledged)

    def _check(self, expected: Undisturbed, said_sealed: bool, acknowledged: set[int]) -> None:
        ledger = LedgerStore(self.place / "ledger")
        overview = ledger.overview()
        for run in overview:
            if run.error is not None:
                raise run.error
        if not overview:
            require(not acknowledged and not said_sealed, "the run is gone")
            return
        rows = ledger.read("features").drop(NONCE, strict=False)
        sealed = overview[0].ended
        require(sealed or not said_sealed, "the run is no longer sealed")
        symbols = set(rows["symbol"])
        wanted = expected.rows.filter(pl.col("symbol").is_in(list(symbols)))
        require(not symbols or rows.equals(wanted), f"expected {wanted}, was {rows}")
        whole = [batch.index for batch in manifest(self.batches).batches() if symbols >= set(batch.symbols)]
        require(len(whole) * 2 == len(symbols), "half a batch is there")
        require(acknowledged <= set(whole), f"batches {sorted(acknowledged - set(whole))} are lost")
        if sealed:
            self._check_sealed(ledger, rows, expected)

    def _check_sealed(self, ledger: LedgerStore, rows: pl.DataFrame, expected: Undisturbed) -> None:
        require(rows.height == expected.rows.height, f"{rows.height} rows in a sealed run of {expected.rows.height}")
        require(ledger.read("failures").is_empty(), f"symbols are blamed: {ledger.read('failures').to_dicts()}")
        receipt = ledger.receipt(RUN_ID)
        wanted = expected.receipt.model_copy(
            update={name: getattr(receipt, name) for name in ("started_at", "finished_at", "seconds", "content_digest")}
        )
        require(receipt == wanted, f"expected the receipt {wanted}, was {receipt}")
        require(not self.publishes or history(self.place).equals(expected.history), "the history of features differs")

    def _acknowledge(self, seen: set[int]) -> OnReceipt:
        def on_receipt(receipt: BatchReceipt) -> None:
            require(receipt.batch not in seen, f"batch {receipt.batch} was acknowledged twice")
            seen.add(receipt.batch)
            self.acknowledged.add(receipt.batch)

        return on_receipt

    def _publish(self, writer: RunWriter) -> None:
        rows = LedgerStore(writer.root).read("features", writer.run_id)
        append_history(self.place / "market", rows, "simulated", "0123456789abcdef", NOON)


def history(place: SimulatedPlace) -> pl.DataFrame:
    """All that the history of features holds, sorted."""
    root = place / "market"
    listing = Catalog(root, may_be_empty=True).listing(FEATURES)
    rows = read_rows(root, FEATURES, listing, listing.index, FEATURES.stored)
    return rows.select(FEATURES.stored.names()).sort(*FEATURES.identity, "known_at")


@lru_cache
def undisturbed(kind: PlaceKind, batches: int, hosts: int, *, publishes: bool) -> Undisturbed:
    """A run in which nothing goes wrong."""
    world = World(Random(0))  # noqa: S311
    with simulated(kind, world) as place:
        runs = LedgerRuns(place, batches, hosts, publishes)
        receipt, steps = runs.command(), world.steps
        return Undisturbed(LedgerStore(place / "ledger").read("features").drop(NONCE), history(place), receipt, steps)


def run_ledger(kind: PlaceKind, world: World) -> Outcome:
    """One seed: commands under faults, each followed by a reader, until one succeeds."""
    chance = world.chance
    batches, hosts = chance.choice((3, 3, 4, 4, 5, 6)), chance.randint(1, 3)
    publishes = chance.random() < 0.4
    expected = undisturbed(kind, batches, hosts, publishes=publishes)
    world.faults = drawn_faults(chance, FAULTS[kind], expected.steps)
    with simulated(kind, world) as place:
        runs, commands = LedgerRuns(place, batches, hosts, publishes), Commands(place)

        def sealed() -> None:
            runs.sealed = True

        try:
            while not runs.sealed:
                if not commands.run("driver", runs.command, sealed):
                    runs.check(expected)
            place.last_checks(lambda: runs.check(expected))
        except DamageFoundError:
            return commands.outcome("ledger", 1, damage=True)
        return commands.outcome("ledger", 1)
