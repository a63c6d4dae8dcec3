"""Trades made by hand on the synthetic chain, and the evidence and reports of them."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import date

import polars as pl

from gnosis_ray.app.sources import build_adapter
from gnosis_ray.config import Config
from gnosis_ray.ledger.ledger_store import SymbolEntry
from gnosis_ray.market.calendar import SessionCalendar
from gnosis_ray.market.keys import one_key
from gnosis_ray.options.payoff import PayoffLeg, summarise
from gnosis_ray.pipeline.evidence import leg_quotes_frame, payoffs_frame
from gnosis_ray.schemas.core_schemas import LedgerRecord, TradeIdea, TradeLeg

COMMISSION = 1.3
"""USD a unit, so that a cost is not the sum of its fills alone."""


def chain_of(entry: SymbolEntry, config: Config, calendar: SessionCalendar) -> pl.DataFrame:
    """The chain of the entry's moment."""
    return build_adapter(config, calendar).fetch_chain(recorded(entry).symbol, entry.manifest.as_of)


def recorded(entry: SymbolEntry) -> LedgerRecord:
    """Its record, which is there."""
    if entry.record is None:
        raise LookupError("no record")
    return entry.record


def legs_from(chain: pl.DataFrame) -> dict[str, list[TradeLeg]]:
    """Legs of some structures around the money, filled at bid and ask, by strategy."""
    quoted = chain.filter(pl.col("mid_price").is_not_null() & pl.col("iv").is_not_null() & (pl.col("dte") > 14))
    near, far = quoted["expiry"].unique().sort()[:2]
    spot = chain["underlying_price"][0]

    def leg(kind: str, direction: str, moneyness: float, expiry: date = near) -> TradeLeg:
        rows = quoted.filter((pl.col("type") == kind) & (pl.col("expiry") == expiry))
        row = rows.sort((pl.col("strike") / (spot * moneyness) - 1).abs(), "strike").row(0, named=True)
        price = row["ask"] if direction == "buy" else row["bid"]
        return TradeLeg.model_validate(
            {
                "instrument_type": kind,
                "direction": direction,
                "qty": 1,
                "strike": row["strike"],
                "expiry": expiry.isoformat(),
                "price": price,
            }
        )

    stock = TradeLeg(instrument_type="STOCK", direction="buy", qty=100, price=spot)
    return {
        "call_debit_spread": [leg("C", "buy", 1.0), leg("C", "sell", 1.05)],
        "iron_condor": [
            leg("P", "buy", 0.90),
            leg("P", "sell", 0.95),
            leg("C", "sell", 1.05),
            leg("C", "buy", 1.10),
        ],
        "calendar": [leg("C", "sell", 1.0), leg("C", "buy", 1.0, far)],
        "covered_call": [stock, leg("C", "sell", 1.05)],
        "short_stock": [TradeLeg(instrument_type="STOCK", direction="sell", qty=1, price=spot)],
    }


def idea_of(strategy: str, legs: list[TradeLeg], **changes: object) -> TradeIdea:
    """A trade of these legs, its figures those of its payoff less the commission."""
    held = [PayoffLeg.from_trade(leg, leg.price or 0.0) for leg in legs]
    held[0] = replace(held[0], premium=held[0].premium + held[0].sign * COMMISSION / held[0].shares)
    figures = summarise(held)
    several = len({leg.expiry for leg in legs if leg.expiry}) > 1
    idea = TradeIdea(
        id=strategy,
        symbol="X",
        strategy_type=strategy,
        side="neutral",
        legs=legs,
        cost_per_unit=figures.cost,
        max_loss=figures.cost if several else figures.max_loss,
        max_profit=None if several or figures.max_profit is None else figures.max_profit,
        breakeven_levels=[] if several else list(figures.breakevens),
        probability_of_profit=0.62,
        expected_value=-4.2,
        expected_edge=11.5,
        recommended_units=0 if math.isinf(figures.max_loss) else 3,
        confidence=0.41,
        rationale="made by hand",
    )
    return idea.model_copy(update=changes)


def with_ideas(entry: SymbolEntry, ideas: list[TradeIdea], config: Config, calendar: SessionCalendar) -> SymbolEntry:
    """The same entry with other trades, and the evidence that a scan keeps of them."""
    record = recorded(entry).model_copy(update={"trade_ideas": ideas})
    quotes = leg_quotes_frame([record], one_key(record.symbol, record.timestamp), build_adapter(config, calendar))
    of_ideas = {"leg_quotes": quotes, "payoffs": payoffs_frame([record], quotes)}
    return replace(entry, record=record, evidence={**entry.evidence, **of_ideas})
