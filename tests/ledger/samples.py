"""Records, manifests and receipts to write, made by hand and by hypothesis."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from math import inf
from pathlib import Path

import polars as pl
from hypothesis import strategies as st

from gnosis_ray.ledger.ledger_store import LedgerStore
from gnosis_ray.ledger.partition import receipt_bytes
from gnosis_ray.ledger.rows import scan_frames
from gnosis_ray.ledger.run_writer import RunWriter
from gnosis_ray.ledger.tables import feature_columns
from gnosis_ray.market.columns import DETAILS
from gnosis_ray.plain_text import plain_text
from gnosis_ray.schemas.core_schemas import (
    ENGINE_KINDS,
    EngineKind,
    EngineSummary,
    LedgerRecord,
    StandardSnapshot,
    Suggestion,
    TradeIdea,
    TradeLeg,
)
from gnosis_ray.schemas.feature_spec import FeatureSpec
from gnosis_ray.schemas.run_schemas import Batch, BatchReceipt, Failure, RunManifest, RunReceipt, VendorTraffic
from gnosis_ray.storage.location import Location

NOON = datetime(2026, 7, 12, 12, tzinfo=UTC)
ENGINE_FEATURES: dict[EngineKind, tuple[FeatureSpec, ...]] = {
    "hedge": (FeatureSpec("pressure", "USD", "dealer pressure"), FeatureSpec("energy", "1", "regime energy")),
    "liquidity": (FeatureSpec("depth", "USD", "depth"),),
}
COLUMNS = feature_columns(ENGINE_FEATURES)
SYMBOLS = ("AAPL", "BRK.B", "MSFT", "NVDA", "XOM")


def record(symbol: str, **hedge: float) -> LedgerRecord:
    """One symbol's record; its figures follow from the symbol."""
    size = float(len(symbol))
    stance = Suggestion(
        id=f"{symbol}-hedge",
        layer="primary_hedge",
        symbol=symbol,
        action="long",
        confidence=0.5,
        forecast={"spot": 100.0 * size, "atm_iv_30d": 0.2},
        reasoning="dealers are short gamma — они покупают",
        tags=["short_gamma"],
    )
    legs = [
        TradeLeg(instrument_type="C", direction="buy", qty=1, strike=100.0, expiry="2026-08-21"),
        TradeLeg(instrument_type="STOCK", direction="sell", qty=100),
    ]
    idea = TradeIdea(
        id=f"{symbol}-idea",
        symbol=symbol,
        strategy_type="covered",
        side="short",
        legs=legs,
        cost_per_unit=-12.5,
        max_loss=inf,
        recommended_units=3,
        confidence=0.4,
        rationale="r",
    )
    return LedgerRecord(
        timestamp=NOON,
        symbol=symbol,
        snapshot=StandardSnapshot(
            symbol=symbol,
            timestamp=NOON,
            hedge=hedge or {"energy": 0.1 * size},
            regime="short_gamma",
            metadata={"hedge.confidence": "0.75", "hedge.degraded": "stale,few_strikes", "hedge.tier": "mid"},
            engines={"hedge": EngineSummary(confidence=0.75, degraded=("stale", "few_strikes"))},
        ),
        primary_suggestions=[stance],
        composite_suggestion=stance.model_copy(update={"id": f"{symbol}-all", "layer": "composer", "timestamp": NOON}),
        trade_ideas=[idea],
    )


def details(symbols: tuple[str, ...]) -> pl.DataFrame:
    """A profile of two points a symbol."""
    rows = [(symbol, NOON, "gamma", x, x * len(symbol)) for symbol in symbols for x in (90.0, 110.0)]
    return pl.DataFrame(rows, schema=DETAILS, orient="row")


def manifest(run_id: str = "20260712T120000-1f3a", symbols: tuple[str, ...] = SYMBOLS) -> RunManifest:
    """A run over ``symbols``, two a batch."""
    return RunManifest(
        run_id=run_id,
        run_date=date(2026, 7, 12),
        as_of=NOON,
        provider="synthetic",
        synthetic=True,
        universe="five",
        symbols=symbols,
        batch_size=2,
        config_hash="0123456789abcdef",
        config_json='{"a": "é"}',
        version="0.1.0",
        universe_note="read from five.txt",
    )


def run_receipt(run: RunManifest, **changes: object) -> RunReceipt:
    """What such a run could be sealed with."""
    receipt = RunReceipt(
        run_id=run.run_id,
        run_date=run.run_date,
        status="done_with_failures",
        as_of=run.as_of,
        provider=run.provider,
        synthetic=run.synthetic,
        universe=run.universe,
        granularity="shard",
        hosts=2,
        symbols=5,
        rows={"snapshots": 5, "trade_ideas": 5},
        degraded={"stale": ("AAPL", "XOM"), "few_strikes": ()},
        failures=(Failure(symbol="XOM", stage="hedge", kind="bad_data", error="ChainError", message="négatif"),),
        seconds={"read": 0.25, "decide": 1.5},
        config_hash=run.config_hash,
        version=run.version,
        started_at=NOON,
        finished_at=NOON + timedelta(seconds=2.5),
        traffic=(VendorTraffic(vendor="cboe", requests=12, retries=2, rows=4000, wait_seconds=1.75),),
        universe_note=run.universe_note,
    )
    return receipt.model_copy(update=changes)


