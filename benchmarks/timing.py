"""Medians of alternating runs: what slows the machine down slows every side down."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from statistics import median


def alternate(sides: Mapping[str, Callable[[], object]], rounds: int) -> dict[str, float]:
    """Median seconds of each side over ``rounds``, each of which runs every side once; a round before warms up."""
    seconds: dict[str, list[float]] = {name: [] for name in sides}
    for turn in range(rounds + 1):
        for name, side in sides.items():
            taken = seconds_of(side)
            if turn > 0:
                seconds[name].append(taken)
    return {name: median(taken) for name, taken in seconds.items()}


def seconds_of(side: Callable[[], object]) -> float:
    """How long a call takes."""
    started = time.perf_counter()
    side()
    return time.perf_counter() - started
