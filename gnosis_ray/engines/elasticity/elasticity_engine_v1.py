"""ElasticityEngineV1: the dollars it takes to move a symbol's price, up and down."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
import polars as pl

from gnosis_ray.config import ElasticityConfig
from gnosis_ray.engines.base import EngineData, EngineFrames, FrameEngine
from gnosis_ray.engines.elasticity.cost_curve import CostCurve
from gnosis_ray.engines.elasticity.energy_curves import energy_curves
from gnosis_ray.engines.elasticity.features import ELASTICITY_FEATURES
from gnosis_ray.engines.elasticity.hedge_path import branches, hedge_columns, profile_rows
from gnosis_ray.engines.elasticity.price_stretch import with_bias
from gnosis_ray.engines.elasticity.quality import with_confidence, with_regime
from gnosis_ray.engines.shared.bar_statistics import BAR_LOOKBACK, daily_statistics
from gnosis_ray.engines.shared.indicators import daily_indicators
from gnosis_ray.market.adapters import MarketAdapter
from gnosis_ray.market.data_requirements import DataRequirements
from gnosis_ray.schemas.conventions import TRADING_DAYS_PER_YEAR
from gnosis_ray.schemas.core_schemas import EngineKind
from gnosis_ray.schemas.feature_spec import FeatureSpec

ONE_PERCENT = 0.01
TRADED_SHARE = 0.01
"""Of a day's dollar volume: the net order flow that ``elasticity_*`` answers to."""

A_DAY = 1 / math.sqrt(TRADING_DAYS_PER_YEAR)

OF_THE_HEDGE = (
    "hedge_cost_1pct_up",
    "hedge_cost_1pct_down",
    "self_feeding_move_pct",
    "self_feeding_up_pct",
    "self_feeding_down_pct",
)
"""Absent where the hedge engine has nothing to say: unknown, not zero."""

Floats = npt.NDArray[np.float64]


