"""The description of a feature: what engines declare, ledgers keep and reports show."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class FeatureSpec:
    """One feature: its column name, unit, meaning and source (paper, equation)."""

    name: str
    unit: str
    doc: str
    source: str = ""
