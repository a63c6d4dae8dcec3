"""Appends to a simulated market store by one process after the other, crashed, read and repeated."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import lru_cache, partial
from random import Random

import polars as pl

from gnosis_ray.data.store import StoreSource, StoreWriter
from gnosis_ray.data.store.catalog import Catalog
from gnosis_ray.data.store.reading import read_rows
from gnosis_ray.data.store.store_format import read_format
from gnosis_ray.market.columns import BARS, FEATURE_HISTORY, KEYS
from gnosis_ray.market.datasets import STORE_DATASETS
from gnosis_ray.schemas.core_schemas import StoreKind
from tests.simulation.outcomes import Commands, DamageFoundError, Outcome, reading, require
from tests.simulation.places import FAULTS, PlaceKind, SimulatedPlace, simulated
from tests.simulation.world import World, drawn_faults

_FIRST = datetime(2025, 12, 30, 21, tzinfo=UTC)
_DAY = timedelta(days=1)
_KINDS: tuple[StoreKind, ...] = ("bars", "features")

Tables = dict[StoreKind, pl.DataFrame]


def _bars(days: range, close: float, known_after: timedelta = timedelta(0)) -> pl.DataFrame:
    rows = []
    for symbol in ("SIM1", "SIM2"):
        for day in days:
            price, event = close + day, _FIRST + day * _DAY
            rows.append((symbol, event, event + known_after, price, price + 1, price - 1, price, 1e6, None))
    return pl.DataFrame(rows, schema=BARS, orient="row")


def _features(days: range, value: float) -> pl.DataFrame:
    rows = [
        ("SIM1", event, event, "simulated", "0123456789abcdef", "hedge__pressure", value + day)
        for day in days
        for event in [_FIRST + day * _DAY]
    ]
    names = ("symbol", "timestamp", "known_at", "provider", "feature_hash", "feature", "value")
    return pl.DataFrame(rows, schema=names, orient="row").select(
        pl.col(name).cast(dtype) for name, dtype in FEATURE_HISTORY.items()
    )


APPENDS: tuple[Callable[[StoreWriter], object], ...] = (
    lambda writer: writer.append("bars", _bars(range(4), 100.0)),
    lambda writer: writer.append_new("bars", _bars(range(2, 6), 100.0), _FIRST + 8 * _DAY),
    lambda writer: writer.append_features(_features(range(3), 1.0)),
    lambda writer: writer.append("bars", _bars(range(2), 100.5, known_after=_DAY)),
    lambda writer: writer.append_features(_features(range(1, 4), 1.0)),
)
"""Two years of bars, days of features; the second and the last repeat rows that are there, the fourth corrects some.

They give the same rows in any order: a process that was stopped may go on after the next ones are done.
"""


@dataclass(frozen=True)
class UndisturbedAppends:
    """Appends where nothing goes wrong: what the store holds after each, what engines read, and the steps."""

    after: tuple[Tables, ...]
    bars: pl.DataFrame
    steps: int


@dataclass
class MarketAppends:
    """A store, and how many appends a command has said to be done."""

    place: SimulatedPlace
    done: int = 0
    _checked: object = field(default=None, repr=False)

    def command(self, number: int) -> None:
        """One append, in a process of its own."""
        APPENDS[number](StoreWriter(self.place / "market"))

    def finish(self, number: int) -> None:
        """A command has said that its append is done."""
        self.done = max(self.done, number + 1)

    def check(self, expected: UndisturbedAppends) -> None:
        """Every row of what is done is there, and no row that is none of the appends."""
        with reading(self.place.world):
            done = self.done  # others may go on while this one reads
            state = (done, self.place.contents())
            if state != self._checked:
                self._checked = state
                self._check(expected, done)

    def _check(self, expected: UndisturbedAppends, done: int) -> None:
        found = tables(self.place)
        for kind, rows in found.items():
            required, possible = expected.after[done][kind], expected.after[-1][kind]
            lost = required.join(rows, on=required.columns, how="anti", nulls_equal=True)
            require(lost.is_empty(), f"rows of {kind} are lost: {lost}")
            strange = rows.join(possible, on=rows.columns, how="anti", nulls_equal=True)
            require(strange.is_empty(), f"rows of {kind} were never appended: {strange}")
        if any(rows.height for rows in found.values()):
            require(read_format(self.place / "market").stated, "the store has lost its format")
        if done == len(APPENDS):
            require(read_bars(self.place).equals(expected.bars), "engines read other bars")


def tables(place: SimulatedPlace) -> Tables:
    """All rows of the store, each once, sorted."""
    root, found = place / "market", {}
    catalog = Catalog(root, may_be_empty=True)
    for kind in _KINDS:
        data = STORE_DATASETS[kind]
        listing = catalog.listing(data)
        rows = read_rows(root, data, listing, listing.index, data.stored).select(data.stored.names())
        found[kind] = rows.unique().sort(rows.columns)
    return found


def read_bars(place: SimulatedPlace) -> pl.DataFrame:
    """What engines read."""
    keys = pl.DataFrame([("SIM1", _FIRST + 9 * _DAY), ("SIM2", _FIRST + 9 * _DAY)], schema=KEYS, orient="row")
    return StoreSource(place / "market").bars(keys, 5)


@lru_cache
def undisturbed_appends(kind: PlaceKind) -> UndisturbedAppends:
    """The appends where nothing goes wrong."""
    world = World(Random(0))  # noqa: S311
    with simulated(kind, world) as place:
        appends, after, steps = MarketAppends(place), [tables(place)], 0
        for number in range(len(APPENDS)):
            before = world.steps
            appends.command(number)
            steps += world.steps - before
            after.append(tables(place))
        return UndisturbedAppends(tuple(after), read_bars(place), steps)


def run_market(kind: PlaceKind, world: World) -> Outcome:
    """One seed: each append is repeated until it is done; after each command somebody reads."""
    expected = undisturbed_appends(kind)
    world.faults = drawn_faults(world.chance, FAULTS[kind], expected.steps)
    with simulated(kind, world) as place:
        appends, commands = MarketAppends(place), Commands(place)
        try:
            while appends.done < len(APPENDS):
                number = appends.done
                if not commands.run("appender", partial(appends.command, number), partial(appends.finish, number)):
                    appends.check(expected)
            place.last_checks(lambda: appends.check(expected))
        except DamageFoundError:
            return commands.outcome("market store", len(APPENDS), damage=True)
        return commands.outcome("market store", len(APPENDS))
