"""The ideas of a run, ranked: figures of the whole position, and the trade in a line."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import groupby
from typing import Any

import polars as pl

from gnosis_ray.config import as_of_text
from gnosis_ray.schemas.conventions import UNBOUNDED_STOPS
from gnosis_ray.schemas.run_schemas import RunReceipt

Leg = Mapping[str, Any]

STOCK_WORDS = {"buy": "buy", "sell": "sell short"}


def ideas_frame(ideas: pl.DataFrame, receipt: RunReceipt) -> pl.DataFrame:
    """Rows of ``TRADE_IDEAS``, best ``score`` first.

    The columns keep their names and order from release to release; those that are the ledger's have its names.

    score = (expected value + expected edge) / maximum loss x confidence. A negative expectation counts whole: doubt
    makes no loss smaller. An unbounded loss stands as that many stop distances as its size was reckoned with. Ideas
    without an expectation come last, surest first. Amounts ``*_usd`` are of the whole position; a negative cost is
    money received, an unbounded loss is infinite, an unbounded profit null.
    """
    units = pl.col("recommended_units")
    expected = pl.col("expected_value") + pl.col("expected_edge")
    share = expected / _loss()
    return ideas.select(
        "symbol",
        "strategy_type",
        "side",
        "confidence",
        share.mul(pl.when(share > 0).then(pl.col("confidence")).otherwise(1.0)).alias("score"),
        "probability_of_profit",
        (pl.col("expected_value") * units).alias("expected_value_usd"),
        (pl.col("expected_edge") * units).alias("expected_edge_usd"),
        pl.struct("legs", "recommended_units").map_elements(_trade, return_dtype=pl.String).alias("trade"),
        "recommended_units",
        (pl.col("cost_per_unit") * units).alias("cost_usd"),
        (pl.col("max_loss") * units).alias("max_loss_usd"),
        (pl.col("max_profit") * units).alias("max_profit_usd"),
        "breakeven_levels",
        "cost_per_unit",
        "target_exit_price",
        "stop_loss_price",
        "legs",
        "tags",
        pl.lit(as_of_text(receipt.as_of)).alias("as_of"),
        pl.lit(receipt.run_id).alias("run_id"),
        pl.lit(receipt.synthetic).alias("synthetic"),
        pl.col("id"),
        "rationale",
    ).sort(["score", "confidence", "symbol", "id"], descending=[True, True, False, False], nulls_last=True)


def _loss() -> pl.Expr:
    """USD a unit that can be lost; of a short sale the stop distances that stand for a loss without bound."""
    distance = pl.col("stop_loss_price") + pl.col("cost_per_unit")
    unbounded = pl.col("max_loss").is_infinite()
    return pl.when(unbounded).then(distance * UNBOUNDED_STOPS).otherwise(pl.col("max_loss"))


def _trade(idea: Mapping[str, Any]) -> str:
    """What to do, in a line: ``buy 12 shares``; ``2 x 2026-08-21 +320C -330C``."""
    legs, units = idea["legs"], idea["recommended_units"]
    if all(leg["instrument_type"] == "STOCK" for leg in legs):
        return ", ".join(_stock_words(leg, leg["qty"] * units) for leg in legs)
    dated = groupby(legs, key=lambda leg: leg["expiry"])
    return f"{units:,} x " + " ".join(_expiry_words(expiry, list(same)) for expiry, same in dated)


def _stock_words(leg: Leg, shares: int) -> str:
    return f"{STOCK_WORDS[leg['direction']]} {shares:,} share{'' if shares == 1 else 's'}"


def _expiry_words(expiry: str | None, legs: list[Leg]) -> str:
    return " ".join([*([expiry] if expiry else []), *map(_leg_words, legs)])


def _leg_words(leg: Leg) -> str:
    sign, count = "+" if leg["direction"] == "buy" else "-", leg["qty"]
    if leg["instrument_type"] == "STOCK":
        return f"{sign}{count} shares"
    return f"{sign}{'' if count == 1 else f'{count}x'}{leg['strike']:g}{leg['instrument_type']}"