def write(writer: RunWriter, batch: Batch, attempt: int = 1, *, energy: float | None = None) -> None:
    """Write a batch; ``energy`` makes its content differ from that of other attempts, in every table."""
    change = {} if energy is None else {"energy": energy}
    records = [record(symbol, **change) for symbol in batch.symbols]
    if energy is not None:
        records = [_retold(one, f"energy {energy}") for one in records]
    shown = details(batch.symbols) if energy is None else details(batch.symbols).with_columns(value=pl.lit(energy))
    failed = [Failure(symbol="ZZZ", stage="hedge", kind="bad_data", error="ChainError", message=f"energy {energy}")]
    rows = {"snapshots": len(records), "trade_ideas": len(records)}
    receipt = BatchReceipt(batch=batch.index, attempt=attempt, rows=rows)
    writer.write_batch(batch, scan_frames(records, shown, failed, COLUMNS), receipt)


def without_digests(root: Path) -> None:
    """Make a ledger in a folder what a version without digests would have written."""
    for marker in root.glob("commits/*/*/batch-*"):
        fields = {name: value for name, value in json.loads(marker.read_bytes()).items() if name != "sha256"}
        marker.write_bytes(receipt_bytes(BatchReceipt.model_validate({**fields, "digests": {}})))
    for receipt in root.glob("runs/*/*/receipt.parquet"):
        pl.read_parquet(receipt, hive_partitioning=False).drop("sha256", "content_digest").write_parquet(receipt)


def _retold(one: LedgerRecord, story: str) -> LedgerRecord:
    composite = one.composite_suggestion.model_copy(update={"reasoning": story})
    ideas = [idea.model_copy(update={"rationale": story}) for idea in one.trade_ideas]
    return one.model_copy(update={"composite_suggestion": composite, "trade_ideas": ideas})


def store(path: str | Location) -> LedgerStore:
    """A ledger that knows the features."""
    return LedgerStore(path, ENGINE_FEATURES)


_texts = st.text(max_size=12).map(plain_text)  # as they are once they have entered
_numbers = st.floats(allow_nan=False, allow_infinity=False)
_positive = st.floats(min_value=1e-300, allow_nan=False, allow_infinity=False)
_shares = st.floats(min_value=0.0, max_value=1.0)
_features = st.dictionaries(st.text(max_size=8).filter(lambda name: name != "confidence"), _numbers, max_size=4)
_metadata = st.dictionaries(
    st.one_of(_texts, st.sampled_from(["hedge.confidence", "hedge.degraded", "degraded"])), _texts, max_size=4
)
_summaries = st.builds(
    EngineSummary,
    confidence=_shares,
    regime=st.none() | _texts,
    degraded=st.lists(_texts, max_size=2).map(tuple),
    absent=st.lists(_texts, max_size=2).map(tuple),
)
_moments = st.datetimes(
    min_value=datetime(1990, 1, 1),  # noqa: DTZ001  hypothesis adds the zone
    max_value=datetime(2090, 1, 1),  # noqa: DTZ001
    timezones=st.sampled_from((None, UTC)),
)
_snapshots = st.builds(
    StandardSnapshot,
    symbol=_texts,
    timestamp=_moments,
    hedge=_features,
    liquidity=_features,
    sentiment=_features,
    elasticity=_features,
    regime=st.none() | _texts,
    metadata=_metadata,
    engines=st.dictionaries(st.sampled_from(ENGINE_KINDS), _summaries),
)
_suggestions = st.builds(
    Suggestion,
    id=_texts,
    layer=_texts,
    symbol=_texts,
    timestamp=st.none() | _moments,
    action=st.sampled_from(["long", "short", "flat", "spread", "complex"]),
    confidence=_shares,
    forecast=st.dictionaries(_texts, _numbers, max_size=3),
    reasoning=_texts,
    tags=st.lists(_texts, max_size=3),
)
_legs = st.builds(
    TradeLeg,
    instrument_type=st.sampled_from(["C", "P", "STOCK"]),
    direction=st.sampled_from(["buy", "sell"]),
    qty=st.integers(1, 2**40),
    strike=st.none() | _positive,
    expiry=st.none() | st.dates(min_value=date(1990, 1, 1)).map(date.isoformat),
    price=st.none() | _positive,
)
_ideas = st.builds(
    TradeIdea,
    id=_texts,
    symbol=_texts,
    strategy_type=_texts,
    side=st.sampled_from(["long", "short", "neutral"]),
    legs=st.lists(_legs, max_size=4),
    cost_per_unit=_numbers,
    max_loss=st.just(inf) | st.floats(min_value=0.0, allow_nan=False),
    max_profit=st.none() | _numbers,
    breakeven_levels=st.lists(_numbers, max_size=3),
    probability_of_profit=st.none() | _shares,
    expected_value=st.none() | _numbers,
    expected_edge=st.none() | _numbers,
    target_exit_price=st.none() | _numbers,
    stop_loss_price=st.none() | _numbers,
    recommended_units=st.integers(0, 2**40),
    confidence=_shares,
    rationale=_texts,
    tags=st.lists(_texts, max_size=3),
)
any_record = st.builds(
    LedgerRecord,
    timestamp=_moments,
    symbol=_texts,
    snapshot=_snapshots,
    primary_suggestions=st.lists(_suggestions, max_size=3),
    composite_suggestion=_suggestions,
    trade_ideas=st.lists(_ideas, max_size=3),
    realized_pnl=st.none() | _numbers,
)
"""Any record at all."""
