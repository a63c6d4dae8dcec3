"""Settings become engines, agents, composer and trade agent."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from gnosis_ray.agents.base import ComposerAgent, PrimaryAgent
from gnosis_ray.agents.composer.composer_agent_v1 import ComposerAgentV1
from gnosis_ray.agents.hedge_agent_v3 import HedgeAgentV3
from gnosis_ray.agents.liquidity_agent_v1 import LiquidityAgentV1
from gnosis_ray.agents.sentiment_agent_v1 import SentimentAgentV1
from gnosis_ray.agents.strategies.builtin_strategies import BUILTIN_STRATEGIES
from gnosis_ray.agents.strategies.strategy_spec import StrategySpec
from gnosis_ray.agents.trade_agent_v1 import TradeAgentV1
from gnosis_ray.app.plugged import plugged_agent, plugged_processor
from gnosis_ray.config import Config
from gnosis_ray.engines.base import FrameEngine
from gnosis_ray.engines.elasticity.elasticity_engine_v1 import ElasticityEngineV1
from gnosis_ray.engines.hedge.hedge_engine_v3 import HedgeEngineV3
from gnosis_ray.engines.liquidity.liquidity_engine_v1 import LiquidityEngineV1
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
from gnosis_ray.market.data_requirements import DataRequirements
from gnosis_ray.plugins import BUILT_IN, PluginMaker, missing_members
from gnosis_ray.schemas.core_schemas import EngineKind
from gnosis_ray.schemas.expectations import was

Processor = FrameProcessor | SentimentProcessor
MakeProcessors = Callable[[MarketAdapter], Sequence[Processor]]
MakeEngine = Callable[[], FrameEngine]


class ConfiguredComponents:
    """The configured engines and agents."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self._plugins = PluginMaker(config)

    def engines(self, adapter: MarketAdapter) -> list[FrameEngine]:
        """The configured engines over ``adapter``."""
        makers = self._engine_makers(adapter, self._processors)
        return [makers[kind]() for kind in self._config.engines.enabled]

    def built_in_engines(self, adapter: MarketAdapter) -> list[FrameEngine]:
        """Every engine over ``adapter``, enabled or not, with all built-in processors; no plug-in is loaded."""
        makers = self._engine_makers(adapter, lambda over: [make() for make in self._processor_makers(over).values()])
        return [make() for make in makers.values()]

    def _engine_makers(self, adapter: MarketAdapter, processors: MakeProcessors) -> dict[EngineKind, MakeEngine]:
        settings = self._config.engines
        return {
            "hedge": lambda: HedgeEngineV3(adapter, settings.hedge),
            "liquidity": lambda: LiquidityEngineV1(adapter, settings.liquidity),
            "sentiment": lambda: SentimentEngineV1(processors(adapter), settings.sentiment),
            "elasticity": lambda: ElasticityEngineV1(adapter, settings.elasticity),
        }

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
        agent = self._plugins.make("agents", name, missing_members(PrimaryAgent))
        return plugged_agent(self._plugins.plugin("agents", name), agent)

    def _strategy(self, name: str) -> StrategySpec:
        def wrong(made: object) -> str | None:
            if not isinstance(made, StrategySpec) or made.name != name:
                return f"Expected a StrategySpec named {name!r}, was {_kind_and_name(made)}"
            try:
                made.require_usable()
            except ValueError as error:
                return str(error)
            return None

        strategy: StrategySpec = self._plugins.make("strategies", name, wrong)
        return strategy

    def _processors(self, adapter: MarketAdapter) -> list[Processor]:
        makers = self._processor_makers(adapter)
        names = self._config.engines.sentiment.processors
        return [makers[name]() if name in makers else self._plugin_processor(name, adapter) for name in names]

    def _processor_makers(self, adapter: MarketAdapter) -> dict[str, Callable[[], FrameProcessor]]:
        settings = self._config.engines.sentiment
        return {
            "news": lambda: NewsSentimentProcessor(adapter, settings.news),
            "flow": lambda: FlowSentimentProcessor(settings.flow, adapter),
            "technical": lambda: TechnicalSentimentProcessor(adapter, settings.technical),
        }

    def _plugin_processor(self, name: str, adapter: MarketAdapter) -> Processor:
        processor = self._plugins.make("processors", name, _processor_fault, adapter)
        return plugged_processor(self._plugins.plugin("processors", name), processor)

    def composer(self) -> ComposerAgent:
        """The composer with the configured weights."""
        return ComposerAgentV1(self._config.composer.weights, self._config.composer)

    def trade_agent(self, adapter: MarketAdapter) -> TradeAgentV1:
        """The trade agent over ``adapter``."""
        named = dict.fromkeys(self._config.trade.strategies)
        added = [self._strategy(name) for name in named if name not in BUILT_IN["strategies"]]
        return TradeAgentV1(adapter, self._config.trade, (*BUILTIN_STRATEGIES, *added))


def _kind_and_name(made: object) -> str:
    name = getattr(made, "name", None)
    kind = f"the class {made.__name__}" if isinstance(made, type) else type(made).__name__
    return f"{kind} named {was(name)}" if name is not None else kind


def _processor_fault(made: object) -> str | None:
    """Why an object is no sentiment processor; None where it is one."""
    wrong = missing_members(SentimentProcessor, "name")(made)
    if wrong is not None:
        return wrong
    name, needs = getattr(made, "name", None), getattr(made, "data_requirements", None)
    if not isinstance(name, str) or name not in SENTIMENT_SOURCES:
        return f"Expected a sentiment source named one of {', '.join(SENTIMENT_SOURCES)}, was {was(name)}"
    if needs is not None and not isinstance(needs, DataRequirements):
        return f"Expected data_requirements of DataRequirements or none, was {was(needs)}"
    return None
