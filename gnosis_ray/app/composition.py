"""Composition root: settings become sources, pipelines and jobs. Nothing else constructs them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, timedelta
from functools import reduce
from pathlib import Path

from gnosis_ray.agents.base import ComposerAgent, PrimaryAgent
from gnosis_ray.agents.composer.composer_agent_v1 import ComposerAgentV1
from gnosis_ray.agents.hedge_agent_v3 import HedgeAgentV3
from gnosis_ray.agents.liquidity_agent_v1 import LiquidityAgentV1
from gnosis_ray.agents.sentiment_agent_v1 import SentimentAgentV1
from gnosis_ray.agents.strategies.builtin_strategies import BUILTIN_STRATEGIES
from gnosis_ray.agents.strategies.strategy_spec import StrategySpec
from gnosis_ray.agents.trade_agent_v1 import TradeAgentV1
from gnosis_ray.clock import Time
from gnosis_ray.config import VENDORS, Config, home
from gnosis_ray.data.chains.loader import ChainLoader
from gnosis_ray.data.source_market_adapter import SourceMarketAdapter
from gnosis_ray.data.store.source import StoreSource
from gnosis_ray.data.synthetic.source import SyntheticSource
from gnosis_ray.engines.base import FeatureSpec, FrameEngine
from gnosis_ray.engines.elasticity.elasticity_engine_v1 import ElasticityEngineV1
from gnosis_ray.engines.elasticity.features import ELASTICITY_FEATURES
from gnosis_ray.engines.hedge.features import HEDGE_FEATURES
from gnosis_ray.engines.hedge.hedge_engine_v3 import HedgeEngineV3
from gnosis_ray.engines.liquidity.features import LIQUIDITY_FEATURES
from gnosis_ray.engines.liquidity.liquidity_engine_v1 import LiquidityEngineV1
from gnosis_ray.engines.sentiment.features import SENTIMENT_FEATURES
from gnosis_ray.engines.sentiment.processors import (
    SENTIMENT_SOURCES,
    FlowSentimentProcessor,
    FrameProcessor,
    NewsSentimentProcessor,
    SentimentProcessor,
    TechnicalSentimentProcessor,
)
from gnosis_ray.engines.sentiment.sentiment_engine_v1 import SentimentEngineV1
from gnosis_ray.market.adapters import MarketAdapter
from gnosis_ray.market.calendar import SessionCalendar
from gnosis_ray.market.keys import ReferenceData
from gnosis_ray.market.source import MarketSource
from gnosis_ray.pipeline.pipeline_runner import PipelineRunner, RecordSink
from gnosis_ray.plugins import BUILT_IN, PluginMaker, missing_members, pin_plugins
from gnosis_ray.schemas.core_schemas import EngineKind
from gnosis_ray.storage.location import Location, S3Url
from gnosis_ray.vendors.fetching import windows
from gnosis_ray.vendors.gateway import Gateway
from gnosis_ray.vendors.gateway.response_cache import ResponseCache
from gnosis_ray.vendors.providers.registry import provider_maker

CALENDAR_YEARS_AHEAD = 4
"""Beyond the longest listed options (LEAPS run to under three years)."""

CALENDAR_START = date(2015, 1, 1)
"""Enough for a scan of any chain of the last years; who reads older data asks for more."""

OLDEST_DATA = date(1990, 1, 1)
"""The first session of the oldest data that a built-in mapping reads."""

FEATURES: dict[EngineKind, tuple[FeatureSpec, ...]] = {
    "hedge": HEDGE_FEATURES,
    "liquidity": LIQUIDITY_FEATURES,
    "sentiment": SENTIMENT_FEATURES,
    "elasticity": ELASTICITY_FEATURES,
}


def build_calendar(config: Config, as_of: datetime, since: date = CALENDAR_START) -> SessionCalendar:
    """The exchange's sessions around ``as_of``, far enough ahead for every listed expiry."""
    start = min(since, as_of.date() - timedelta(days=366))
    end = as_of.date() + timedelta(days=366 * CALENDAR_YEARS_AHEAD)
    return SessionCalendar.build(config.market.calendar, start, end)


def data_dir(config: Config) -> Location:
    """Where the market store lies: an absolute folder, or a prefix on an object store."""
    place = config.data.dir or home() / "market"
    return place if isinstance(place, S3Url) else place.expanduser().resolve()


def with_absolute_paths(config: Config) -> Config:
    """The settings that workers get: they read neither the environment nor the driver's working folder."""
    return config.replaced(data={"dir": data_dir(config)})


def resolved_for_workers(config: Config) -> Config:
    """The settings of a run: absolute paths, and the code of the plug-ins that they name.

    Raises :class:`ConfigError` where a plug-in that is named cannot be found.
    """
    return pin_plugins(with_absolute_paths(config))


def build_source(config: Config, calendar: SessionCalendar) -> MarketSource:
    """The configured provider; of a vendor the store that its answers are in."""
    name = config.data.provider
    if config.data.reads_store:
        # where every fetch failed, each symbol is to fail by its own name
        return StoreSource(data_dir(config), may_be_empty=name in VENDORS)
    if name == "synthetic":
        return SyntheticSource(calendar, config.data.synthetic, config.market)
    source: MarketSource = PluginMaker(config).make("providers", name, missing_members(MarketSource), calendar)
    return source


