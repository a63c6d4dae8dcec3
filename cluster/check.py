"""One finding of the doctor."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Check:
    """One finding. ``advice`` is empty where ``ok``."""

    name: str
    ok: bool
    found: str
    advice: str


def check(name: str, ok: bool, found: str, advice: str) -> Check:
    """A finding, with its advice only where it is needed."""
    return Check(name, ok, found, "" if ok else advice)
