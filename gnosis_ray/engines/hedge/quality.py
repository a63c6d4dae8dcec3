"""How far a chain can be trusted, and what to say where it cannot."""

from __future__ import annotations

from datetime import timedelta

import polars as pl

from gnosis_ray.config import HedgeConfig
from gnosis_ray.engines.shared.reasons import reasons


def chain_quality(chains: pl.DataFrame, config: HedgeConfig) -> pl.DataFrame:
    """One row a ``key``: spot, quote age, and coverage of the contracts within ``near_spot_window`` of spot.

    ``open_interest_coverage``: share of those contracts with open interest above zero; ``implied_vol_coverage``:
    share of their open interest that has greeks. Both null where no contract is near. Over the whole chain:
    ``bad_row_share`` of impossible rows among those that came, and counts: ``bad_rows``, ``crossed_quotes`` (bid above
    ask) and ``one_sided_quotes`` (no bid, an ask).
    """
    near = (pl.col("strike") / pl.col("underlying_price") - 1).abs() <= config.near_spot_window
    interest = pl.col("open_interest").fill_null(0.0).filter(near)
    bad = pl.col("bad_rows").max().fill_null(0)
    return chains.group_by("key").agg(
        spot=pl.col("underlying_price").first(),
        quote_time=pl.col("quote_time").min(),
        quote_age_sessions=pl.col("sessions_behind").max().cast(pl.Float64),
        open_interest_coverage=(interest > 0).mean(),
        implied_vol_coverage=pl.when(interest.sum() > 0).then(
            interest.filter(pl.col("gamma").is_not_null().filter(near)).sum() / interest.sum()
        ),
        carry_assumed=pl.col("carry_assumed").mean(),
        bad_rows=bad,
        bad_row_share=bad / (bad + pl.len()),
        crossed_quotes=((pl.col("bid") > pl.col("ask")) & (pl.col("ask") > 0)).sum(),
        one_sided_quotes=(~(pl.col("bid") > 0).fill_null(value=False) & (pl.col("ask") > 0)).sum(),
    )


def is_covered(config: HedgeConfig) -> pl.Expr:
    """Whether open interest is known near spot, by :func:`chain_quality`."""
    return (pl.col("open_interest_coverage") >= config.min_open_interest_coverage).fill_null(value=False)


def is_usable(config: HedgeConfig) -> pl.Expr:
    """Whether a book's exposures can be told, by :func:`chain_quality` and :func:`exposure.book_sums`."""
    believed = pl.col("implied_vol_coverage") >= config.min_implied_vol_coverage
    return (is_covered(config) & believed & (pl.col("gex_gross_usd_per_pct") > 0)).fill_null(value=False)


def with_usable_bars(rows: pl.DataFrame, config: HedgeConfig) -> pl.DataFrame:
    """Add ``bar_problem``, null where there is none; what old bars measured is made absent.

    ``rows`` hold what :func:`bar_statistics.daily_statistics` says. Problems: ``no_bars``; ``stale_bars``, the last one
    older than ``max_bar_age_days``; ``short_history``; ``no_volume``, where none is reported.
    """
    stale = pl.col("timestamp") - pl.col("closed_at") > timedelta(days=config.max_bar_age_days)
    volume, sigma = pl.col("adv_usd"), pl.col("sigma_daily")
    return rows.with_columns(
        bar_problem=pl.when(pl.col("close").is_null())
        .then(pl.lit("no_bars"))
        .when(stale)
        .then(pl.lit("stale_bars"))
        .when(sigma.is_null())
        .then(pl.lit("short_history"))
        .when(volume.is_null())
        .then(pl.lit("no_volume")),
        adv_usd=pl.when(~stale).then(volume),
        sigma_daily=pl.when(~stale).then(sigma),
    )


def with_confidence(rows: pl.DataFrame, config: HedgeConfig) -> pl.DataFrame:
    """Add ``confidence`` = coverage x freshness x data tier, and ``meta__degraded``; zero where there is no book.

    Coverage: ``implied_vol_coverage``, times the share of rows that were possible. Freshness: ``stale_session_decay``
    for each session that the quotes missed. Tier: by share of gross gamma, the trust in quoted and in last-price
    volatilities.
    """
    tier = config.tier_confidence
    smile_share = pl.col("last_smile_share").fill_null(0.0)
    trust = (1 - smile_share) * tier.quoted + smile_share * tier.last_smile
    freshness = pl.lit(config.stale_session_decay) ** pl.col("quote_age_sessions")
    coverage = pl.col("implied_vol_coverage") * (1 - pl.col("bad_row_share"))
    usable = pl.col("available") & pl.col("has_greeks")
    return rows.with_columns(
        confidence=pl.when(usable).then((coverage * freshness * trust).clip(0.0, 1.0)).otherwise(0.0),
        meta__degraded=pl.when(pl.col("spot").is_null())
        .then(pl.lit("no_chain"))
        .when(~pl.col("has_greeks"))
        .then(pl.lit("missing_greeks"))
        .otherwise(_reasons(smile_share)),
    )


def _reasons(smile_share: pl.Expr) -> pl.Expr:
    """Comma-separated reasons, null where there is none."""
    named = [
        (~pl.col("has_open_interest"), "open_interest_unavailable"),
        (pl.col("has_open_interest") & ~pl.col("available"), "no_implied_vol"),
        (pl.col("quote_age_sessions") > 0, "stale_quotes"),
        (smile_share > 0, "last_smile"),
        (pl.col("bad_rows") > 0, "bad_rows"),
    ]
    return reasons(named, pl.col("bar_problem"))
