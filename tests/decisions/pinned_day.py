"""What the default settings decide for twelve symbols of the synthetic market at its configured moment."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path

from gnosis_ray.app.sources import build_calendar
from gnosis_ray.config import load_config
from gnosis_ray.ledger.ledger_store import LedgerStore
from gnosis_ray.schemas.core_schemas import LedgerRecord, Suggestion, TradeIdea, TradeLeg
from tests.support.scans import manifest_of, work

PINS = Path(__file__).with_name("pinned_day.json")

SYMBOLS = ("AAPL", "AEP", "ALLE", "AMT", "APD", "AXON", "CNC", "CSCO", "DLR", "SBUX", "WMT", "XOM")
"""Every action and every strategy that the synthetic market brings about is among their decisions."""

DIGITS = 6
"""Significant digits of a pinned figure."""

TOLERANCE = 1e-5
"""Relative difference that is none: at most twice what pinning rounds off, far above what processors differ by."""

NOTHING = 1e-12
"""Beside zero, what rounding leaves."""

WIDEST = 44
"""Columns that a column of the table of changes is padded to at most."""

Value = str | float | int | bool | None
Fields = dict[str, Value]
Day = dict[str, Fields]
"""Symbol -> dotted field -> value."""


def decided(folder: Path) -> Day:
    """Run the scan, in this process, into a ledger in ``folder``, and read its decisions."""
    config = load_config().config
    as_of = config.data.synthetic.as_of
    calendar = build_calendar(config, as_of)
    work(folder, config, calendar, manifest_of(config, calendar, list(SYMBOLS), as_of))
    return {record.symbol: _fields(record) for record in LedgerStore(folder).stream()}


def pinned() -> Day:
    """The decisions that are held."""
    day: Day = json.loads(PINS.read_text(encoding="utf-8"))
    return day


def pin(day: Day) -> None:
    """Hold these decisions from now on: figures rounded to :data:`DIGITS`, fields in the order of decision."""
    rounded = {symbol: {name: _rounded(value) for name, value in fields.items()} for symbol, fields in day.items()}
    PINS.write_text(json.dumps(rounded, indent=1) + "\n", encoding="utf-8")


def differences(was: Day, now: Day) -> list[str]:
    """A line for each decision that changed: symbol, field, what it was, what it is; columns aligned."""
    rows = [
        (symbol, field, _text(before, field), _text(after, field))
        for symbol in sorted({*was, *now})
        for before, after in [(was.get(symbol, {}), now.get(symbol, {}))]
        for field in {**before, **after}
        if field not in before or field not in after or not _same(before[field], after[field])
    ]
    if not rows:
        return []
    rows = [("symbol", "field", "was", "is"), *rows]
    widths = [min(WIDEST, max(len(row[column]) for row in rows)) for column in range(3)]
    return ["  ".join([*(row[i].ljust(widths[i]) for i in range(3)), row[3]]) for row in rows]


def _fields(record: LedgerRecord) -> Fields:
    fields: Fields = {"regime": record.snapshot.regime}
    for suggestion in (*record.primary_suggestions, record.composite_suggestion):
        fields |= _stance(suggestion)
    fields["ideas"] = ", ".join(idea.strategy_type for idea in record.trade_ideas)
    for idea in record.trade_ideas:
        fields |= _idea(idea)
    return fields


def _stance(suggestion: Suggestion) -> Fields:
    layer = suggestion.layer.removeprefix("primary_")
    figures = {f"{layer}.forecast.{name}": value for name, value in sorted(suggestion.forecast.items())}
    return {
        f"{layer}.action": suggestion.action,
        f"{layer}.confidence": suggestion.confidence,
        **figures,
        f"{layer}.tags": ", ".join(suggestion.tags),
    }


def _idea(idea: TradeIdea) -> Fields:
    named: Fields = {
        "side": idea.side,
        "legs": " | ".join(_leg(leg) for leg in idea.legs),
        "cost_per_unit": idea.cost_per_unit,
        "max_loss": idea.max_loss if math.isfinite(idea.max_loss) else "unbounded",
        "max_profit": "unbounded" if idea.max_profit is None else idea.max_profit,
        **{f"breakeven_{number}": level for number, level in enumerate(idea.breakeven_levels, 1)},
        "probability_of_profit": idea.probability_of_profit,
        "expected_value": idea.expected_value,
        "expected_edge": idea.expected_edge,
        "target_exit_price": idea.target_exit_price,
        "stop_loss_price": idea.stop_loss_price,
        "recommended_units": idea.recommended_units,
        "confidence": idea.confidence,
        "tags": ", ".join(idea.tags),
    }
    return {f"{idea.strategy_type}.{name}": value for name, value in named.items()}


def _leg(leg: TradeLeg) -> str:
    """``buy 1 C 310 2026-08-21``; ``buy 1 STOCK``."""
    words = [leg.direction, f"{leg.qty:g}", leg.instrument_type]
    if leg.strike is not None:
        words += [f"{leg.strike:g}", str(leg.expiry)]
    return " ".join(words)


def _rounded(value: Value) -> Value:
    return float(f"{value:.{DIGITS}g}") if isinstance(value, float) else value


def _same(was: Value, now: Value) -> bool:
    if isinstance(was, float) and isinstance(now, float):
        return math.isclose(was, now, rel_tol=TOLERANCE, abs_tol=NOTHING)
    return was == now


def _text(fields: Mapping[str, Value], field: str) -> str:
    value = fields.get(field, "(absent)")
    return f"{value:.{DIGITS}g}" if isinstance(value, float) else str(value)
