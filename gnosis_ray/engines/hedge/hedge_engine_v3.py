"""HedgeEngineV3: dealer gamma, vanna and charm of a symbol's option book."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import polars as pl

from gnosis_ray.config import HedgeConfig
from gnosis_ray.engines.base import META_PREFIX, EngineData, EngineFrames, FrameEngine
from gnosis_ray.engines.hedge.cross_asset import cross_asset, index_sides
from gnosis_ray.engines.hedge.exposure import book_sums, walls, with_exposures
from gnosis_ray.engines.hedge.features import EXPOSURE_FEATURES, HEDGE_FEATURES
from gnosis_ray.engines.hedge.gamma_breakdown import book_details
from gnosis_ray.engines.hedge.gamma_profile import gamma_profiles
from gnosis_ray.engines.hedge.jump_risk import jump_risk
from gnosis_ray.engines.hedge.quality import chain_quality, is_covered, is_usable, with_confidence, with_usable_bars
from gnosis_ray.engines.hedge.regime import with_energy_and_regime
from gnosis_ray.engines.hedge.surface import expiry_points, thirty_day_surface
from gnosis_ray.engines.hedge.vix_friction import vix_friction
from gnosis_ray.engines.shared.bar_statistics import BAR_LOOKBACK, daily_statistics
from gnosis_ray.market.adapters import MarketAdapter
from gnosis_ray.market.data_requirements import DataRequirements, ReferenceData
from gnosis_ray.market.run_length_join import join_runs
from gnosis_ray.schemas.core_schemas import EngineKind
from gnosis_ray.schemas.feature_spec import FeatureSpec

LEVELS = ("call_wall", "put_wall", "zero_gamma")
COUNTED = ("bad_rows", "crossed_quotes", "one_sided_quotes")
"""Of a chain's rows, told in the metadata where there are any."""
GREEKS = ("delta", "gamma", "vanna", "charm")


