"""Cross-asset fusion: what the hedgers of index and sector books trade in one stock, beside those of its own book.

Whoever hedges an index book of net gamma G (USD of the index per 1% of the index) trades G dollars of the whole basket
for each 1% that the basket moves. Of them this stock sees, per 1% of its *own* move, in dollars of itself::

    attributed = G x response x share
    response   = expected move of the basket, in percent, with a 1% move of the stock: cov / var(stock) = R2 / beta
    share      = the stock's dollar volume over that of all members of the basket

1 / beta in the place of the response, as brokers' beta weighting has it, would let the index follow each stock wholly
and grow without bound as the beta falls to zero. The share of dollar volume stands for the index weight, which is not
known here: hedgers' baskets trade by weight, volume overstates restless stocks and understates quiet ones. Every stock
counts as a member of the market; to the sectors it belongs by the fit of its returns (:func:`_sector`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
import polars as pl

from gnosis_ray.config import CrossAssetConfig, HedgeConfig
from gnosis_ray.engines.hedge.co_movement import Baskets, CoMovement, Floats, Tapes
from gnosis_ray.engines.hedge.exposure import book_sums, with_exposures
from gnosis_ray.engines.hedge.quality import chain_quality, is_usable
from gnosis_ray.engines.shared.bar_statistics import daily_statistics
from gnosis_ray.market.columns import KEYS

FUSION = pl.Schema(
    {
        "market_beta": pl.Float64(),
        "index_gex_usd_per_pct": pl.Float64(),
        "cross_asset_basis": pl.String(),
    }
)
"""One row a key; the figures are null where they cannot be had, and the basis says why."""


@dataclass(frozen=True)
class IndexSide:
    """What the indices and sectors were at one moment; the same for every symbol.

    ``gex``: net dealer gamma of each usable book, USD per 1% of its basket. ``market_adv``: USD a day, None unknown.
    """

    baskets: Baskets | None
    gex: Mapping[str, float]
    market_adv: float | None


def cross_asset(
    keys: pl.DataFrame, bars: pl.DataFrame, adv_usd: pl.Series, sides: Mapping[datetime, IndexSide], config: HedgeConfig
) -> pl.DataFrame:
    """:data:`FUSION` for each of ``keys``, in their order.

    ``bars`` are those of the keys' symbols, ``adv_usd`` the mean dollar volume of each key (null unknown), ``sides``
    those of :func:`index_sides` for each moment of the keys.
    """
    tapes, cross = Tapes.of(bars), config.cross_asset
    moves = {
        moment: CoMovement.of(tapes.returns(side.baskets.sessions, _utc(moment)), side.baskets.returns, cross.min_bars)
        for moment, side in sides.items()
        if side.baskets is not None
    }
    rows = [
        _row(symbol, tapes.rows.get(symbol), moves.get(moment), adv, sides[moment], cross)
        for (symbol, moment), adv in zip(keys.select(KEYS.names()).iter_rows(), adv_usd, strict=True)
    ]
    return pl.DataFrame(rows, schema=FUSION, orient="row")


def index_sides(
    reference_keys: pl.DataFrame, chains: pl.DataFrame, bars: pl.DataFrame, config: HedgeConfig
) -> dict[datetime, IndexSide]:
    """The :class:`IndexSide` of each moment of ``reference_keys`` (``KEYS``, sorted).

    ``chains`` and ``bars`` (``columns.CHAIN``, ``columns.BARS``) are those of ``reference_keys`` or more; the chains
    in order of ``key``, the place of their row in ``reference_keys``.
    """
    gex = _usable_gex(reference_keys, chains.filter(pl.col("symbol").is_in(config.cross_asset.books)), config)
    cross = config.cross_asset
    markets = reference_keys.filter(symbol=cross.market)
    adv = dict(daily_statistics(markets, bars.filter(symbol=cross.market)).select("timestamp", "adv_usd").iter_rows())
    tapes = Tapes.of(bars.filter(pl.col("symbol").is_in(cross.baskets)))
    return {
        moment: IndexSide(Baskets.at(_utc(moment), cross.baskets, tapes, cross), gex.get(moment, {}), adv[moment])
        for moment in markets["timestamp"]
    }


def _usable_gex(
    reference_keys: pl.DataFrame, chains: pl.DataFrame, config: HedgeConfig
) -> dict[datetime, dict[str, float]]:
    """Net gamma a moment and book, by the rules that hold for a stock's own book, and of quotes that are recent."""
    sums = book_sums(with_exposures(chains, config), config)
    known = chain_quality(chains, config).join(sums, on="key", how="inner")
    recent = pl.col("timestamp") - pl.col("quote_time") <= timedelta(days=config.cross_asset.max_age_days)
    kept = reference_keys.with_row_index("key").join(known, on="key", how="inner").filter(is_usable(config) & recent)
    found: dict[datetime, dict[str, float]] = {}
    for moment, symbol, gex in kept.select("timestamp", "symbol", "gex_usd_per_pct").iter_rows():
        found.setdefault(moment, {})[symbol] = gex
    return found


def _row(
    symbol: str,
    row: int | None,
    moves: CoMovement | None,
    adv: float | None,
    side: IndexSide,
    config: CrossAssetConfig,
) -> tuple[float | None, float | None, str]:
    """:data:`FUSION` of one key, whose symbol stands in ``row`` of ``moves``."""
    if moves is None:
        return None, None, f"none: no recent bars of {config.market}"
    if row is None:
        return None, None, "none: no bars"
    beta = float(moves.beta[row, 0])
    if not np.isfinite(beta):
        common = int(moves.common[row, 0])
        return None, None, f"none: {common} returns in common with {config.market}, or none that moved"
    attributed, basis = _attributed(symbol, moves.response[row], moves.fit[row], adv, side, config)
    return beta, attributed, basis


def _attributed(
    symbol: str, response: Floats, fit: Floats, adv: float | None, side: IndexSide, config: CrossAssetConfig
) -> tuple[float | None, str]:
    """USD of the stock per 1% of its own move, and the books behind it."""
    if symbol in config.books or symbol in config.baskets:
        return None, "none: an index or sector itself"
    if adv is None or not side.market_adv:
        return None, "none: no dollar volume"
    sector = _sector(response, fit, config)
    wanted = [(book, 0, config.market_volume) for book in config.market_books]
    if sector:
        wanted.append((config.baskets[sector], sector, config.sector_volumes[config.baskets[sector]]))
    missing = ", ".join(book for book, _, _ in wanted if book not in side.gex)
    used = [(book, place, volume) for book, place, volume in wanted if book in side.gex]
    if not used:
        return None, f"none: no book of {missing}"
    total = 0.0
    for book, place, volume in used:
        total += side.gex[book] * float(response[place]) * (adv / (volume * side.market_adv))
    basis = " + ".join(book for book, _, _ in used)
    return total, f"{basis}; no book of {missing}" if missing else basis


def _sector(response: Floats, fit: Floats, config: CrossAssetConfig) -> int:
    """Place of the sector that the stock moves with, or 0.

    The sector whose fit is the best of those that the stock does not move against, where it explains ``min_fit_gain``
    more of the stock's variance than the market does (after Sharpe 1992, Asset Allocation: Management Style and
    Performance Measurement: returns tell the style).
    """
    if len(config.baskets) == 1:
        return 0
    fits = np.where(response > 0, fit, -np.inf)
    best = 1 + int(np.argmax(fits[1:]))
    return best if fits[best] >= fit[0] + config.min_fit_gain else 0


def _utc(moment: datetime) -> np.datetime64:
    return np.datetime64(moment.replace(tzinfo=None), "us")
