"""Named random streams: the numbers depend on what they are for, never on when they are drawn."""

from __future__ import annotations

import hashlib

import numpy as np


def stream(seed: int, symbol: str, purpose: str, block: int = 0) -> np.random.Generator:
    """The random stream of one symbol, purpose and block (a day, a week, a snapshot); the same bits at each call.

    Philox is counter-based (Salmon et al. 2011): its whole state is the key, here a hash of the arguments. Numbers are
    drawn in time's order, so that a longer draw begins with the shorter one.
    """
    text = "\x1f".join((str(seed), symbol, purpose, str(block)))
    key = np.frombuffer(hashlib.blake2b(text.encode(), digest_size=16).digest(), dtype="<u8")
    return np.random.Generator(np.random.Philox(key=key.astype(np.uint64)))