def build_adapter(config: Config, calendar: SessionCalendar) -> SourceMarketAdapter:
    """The configured provider, its chains made ready for engines."""
    return SourceMarketAdapter(build_source(config, calendar), ChainLoader(calendar, config.market))


def response_cache_dir() -> Path:
    """Where vendors' answers are kept as they come."""
    return (home() / "response_cache").expanduser().resolve()


def beside(config: Config, calendar: SessionCalendar) -> ReferenceData:
    """The symbols that the configured engines read beside those they are asked about."""
    engines = Parts(config).engines(build_adapter(config, calendar))
    return reduce(lambda wanted, engine: wanted.merged(engine.context), engines, ReferenceData())


def build_gateway(config: Config, cache_dir: Path, time: Time) -> Gateway:
    """The gateway to the configured vendors; their keys are read when a vendor is first asked, in this process."""
    return Gateway(
        config.providers,
        config.gateway,
        provider_maker(config.providers),
        ResponseCache(cache_dir),
        windows(config),
        time,
    )


def feature_specs(config: Config) -> dict[EngineKind, tuple[FeatureSpec, ...]]:
    """The features of the configured engines: the columns of the snapshots table."""
    return {kind: FEATURES[kind] for kind in config.engines.enabled}


class Parts:
    """The configured engines and agents."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self._plugins = PluginMaker(config)

    def engines(self, adapter: MarketAdapter) -> list[FrameEngine]:
        """The configured engines over ``adapter``."""
        settings = self._config.engines
        makers: dict[EngineKind, Callable[[], FrameEngine]] = {
            "hedge": lambda: HedgeEngineV3(adapter, settings.hedge),
            "liquidity": lambda: LiquidityEngineV1(adapter, settings.liquidity),
            "sentiment": lambda: SentimentEngineV1(self._sentiment_sources(adapter), settings.sentiment),
            "elasticity": lambda: ElasticityEngineV1(adapter, settings.elasticity),
        }
        return [makers[kind]() for kind in settings.enabled]

    def primary_agents(self) -> list[PrimaryAgent]:
        """The configured primary agents."""
        settings = self._config.agents
        makers: dict[str, Callable[[], PrimaryAgent]] = {
            "hedge": lambda: HedgeAgentV3(settings.hedge),
            "liquidity": lambda: LiquidityAgentV1(settings.liquidity),
            "sentiment": lambda: SentimentAgentV1(settings.sentiment),
        }
        return [makers[name]() if name in makers else self._agent(name) for name in settings.enabled]

    def _agent(self, name: str) -> PrimaryAgent:
        agent: PrimaryAgent = self._plugins.make("agents", name, missing_members(PrimaryAgent))
        return agent

    def _strategy(self, name: str) -> StrategySpec:
        def wrong(made: object) -> str | None:
            if isinstance(made, StrategySpec) and made.name == name:
                return None
            return f"Expected a StrategySpec named {name!r}, was {made!r}"

        strategy: StrategySpec = self._plugins.make("strategies", name, wrong)
        return strategy

    def _sentiment_sources(self, adapter: MarketAdapter) -> list[FrameProcessor | SentimentProcessor]:
        settings = self._config.engines.sentiment
        makers: dict[str, Callable[[], FrameProcessor]] = {
            "news": lambda: NewsSentimentProcessor(adapter, settings.news),
            "flow": lambda: FlowSentimentProcessor(settings.flow, adapter),
            "technical": lambda: TechnicalSentimentProcessor(adapter, settings.technical),
        }
        return [makers[n]() if n in makers else self._plugin_source(n, adapter) for n in settings.processors]

    def _plugin_source(self, name: str, adapter: MarketAdapter) -> FrameProcessor | SentimentProcessor:
        source: FrameProcessor | SentimentProcessor = self._plugins.make("processors", name, _source_fault, adapter)
        return source

    def composer(self) -> ComposerAgent:
        """The composer with the configured weights."""
        return ComposerAgentV1(self._config.composer.weights, self._config.composer)

    def trade_agent(self, adapter: MarketAdapter) -> TradeAgentV1:
        """The trade agent over ``adapter``."""
        named = dict.fromkeys(self._config.trade.strategies)
        added = [self._strategy(name) for name in named if name not in BUILT_IN["strategies"]]
        return TradeAgentV1(adapter, self._config.trade, (*BUILTIN_STRATEGIES, *added))


def _source_fault(made: object) -> str | None:
    """Why an object is no sentiment processor; None where it is one."""
    wrong = missing_members(SentimentProcessor, "name")(made)
    name = getattr(made, "name", None)
    return wrong or (
        None
        if name in SENTIMENT_SOURCES
        else f"Expected a sentiment source named one of {', '.join(SENTIMENT_SOURCES)}, was {name!r}"
    )


def build_pipeline(symbol: str, config: Config, adapter: MarketAdapter, ledger: RecordSink) -> PipelineRunner:
    """One symbol's whole pipeline."""
    parts = Parts(config)
    return PipelineRunner(
        symbol,
        parts.engines(adapter),
        parts.primary_agents(),
        parts.composer(),
        parts.trade_agent(adapter),
        ledger,
        config,
    )
