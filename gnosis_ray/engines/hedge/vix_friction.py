"""VIX friction: how firmly volatility itself is held in place, the same for every symbol at a moment.

There is no standard definition; this one is ours. 1: a move of volatility meets resistance; 0: nothing holds it.
Where the VIX chain has open interest, the friction is the share of its gamma that dealers own: owners of gamma trade
against the move, the short of it with the move. Else it is made of the VIX level v and its percentile p among its own
last closes, 1 - (v / (v + half_level) + p) / 2: volatility moves in proportion to itself, so a high one is the looser.
"""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import numpy.typing as npt
import polars as pl

from gnosis_ray.config import HedgeConfig
from gnosis_ray.engines.hedge.exposure import with_exposures
from gnosis_ray.engines.hedge.quality import chain_quality
from gnosis_ray.market.columns import UTC_TIME

Floats = npt.NDArray[np.float64]
Moments = npt.NDArray[np.datetime64]

FRICTION = pl.Schema({"timestamp": UTC_TIME, "vix_friction_factor": pl.Float64(), "vix_friction_basis": pl.String()})
"""One row a moment; the factor is null where there is none, and the basis says why."""


def vix_friction(moments: pl.Series, chains: pl.DataFrame, bars: pl.DataFrame, config: HedgeConfig) -> pl.DataFrame:
    """:data:`FRICTION` for each distinct moment, in order of time, from what was known by then.

    ``chains`` (``columns.CHAIN``) and ``bars`` (``columns.BARS``) may hold other symbols than ``vix_symbol`` too.
    """
    asked = moments.unique().sort().alias("timestamp")
    by_level = _from_level(asked, bars.filter(symbol=config.vix_symbol), config)
    by_chain = _from_chain(chains.filter(symbol=config.vix_symbol), config)
    both = by_level.join(by_chain, on="timestamp", how="left", suffix="_chain", maintain_order="left")
    return both.select(
        "timestamp",
        *(pl.coalesce(f"{name}_chain", name).alias(name) for name in ("vix_friction_factor", "vix_friction_basis")),
    )


def _from_chain(chains: pl.DataFrame, config: HedgeConfig) -> pl.DataFrame:
    """:data:`FRICTION` of the moments whose chain can be weighed and is recent."""
    if chains.is_empty():
        return pl.DataFrame(schema=FRICTION)
    # sorted, for Polars sums a group in another order where it does not know its keys to be sorted
    keyed = chains.with_columns(key="timestamp").sort("key", "expiry", "strike", "type", "settlement")
    signs = config.replaced(dealer_call_sign=config.vix_dealer_call_sign, dealer_put_sign=config.vix_dealer_put_sign)
    book = with_exposures(keyed, signs)
    owned = book.group_by("key").agg(
        net=(pl.col("sign") * pl.col("gex")).sum(), gross=pl.col("gex").sum().replace(0.0, None)
    )
    known = chain_quality(keyed, config).join(owned, on="key", how="left")
    age = pl.col("key") - pl.col("quote_time")
    weighable = pl.col("open_interest_coverage") >= config.min_open_interest_coverage
    recent = known.filter(weighable & pl.col("gross").is_not_null() & (age <= _days(config.vix_max_age_days)))
    return recent.select(
        timestamp="key",
        vix_friction_factor=(0.5 + 0.5 * pl.col("net") / pl.col("gross")).clip(0.0, 1.0),
        vix_friction_basis=pl.lit("chain"),
    )


def _from_level(moments: pl.Series, bars: pl.DataFrame, config: HedgeConfig) -> pl.DataFrame:
    usable = bars.filter(pl.col("close").is_finite() & (pl.col("close") > 0)).sort("timestamp", "known_at")
    sessions, known, closes = (usable[name].to_numpy() for name in ("timestamp", "known_at", "close"))
    rows = [
        (moment, *_at(np.datetime64(moment.replace(tzinfo=None), "us"), sessions, known, closes, config))
        for moment in moments
    ]
    return pl.DataFrame(rows, schema=FRICTION, orient="row")


def _at(
    moment: np.datetime64, sessions: Moments, known: Moments, closes: Floats, config: HedgeConfig
) -> tuple[float | None, str]:
    """Factor and basis at one moment; the columns are sorted by session, then by when they became known."""
    seen = np.flatnonzero(known <= moment)
    if not seen.size:
        return None, "none: no VIX data"
    latest = seen[np.append(sessions[seen][1:] != sessions[seen][:-1], True)][-config.vix_window :]
    if moment - sessions[latest[-1]] > np.timedelta64(_days(config.vix_max_age_days)):
        return None, f"none: no VIX data since {np.datetime_as_string(sessions[latest[-1]], 'D')}"
    if latest.size < config.vix_min_bars:
        return None, f"none: {latest.size} VIX closes"
    window = closes[latest]
    level = float(window[-1])
    percentile = float((np.sum(window < level) + 0.5 * np.sum(window == level)) / window.size)
    factor = 1.0 - 0.5 * (level / (level + config.vix_half_level) + percentile)
    return factor, f"level {level:.2f} at percentile {100 * percentile:.0f} of {window.size} closes"


def _days(count: float) -> timedelta:
    return timedelta(days=count)
