"""The Parquet market store, point in time by symbol.

    <root>/chains/event_date=2026-07-10/part-<content>-<file>.parquet    trades, quotes, news alike
    <root>/bars/event_year=2026/part-<content>-<file>.parquet
    <root>/format.json                                                   see :mod:`gnosis_ray.data.store.store_format`

Parts are immutable, sorted by symbol, in small row groups, each with an index of its symbols in its footer. The store
is append-only: a correction is a new row with a later ``known_at``.
"""

from gnosis_ray.data.store.catalog import coverage
from gnosis_ray.data.store.source import StoreSource
from gnosis_ray.data.store.writer import AppendResult, StoreWriter

__all__ = ["AppendResult", "StoreSource", "StoreWriter", "coverage"]
