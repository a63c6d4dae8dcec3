"""Settings: one frozen object. Defaults in ``config/default.yaml``; flag > environment > profile > default.

Models hold no default of their own and refuse unknown keys, naming the nearest valid one. Only the driver reads
files and the environment; workers receive the frozen :class:`Config`.
"""

from gnosis_ray.config.agents import (
    AgentsConfig,
    ComposerConfig,
    HedgeAgentConfig,
    LiquidityAgentConfig,
    RegimeAdjustments,
    SentimentAgentConfig,
    VolatilityStateConfig,
)
from gnosis_ray.config.elasticity import ElasticityConfig
from gnosis_ray.config.engines import CrossAssetConfig, EnginesConfig, HedgeConfig
from gnosis_ray.config.loading import LoadedConfig, config_root, home, load_config, valid_keys
from gnosis_ray.config.market import (
    DataConfig,
    ForwardConfig,
    ImpliedVolConfig,
    MarketConfig,
    RatePoint,
    SyntheticConfig,
)
from gnosis_ray.config.providers import VENDORS, AlpacaConfig, CcxtConfig, GatewayConfig, ProvidersConfig, VendorConfig
from gnosis_ray.config.quality import BarQuality, ChainQuality, NewsQuality, QualityConfig, TapeQuality
from gnosis_ray.config.section import Fraction, Section
from gnosis_ray.config.sentiment import FlowVoiceConfig, NewsVoiceConfig, SentimentConfig, TechnicalVoiceConfig
from gnosis_ray.config.settings import Config, RunConfig, as_of_text
from gnosis_ray.config.trade import TradeConfig

__all__ = [
    "VENDORS",
    "AgentsConfig",
    "AlpacaConfig",
    "BarQuality",
    "CcxtConfig",
    "ChainQuality",
    "ComposerConfig",
    "Config",
    "CrossAssetConfig",
    "DataConfig",
    "ElasticityConfig",
    "EnginesConfig",
    "FlowVoiceConfig",
    "ForwardConfig",
    "Fraction",
    "GatewayConfig",
    "HedgeAgentConfig",
    "HedgeConfig",
    "ImpliedVolConfig",
    "LiquidityAgentConfig",
    "LoadedConfig",
    "MarketConfig",
    "NewsQuality",
    "NewsVoiceConfig",
    "ProvidersConfig",
    "QualityConfig",
    "RatePoint",
    "RegimeAdjustments",
    "RunConfig",
    "Section",
    "SentimentAgentConfig",
    "SentimentConfig",
    "SyntheticConfig",
    "TapeQuality",
    "TechnicalVoiceConfig",
    "TradeConfig",
    "VendorConfig",
    "VolatilityStateConfig",
    "as_of_text",
    "config_root",
    "home",
    "load_config",
    "valid_keys",
]
