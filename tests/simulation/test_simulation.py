"""Nothing is lost and nothing is hidden, whatever disks, object stores, hosts and processes do: a sample by seed."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from random import Random

import pytest

from tests.simulation.ledger_runs import run_ledger
from tests.simulation.mutations import MUTATIONS, Mutation
from tests.simulation.outcomes import Outcome
from tests.simulation.seeds import SeedError, run_seed
from tests.simulation.world import World

SAMPLE = 200


@pytest.fixture(autouse=True)
def _without_logs() -> Iterator[None]:
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


@pytest.fixture(scope="module")
def outcomes() -> list[Outcome]:
    """Of the sample; fails where a seed does."""
    logging.disable(logging.CRITICAL)
    return [run_seed(seed) for seed in range(SAMPLE)]


def test_every_seed_ends_in_the_rows_of_an_undisturbed_run_or_names_the_damage(outcomes: list[Outcome]) -> None:
    assert len(outcomes) == SAMPLE


def test_the_sample_meets_every_fault_in_every_scenario(outcomes: list[Outcome]) -> None:
    fired = {(outcome.scenario.split()[-1], kind) for outcome in outcomes for kind in outcome.fired}
    everywhere = {"power cut", "process killed", "process stopped", "bits flipped"}
    disk = {"disk full", "quota used up", "I/O error", "I/O errors that last", "answer late", "answer twice"}
    store = {"request lost", "answer lost", "request late", "request repeated", "store refuses"}
    assert fired >= {("folder", kind) for kind in everywhere | disk} | {("bucket", kind) for kind in everywhere | store}
    assert {outcome.ending for outcome in outcomes} == {"undisturbed", "went on by itself", "resumed", "damage found"}


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda mutation: mutation.name)
def test_a_fault_in_the_code_turns_its_seed_red(mutation: Mutation) -> None:
    run_seed(mutation.seed)
    with mutation.applied(), pytest.raises(SeedError, match=f"SEED={mutation.seed}"):
        run_seed(mutation.seed)


@pytest.mark.parametrize("seed", [3, 4])
def test_a_seed_replays_to_the_step(seed: int) -> None:
    traces = []
    for _ in range(2):
        world = World(Random(seed))  # noqa: S311
        run_ledger("folder", world)
        traces.append(world.trace)
    assert traces[0] == traces[1]
