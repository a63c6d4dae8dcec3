"""Sentiment of option flow: which side of the option book the day's volume is on."""

from __future__ import annotations

import math
from typing import ClassVar

import polars as pl

from gnosis_ray.config import FlowSentimentConfig
from gnosis_ray.engines.sentiment.features import FLOW_FEATURES
from gnosis_ray.engines.sentiment.frame_processor import FrameProcessor, SentimentSource
from gnosis_ray.engines.shared.reasons import reasons
from gnosis_ray.market.columns import CHAIN, KEYS
from gnosis_ray.market.data_requirements import DataRequirements
from gnosis_ray.market.options_chain_adapter import OptionsChainAdapter
from gnosis_ray.market.run_length_join import join_runs
from gnosis_ray.schemas.feature_spec import FeatureSpec

_PARTS = ("volume", "delta", "unusual")
_SIDES = (("call", "C"), ("put", "P"))
_FIGURES = ("underlying_price", "strike", "type", "dte", "volume", "open_interest", "delta", "sessions_behind")


class FlowSentimentProcessor(FrameProcessor):
    """Reads the latest chain: contracts within ``moneyness_window`` of spot that live at most ``max_dte`` days.

    Score: the mean of what three shares of calls say, each as tanh of its log-odds off its norm (the ``call_share``
    settings) over ``log_odds_scale``: of contracts traded, of contracts times |delta|, and of the latter where volume
    is above ``unusual_multiple`` times open interest, which must be opening trade. ``prior_contracts`` traded at the
    norm are added to each, so that a handful of trades says little. A share with no volume is left out. Calls count
    as bullish, though a vendor's volume does not say who bought (Pan, Poteshman 2006 use signed opening volume):
    hence the low ``max_confidence``. Confidence: max_confidence x V / (V + half_confidence_volume) x share of volume
    with a delta x stale_session_decay ^ sessions missed.
    """

    name: SentimentSource = "flow"
    features: ClassVar[tuple[FeatureSpec, ...]] = FLOW_FEATURES

    def __init__(self, config: FlowSentimentConfig, adapter: OptionsChainAdapter | None = None) -> None:
        """Without an adapter there is no flow: the processor is silent, and says ``no_chain``."""
        self._adapter = adapter
        self._config = config
        self.data_requirements = DataRequirements()

    def load(self, keys: pl.DataFrame) -> pl.DataFrame:
        """``columns.CHAIN``."""
        return pl.DataFrame(schema=CHAIN) if self._adapter is None else self._adapter.fetch_chains(keys)

    def score(self, keys: pl.DataFrame, table: pl.DataFrame) -> pl.DataFrame:
        """See :class:`FrameProcessor`. ``degraded``: no_chain, volume_unavailable, open_interest_unavailable,
        stale_quotes; ``absent``: no_option_volume.
        """
        indexed = keys.select(KEYS.names()).with_row_index("key")
        owned = join_runs(indexed, table.select(*KEYS, *_FIGURES), on=KEYS.names())
        sums = _measures(owned, self._config).group_by("key", maintain_order=True).agg(*_sums())
        rows = indexed.join(sums, on="key", how="left", maintain_order="left")
        return rows.with_columns(self._parts()).select(*KEYS, *self._score_columns())

    def _parts(self) -> list[pl.Expr]:
        """What each share of calls says, null where nothing was traded."""
        config = self._config
        covered = pl.col("interest_coverage") >= config.min_open_interest_coverage
        parts = [
            _against_norm("volume", config.call_share, config),
            _against_norm("delta", config.delta_call_share, config),
            pl.when(covered).then(_against_norm("unusual", config.unusual_call_share, config)),
        ]
        return [part.alias(f"{name}_part") for part, name in zip(parts, _PARTS, strict=True)]

    def _score_columns(self) -> list[pl.Expr]:
        config = self._config
        parts = [pl.col(f"{name}_part") for name in _PARTS]
        spoken = pl.sum_horizontal(part.is_not_null().cast(pl.Float64) for part in parts)
        contracts = pl.col("call_volume") + pl.col("put_volume")
        traded = (contracts > 0).fill_null(value=False)
        freshness = (pl.col("sessions_behind") * math.log(config.stale_session_decay)).exp()
        trust = contracts / (contracts + config.half_confidence_volume) * pl.col("delta_coverage") * freshness
        delta_weighted = pl.col("call_delta") + pl.col("put_delta")
        chain = pl.col("contracts") > 0
        uncovered = pl.col("interest_coverage") < config.min_open_interest_coverage
        return [
            pl.when(traded).then(pl.sum_horizontal(parts) / spoken).alias("score"),
            pl.when(traded).then((trust * config.max_confidence).clip(0.0, 1.0)).otherwise(0.0).alias("confidence"),
            contracts.alias("flow_contracts"),
            pl.when(traded).then(pl.col("call_volume") / contracts).alias("flow_call_share"),
            pl.when((delta_weighted > 0) & ~uncovered)
            .then((pl.col("call_unusual") + pl.col("put_unusual")) / delta_weighted)
            .alias("flow_unusual_share"),
            reasons(
                [
                    (chain.is_null(), "no_chain"),
                    (chain & (pl.col("known_volume") == 0), "volume_unavailable"),
                    (chain & uncovered, "open_interest_unavailable"),
                    (pl.col("sessions_behind") > 0, "stale_quotes"),
                ]
            ).alias("degraded"),
            reasons([(chain & (pl.col("known_volume") > 0) & ~traded, "no_option_volume")]).alias("absent"),
        ]