class ElasticityEngineV1(FrameEngine):
    """Reads daily bars, and what the hedge and liquidity engines said; fetches neither chains nor trades.

    Liquidity resistance follows the square-root law on the bars' own dollar volume and volatility; hedge resistance
    the gamma profile along the move, else the gamma at spot, else none. Moves are logarithmic: 1% is a factor
    e^.01. Without the hedge or liquidity frame, or where they have nothing on a symbol, the answer names it.

    Parameters
    ----------
    adapter
        Where it reads daily bars, as of the moment that it is asked about.
    config
        ``config.engines.elasticity``: the coefficient of impact and the biases.

    Source
    ------
    Toth et al., Anomalous price impact (Phys. Rev. X 1, 021006, 2011), eq. 1; Kyle (1985), theorem 1; each feature
    names its own.

    Examples
    --------
    >>> import gnosis_ray as gr
    >>> config = gr.load_config()
    >>> market, now = gr.open_market(config), config.data.synthetic.as_of
    >>> output = gr.ElasticityEngineV1(market, config.engines.elasticity).run("AAPL", now)
    >>> output.kind, output.features["energy_to_move_1pct_up"] > 0
    ('elasticity', True)
    >>> output.metadata["degraded"]  # neither the hedge nor the liquidity engine ran
    'no_hedge,no_liquidity,no_implied_vol'
    """

    kind: ClassVar[EngineKind] = "elasticity"
    requires: ClassVar[tuple[EngineKind, ...]] = ("hedge", "liquidity")
    features: ClassVar[tuple[FeatureSpec, ...]] = ELASTICITY_FEATURES

    def __init__(self, adapter: MarketAdapter, config: ElasticityConfig) -> None:
        self._adapter = adapter
        self._config = config
        self.data_requirements = DataRequirements(BAR_LOOKBACK)

    def load(self, keys: pl.DataFrame) -> EngineData:
        """Daily bars."""
        return {"bars": self._adapter.fetch_bars(keys, self.data_requirements.bar_lookback)}

    def compute(
        self, keys: pl.DataFrame, data: EngineData, upstream: Mapping[EngineKind, EngineFrames]
    ) -> EngineFrames:
        """One row a key; see :data:`ELASTICITY_FEATURES` for the columns."""
        hedge = upstream.get("hedge")
        rows = keys.select("symbol", "timestamp").with_row_index("row")
        statistics = daily_statistics(keys, data["bars"]).drop("symbol", "timestamp")
        indicators = daily_indicators(keys, data["bars"]).drop("symbol", "timestamp")
        rows = pl.concat([hedge_columns(rows, hedge), statistics, indicators], how="horizontal")
        rows = with_bias(_with_liquidity(rows, upstream.get("liquidity")), self._config)
        rows = rows.with_columns(
            expected_from_bars=pl.col("atm_iv_30d").is_null(),
            expected_move=pl.coalesce(pl.col("atm_iv_30d") * A_DAY, "sigma_daily"),
        )
        rows = rows.join(self._costs(rows, hedge), on="row", how="left", maintain_order="left")
        return self.assemble(with_confidence(with_regime(self._finish(rows), self._config), self._config))

    def curves(self, own: EngineFrames, upstream: Mapping[EngineKind, EngineFrames]) -> pl.DataFrame:
        """The energy of any move; see :func:`energy_curves.energy_curves`."""
        return energy_curves(own.features, upstream.get("hedge"), self._config)

    def _costs(self, rows: pl.DataFrame, hedge: EngineFrames | None) -> pl.DataFrame:
        """``row`` and its costs, for the rows that have a dollar volume and a volatility."""
        usable = rows.filter((pl.col("adv_usd") > 0) & (pl.col("sigma_daily") > 0))
        adv, sigma, move = (usable[c].to_numpy() for c in ("adv_usd", "sigma_daily", "expected_move"))
        deviation = self._config.impact_coefficient * sigma
        a = adv / (deviation * deviation)
        profiles = profile_rows(usable.select("row", "symbol", "timestamp", "spot", "gex"), hedge)
        measured: dict[str, npt.NDArray[Any]] = {"liquidity_cost_1pct": a * ONE_PERCENT * ONE_PERCENT}
        for side, (nodes, gamma) in zip(("up", "down"), branches(usable, profiles), strict=True):
            curve = CostCurve(a, nodes, gamma, self._config.floor_share)
            bias = usable[f"indicator_bias_{side}"].to_numpy()
            measured |= {f"{name}_{side}": v for name, v in _one_way(curve, adv, bias, move).items()}
        with_path = pl.col("row").is_in(profiles["row"].unique().implode())
        return usable.select("row", gamma_path=with_path).with_columns(pl.Series(n, v) for n, v in measured.items())

    def _finish(self, rows: pl.DataFrame) -> pl.DataFrame:
        """Means, ratios and flags over both ways, and what the metadata says of their basis."""
        up, down = pl.col("energy_to_move_1pct_up"), pl.col("energy_to_move_1pct_down")
        rows = rows.with_columns(
            expected_move_cost_1_day=(pl.col("expected_cost_up") + pl.col("expected_cost_down")) * 0.5,
            exp_move_pct=pl.when(up.is_not_null()).then(pl.col("expected_move") * 100),
            **{bias: pl.when(up.is_not_null()).then(bias) for bias in ("indicator_bias_up", "indicator_bias_down")},
            energy_share_of_adv=(up + down) * 0.5 / pl.col("adv_usd"),
            energy_asymmetry=up / down,
            self_feeding_move_pct=pl.max_horizontal("self_feeding_up", "self_feeding_down") * 100,
            self_feeding_up_pct=pl.col("self_feeding_up") * 100,
            self_feeding_down_pct=pl.col("self_feeding_down") * 100,
        )
        kyle = pl.when(pl.col("kyle_lambda_t") >= self._config.kyle_min_t).then("kyle_lambda")
        floors = [pl.when(pl.col(f"floored_{side}")).then(pl.lit(side)) for side in ("up", "down")]
        floor = pl.concat_str(floors, separator=",", ignore_nulls=True)
        basis = pl.when("gamma_path").then(pl.lit("gamma_path")).otherwise(pl.lit("gamma_at_spot"))
        measured = up.is_not_null()
        hedged = pl.col("gex").is_not_null()
        return rows.with_columns(
            *(pl.when(hedged).then(name) for name in OF_THE_HEDGE),
            unstable=pl.when(hedged).then(
                (pl.col("self_feeding_move_pct") > self._config.unstable_move_pct).cast(pl.Float64)
            ),
            kyle_energy_to_move_1pct=pl.when(kyle > 0).then(pl.col("close") * pl.col("close") * ONE_PERCENT / kyle),
            meta__liquidity_basis=pl.when(measured).then(pl.lit(self._config.liquidity_basis)),
            meta__hedge_basis=pl.when(measured & hedged).then(basis),
            meta__floor=pl.when(measured & (floor != "")).then(floor),
            meta__expected_move_basis=pl.when(measured & pl.col("expected_from_bars")).then(pl.lit("sigma_daily")),
        )


def _one_way(curve: CostCurve, adv: Floats, bias: Floats, move: Floats) -> dict[str, npt.NDArray[Any]]:
    """What is asked of one direction, by name without its side; (n,) each."""
    percent = np.full_like(adv, ONE_PERCENT)
    energy = curve.cost(percent)
    return {
        "energy_to_move_1pct": energy * bias,
        "elasticity": curve.reach(TRADED_SHARE * adv / bias) * 100.0,
        "expected_cost": curve.cost(move) * bias,
        "hedge_cost_1pct": curve.hedge(percent),
        "self_feeding": curve.self_feeding(),
        "floored": energy <= curve.floor * curve.a * ONE_PERCENT * ONE_PERCENT,
    }


def _with_liquidity(rows: pl.DataFrame, liquidity: EngineFrames | None) -> pl.DataFrame:
    """Beside each row the liquidity engine's ``kyle_lambda``, ``kyle_lambda_t`` and confidence, null without any."""
    names = ("kyle_lambda", "kyle_lambda_t")
    if liquidity is None:
        return rows.with_columns(pl.lit(None, pl.Float64).alias(n) for n in (*names, "liquidity_confidence"))
    said = liquidity.features
    held = [pl.col(n) if n in said.columns else pl.lit(None, pl.Float64).alias(n) for n in names]
    trusted = pl.when(pl.col("confidence") > 0).then("confidence").alias("liquidity_confidence")
    one_each = said.select("symbol", "timestamp", *held, trusted).unique(["symbol", "timestamp"], keep="first")
    return rows.join(one_each, on=["symbol", "timestamp"], how="left", maintain_order="left")
