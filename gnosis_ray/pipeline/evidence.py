"""The evidence behind a batch's records: what reports show, from the data that the pass has read already."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime

import numpy as np
import polars as pl

from gnosis_ray.ledger.evidence import CONSIDERED, LEG_QUOTES, PAYOFFS, SHOWN_BARS
from gnosis_ray.market.adapters import MarketAdapter
from gnosis_ray.market.columns import KEYS
from gnosis_ray.market.corporate_actions import adjusted_to_last
from gnosis_ray.options.payoff_diagram import LegTerms, PayoffDiagram, payoff_diagram
from gnosis_ray.schemas.core_schemas import LedgerRecord, StandardSnapshot, TradeIdea

BARS_KEPT = 60
"""Sessions a record: a quarter of a year."""

Outcomes = Mapping[tuple[str, datetime], Mapping[str, str]]
"""Symbol and as-of moment -> strategy -> what the trade agent made of it."""

Terms = Mapping[tuple[str, int], LegTerms | None]
"""Id of an idea and position of a leg in it -> what it takes to value the leg."""

_CONTRACT = ("symbol", "timestamp", "expiry", "strike", "type")
_LEG = ("idea_id", "leg")
_LINES = {name: dtype for name, dtype in PAYOFFS.items() if name not in ("x", "value")}
_WANTED = {
    "symbol": pl.String(),
    "timestamp": KEYS["timestamp"],
    "expiry": pl.Date(),
    "strike": pl.Float64(),
    "type": pl.String(),
    "idea_id": pl.String(),
    "leg": pl.UInt32(),
}


def considered_frame(outcomes: Outcomes) -> pl.DataFrame:
    """``evidence.CONSIDERED``."""
    rows = [
        (symbol, at, position, strategy, outcome)
        for (symbol, at), considered in outcomes.items()
        for position, (strategy, outcome) in enumerate(considered.items())
    ]
    return pl.DataFrame(rows, schema=CONSIDERED, orient="row")


def leg_quotes_frame(records: Sequence[LedgerRecord], keys: pl.DataFrame, adapter: MarketAdapter) -> pl.DataFrame:
    """``evidence.LEG_QUOTES`` of every option leg of the records' ideas that the chain of its moment quotes.

    ``keys``: those of the records, at least.
    """
    wanted = [
        (record.symbol, record.timestamp, date.fromisoformat(leg.expiry), leg.strike, leg.instrument_type, idea.id, i)
        for record in records
        for idea in record.trade_ideas
        for i, leg in enumerate(idea.legs)
        if leg.expiry is not None and leg.strike is not None
    ]
    if not wanted:
        return pl.DataFrame(schema=LEG_QUOTES)
    legs = pl.DataFrame(wanted, schema=_WANTED, orient="row")
    quoted = adapter.fetch_chains(keys).rename({"mid_price": "mid"})
    columns = [name for name in LEG_QUOTES if name in quoted.columns and name not in _CONTRACT]
    return (
        quoted.select(*_CONTRACT, *columns)
        .join(legs, on=_CONTRACT, how="inner", maintain_order="left")
        .unique(_LEG, keep="last", maintain_order=True)
        .select(LEG_QUOTES.names())
    )


def payoffs_frame(records: Sequence[LedgerRecord], quotes: pl.DataFrame) -> pl.DataFrame:
    """``evidence.PAYOFFS`` of the records' ideas, ``quotes`` being those of their legs."""
    terms: Terms = {
        (idea, leg): None if iv is None else LegTerms(tau, iv, rate, carry)
        for idea, leg, tau, iv, rate, carry in quotes.select(*_LEG, "tau", "iv", "rate", "carry").iter_rows()
    }
    lines = [
        ((record.symbol, record.timestamp, idea.id, number, line.label, line.days), diagram.prices, line.profit)
        for record in records
        for idea in record.trade_ideas
        if (diagram := _diagram(record.snapshot, idea, terms)) is not None
        for number, line in enumerate(diagram.lines)
    ]
    labels = pl.DataFrame([label for label, _, _ in lines], schema=_LINES, orient="row")
    owner = np.repeat(np.arange(len(lines)), np.array([len(prices) for _, prices, _ in lines], dtype=np.int64))
    points = pl.DataFrame(
        {
            "x": [price for _, prices, _ in lines for price in prices],
            "value": [usd for _, _, profit in lines for usd in profit],
        },
        schema={"x": pl.Float64, "value": pl.Float64},
    )
    return pl.concat([labels[owner], points], how="horizontal")


def bars_frame(keys: pl.DataFrame, adapter: MarketAdapter) -> pl.DataFrame:
    """``evidence.SHOWN_BARS``: the last ``BARS_KEPT`` of each key."""
    frames = [pl.DataFrame(schema=SHOWN_BARS)]
    for (moment,), asked in keys.group_by("timestamp", maintain_order=True):
        bars = adapter.fetch_bars(asked, BARS_KEPT).group_by("symbol", maintain_order=True).tail(BARS_KEPT)
        shown = adjusted_to_last(bars.filter(pl.col("close") > 0))
        shown = shown.rename({"timestamp": "closed_at"}).with_columns(
            pl.lit(moment, KEYS["timestamp"]).alias("timestamp")
        )
        frames.append(shown.select(SHOWN_BARS.names()))
    return pl.concat(frames)


def _diagram(snapshot: StandardSnapshot, idea: TradeIdea, terms: Terms) -> PayoffDiagram | None:
    spot, annual_vol = _price_and_vol(snapshot)
    of_legs = [terms.get((idea.id, i)) for i in range(len(idea.legs))]
    return None if spot is None else payoff_diagram(idea, of_legs, spot, annual_vol)


def _price_and_vol(snapshot: StandardSnapshot) -> tuple[float | None, float | None]:
    """The last price known, else that of the chain, and the volatility a year that sets a diagram's span."""
    spot = snapshot.liquidity.get("last_price", snapshot.hedge.get("spot"))
    return spot, snapshot.hedge.get("atm_iv_30d", snapshot.elasticity.get("realised_vol_20d"))
