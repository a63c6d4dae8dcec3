"""The features of the engines: the columns of the snapshots table, and what reports explain."""

from __future__ import annotations

from gnosis_ray.config import Config
from gnosis_ray.engines.elasticity.features import ELASTICITY_FEATURES
from gnosis_ray.engines.hedge.features import HEDGE_FEATURES
from gnosis_ray.engines.liquidity.features import LIQUIDITY_FEATURES
from gnosis_ray.engines.sentiment.features import SENTIMENT_FEATURES
from gnosis_ray.schemas.core_schemas import EngineKind
from gnosis_ray.schemas.feature_spec import FeatureSpec

ENGINE_FEATURES: dict[EngineKind, tuple[FeatureSpec, ...]] = {
    "hedge": HEDGE_FEATURES,
    "liquidity": LIQUIDITY_FEATURES,
    "sentiment": SENTIMENT_FEATURES,
    "elasticity": ELASTICITY_FEATURES,
}


def feature_specs(config: Config) -> dict[EngineKind, tuple[FeatureSpec, ...]]:
    """The features of the configured engines: the columns of the snapshots table."""
    return {kind: ENGINE_FEATURES[kind] for kind in config.engines.enabled}