class HedgeEngineV3(FrameEngine):
    """Reads chains and daily bars; every aggregate uses our own greeks, valued at the as-of moment.

    Signs follow the naive dealer (long calls, short puts; SqueezeMetrics 2016), an assumption that the output names;
    gross figures stand beside signed ones. Where open interest is unavailable near spot every feature that weighs by
    it is absent and the confidence is 0: volume never stands in for it.

    Parameters
    ----------
    adapter
        Where it reads chains and daily bars, as of the moment that it is asked about.
    config
        ``config.engines.hedge``: the dealers' signs, windows and thresholds.

    Source
    ------
    SqueezeMetrics, The Implied Order Book (2016), for the naive dealer; each feature names its own.

    Examples
    --------
    >>> import gnosis_ray as gr
    >>> config = gr.load_config()
    >>> market, now = gr.open_market(config), config.data.synthetic.as_of
    >>> output = gr.HedgeEngineV3(market, config.engines.hedge).run("AAPL", now)
    >>> output.kind, output.regime is not None, output.features["spot"] > 0
    ('hedge', True, True)
    """

    kind: ClassVar[EngineKind] = "hedge"
    features: ClassVar[tuple[FeatureSpec, ...]] = HEDGE_FEATURES

    def __init__(self, adapter: MarketAdapter, config: HedgeConfig) -> None:
        self._adapter = adapter
        self._config = config
        self._reference = _reference(config)
        self.data_requirements = DataRequirements(BAR_LOOKBACK, reference=self._reference)

    def load(self, keys: pl.DataFrame) -> EngineData:
        """Chains, and enough daily bars for the statistics; both of the reference symbols too."""
        reference_keys = self._reference.keys(keys)
        return {
            "chains": self._adapter.fetch_chains(keys),
            "bars": self._adapter.fetch_bars(keys, self.data_requirements.bar_lookback),
            "reference_chains": self._adapter.fetch_chains(reference_keys),
            "reference_bars": self._adapter.fetch_bars(reference_keys, self._reference.bar_lookback),
        }

    def compute(
        self,
        keys: pl.DataFrame,
        data: EngineData,
        upstream: Mapping[EngineKind, EngineFrames],  # noqa: ARG002 - reads no other engine
    ) -> EngineFrames:
        """One row a key; see :data:`HEDGE_FEATURES` for the columns."""
        indexed = keys.with_row_index("key")
        chains = _own_keys(data["chains"], indexed)
        book = with_exposures(chains, self._config)
        profiles = gamma_profiles(book, self._config)
        zero_gamma = pl.DataFrame(
            {"key": profiles.keys, "zero_gamma": profiles.zero_gamma, "zero_gamma_roots": profiles.roots},
            schema={"key": pl.UInt32, "zero_gamma": pl.Float64, "zero_gamma_roots": pl.Float64},
        ).with_columns(pl.col("zero_gamma").fill_nan(None))
        rows = pl.concat([indexed, daily_statistics(keys, data["bars"]).drop("symbol", "timestamp")], how="horizontal")
        rows = with_usable_bars(rows, self._config)
        points = expiry_points(chains, self._config.jump_max_spread)
        surface = thirty_day_surface(points)
        for part in (
            chain_quality(chains, self._config),
            surface,
            jump_risk(points, surface, self._config),
            book_sums(book, self._config),
            walls(book),
            zero_gamma,
        ):
            rows = rows.join(part, on="key", how="left", maintain_order="left")
        rows = self._with_reference(rows, keys, data)
        rows = self._finish(rows, has_greeks=_has_greeks(data["chains"]))
        details = book_details(profiles, book, rows.filter("available").select("key", "symbol", "timestamp"))
        return self.assemble(rows, details)

    def _with_reference(self, rows: pl.DataFrame, keys: pl.DataFrame, data: EngineData) -> pl.DataFrame:
        """Add what is measured of the VIX, the indices and the sectors."""
        reference_keys, bars = self._reference.keys(keys), data["reference_bars"]
        chains = _own_keys(data["reference_chains"], reference_keys.with_row_index("key"))
        friction = vix_friction(keys["timestamp"], chains, bars, self._config)
        sides = index_sides(reference_keys, chains, bars, self._config)
        fused = cross_asset(keys, data["bars"], rows["adv_usd"], sides, self._config)
        rows = rows.join(friction, on="timestamp", how="left", maintain_order="left")
        return pl.concat([rows, fused], how="horizontal")

    def _finish(self, rows: pl.DataFrame, *, has_greeks: bool) -> pl.DataFrame:
        """Availability, regime, confidence, names of what is wrong; OI-weighted features only where available."""
        spot = pl.col("spot")
        fused = pl.col("gex_usd_per_pct") + pl.col("index_gex_usd_per_pct") * self._config.cross_asset.weight
        rows = rows.with_columns(
            has_open_interest=is_covered(self._config),
            available=is_usable(self._config) & has_greeks,
            has_greeks=spot.is_not_null() & has_greeks,
            gamma_sign=pl.col("gex_usd_per_pct").sign(),
            fused_gex_usd_per_pct=fused,
            fused_gamma_sign=fused.sign(),
            vanna_sign=pl.col("vex_usd_per_vol_point").sign(),
            **{
                f"dist_{level}_pct": (pl.col(level) / spot - 1) * 100
                for level in ("call_wall", "put_wall", "zero_gamma")
            },
        )
        rows = with_confidence(with_energy_and_regime(rows, self._config), self._config)
        signs = f"dealers: calls {self._config.dealer_call_sign:+d}, puts {self._config.dealer_put_sign:+d}"
        return rows.with_columns(
            *(pl.when("available").then(spec.name) for spec in EXPOSURE_FEATURES),
            *(pl.when(pl.col(n) > 0).then(pl.col(n).cast(pl.String)).alias(f"{META_PREFIX}{n}") for n in COUNTED),
            meta__cross_asset_basis=pl.when(spot.is_not_null()).then("cross_asset_basis"),
            meta__vix_friction_basis=pl.when(spot.is_not_null()).then("vix_friction_basis"),
            meta__dealer_convention=pl.when("available").then(pl.lit(signs)),
            meta__squeeze_basis=pl.col("squeeze_basis"),
            meta__quote_time=pl.col("quote_time").dt.strftime("%Y-%m-%dT%H:%M:%SZ"),
            meta__carry_assumed=pl.when(pl.col("carry_assumed") > 0).then(
                pl.format("{}% of contracts", (pl.col("carry_assumed") * 100).round(0).cast(pl.Int64))
            ),
        )


def _reference(config: HedgeConfig) -> ReferenceData:
    """The VIX, and the indices and sectors."""
    cross = config.cross_asset
    symbols = sorted({config.vix_symbol, *cross.books, *cross.baskets})
    return ReferenceData(tuple(symbols), max(config.vix_window, cross.beta_window + 1))


def _own_keys(chains: pl.DataFrame, indexed: pl.DataFrame) -> pl.DataFrame:
    """The chains with their key's index, in order of key, expiry, strike; greeks that are missing become null."""
    owned = join_runs(indexed, _with_greeks(chains), on=["symbol", "timestamp"])
    return owned.with_columns(pl.col("key").set_sorted())


def _with_greeks(chains: pl.DataFrame) -> pl.DataFrame:
    return chains.with_columns(pl.lit(None, pl.Float64).alias(c) for c in GREEKS if c not in chains.columns)


def _has_greeks(chains: pl.DataFrame) -> bool:
    return all(name in chains.columns for name in GREEKS)