def _measures(contracts: pl.DataFrame, config: FlowSentimentConfig) -> pl.DataFrame:
    """What each contract adds to the sums of its key, null where it is not read or on the other side.

    Of all contracts at once: a condition inside a group is met group by group, which takes many times as long.
    """
    near = (pl.col("strike") / pl.col("underlying_price")).log().abs() <= config.moneyness_window
    read = near & (pl.col("dte") <= config.max_dte)
    opening = (pl.col("volume") > pl.col("open_interest") * config.unusual_multiple) & (
        pl.col("volume") >= config.unusual_min_volume
    )
    volume = pl.col("volume").fill_null(0.0)
    measured = contracts.with_columns(
        traded=pl.when(read).then(volume),
        by_delta=pl.when(read).then(volume * pl.col("delta").abs().fill_null(0.0)),
        opening=opening,
        interest=pl.when(read).then(pl.col("open_interest").fill_null(0.0) > 0),
        told=read & pl.col("volume").is_not_null(),
    )
    shares = {"volume": pl.col("traded"), "delta": pl.col("by_delta"), "unusual": pl.when("opening").then("by_delta")}
    return measured.select(
        "key",
        "sessions_behind",
        "traded",
        "interest",
        "told",
        *(
            pl.when(pl.col("type") == letter).then(share).alias(f"{side}_{name}")
            for name, share in shares.items()
            for side, letter in _SIDES
        ),
        with_delta=pl.when(pl.col("delta").is_not_null()).then("traded"),
    )


def _sums() -> list[pl.Expr]:
    """Over the contracts of a key that are read: volumes of calls and puts, and how much of the book is known."""
    return [
        *(pl.col(f"{side}_{name}").sum() for name in _PARTS for side, _ in _SIDES),
        pl.len().alias("contracts"),
        pl.col("told").sum().alias("known_volume"),
        pl.col("interest").mean().alias("interest_coverage"),
        (pl.col("with_delta").sum() / pl.col("traded").sum()).alias("delta_coverage"),
        pl.col("sessions_behind").max(),
    ]


def _against_norm(name: str, norm: float, config: FlowSentimentConfig) -> pl.Expr:
    """tanh of the log-odds of calls off their norm; null where there was no volume of this kind."""
    calls, puts = pl.col(f"call_{name}"), pl.col(f"put_{name}")
    prior = config.prior_contracts
    odds = (calls + prior * norm) / (puts + prior * (1 - norm))
    off = odds.log() - math.log(norm / (1 - norm))
    return pl.when(calls + puts > 0).then((off * (1 / config.log_odds_scale)).tanh())
