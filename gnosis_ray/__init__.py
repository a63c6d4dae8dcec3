"""Watch an options and equity universe the way a desk does: ``import gnosis_ray as gr``.

``gr.scan`` makes a run and gives back Polars frames; ``gr.open_ledger`` reads earlier ones. Engines, agents and the
pipeline can be used by themselves; plug-ins are written against the same names. Each is imported when it is first used,
and none of them imports Ray until a run needs it.
"""

from __future__ import annotations

import importlib
import logging
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gnosis_ray import errors as errors
    from gnosis_ray import testing as testing
    from gnosis_ray.agents.base import PrimaryAgent as PrimaryAgent
    from gnosis_ray.agents.composer.composer_agent_v1 import ComposerAgentV1 as ComposerAgentV1
    from gnosis_ray.agents.hedge_agent_v3 import HedgeAgentV3 as HedgeAgentV3
    from gnosis_ray.agents.liquidity_agent_v1 import LiquidityAgentV1 as LiquidityAgentV1
    from gnosis_ray.agents.sentiment_agent_v1 import SentimentAgentV1 as SentimentAgentV1
    from gnosis_ray.agents.strategies import strategy_spec as strategies
    from gnosis_ray.agents.strategies.strategy_spec import StrategySpec as StrategySpec
    from gnosis_ray.agents.trade_agent_v1 import TradeAgentV1 as TradeAgentV1
    from gnosis_ray.api.plan import RunPlan as RunPlan
    from gnosis_ray.api.reading import load_config as load_config
    from gnosis_ray.api.reading import open_ledger as open_ledger
    from gnosis_ray.api.reading import open_market as open_market
    from gnosis_ray.api.reading import universe as universe
    from gnosis_ray.api.scan import plan_scan as plan_scan
    from gnosis_ray.api.scan import scan as scan
    from gnosis_ray.api.scan_result import ScanResult as ScanResult
    from gnosis_ray.engines.elasticity.elasticity_engine_v1 import ElasticityEngineV1 as ElasticityEngineV1
    from gnosis_ray.engines.hedge.hedge_engine_v3 import HedgeEngineV3 as HedgeEngineV3
    from gnosis_ray.engines.liquidity.liquidity_engine_v1 import LiquidityEngineV1 as LiquidityEngineV1
    from gnosis_ray.engines.sentiment.frame_processor import FrameProcessor as FrameProcessor
    from gnosis_ray.engines.sentiment.frame_processor import SentimentProcessor as SentimentProcessor
    from gnosis_ray.engines.sentiment.sentiment_engine_v1 import SentimentEngineV1 as SentimentEngineV1
    from gnosis_ray.errors import GnosisError as GnosisError
    from gnosis_ray.ledger.ledger_store import LedgerStore as LedgerStore
    from gnosis_ray.market import columns as columns
    from gnosis_ray.market.adapters import MarketAdapter as MarketAdapter
    from gnosis_ray.market.calendar import SessionCalendar as SessionCalendar
    from gnosis_ray.market.source import MarketSource as MarketSource
    from gnosis_ray.pipeline.pipeline_runner import PipelineRunner as PipelineRunner
    from gnosis_ray.plugins import PLUGIN_API as PLUGIN_API
    from gnosis_ray.schemas.core_schemas import EngineOutput as EngineOutput
    from gnosis_ray.schemas.core_schemas import LedgerRecord as LedgerRecord
    from gnosis_ray.schemas.core_schemas import StandardSnapshot as StandardSnapshot
    from gnosis_ray.schemas.core_schemas import Suggestion as Suggestion
    from gnosis_ray.schemas.core_schemas import TradeIdea as TradeIdea
    from gnosis_ray.schemas.core_schemas import TradeLeg as TradeLeg

_MODULES = {
    "columns": "gnosis_ray.market.columns",
    "errors": "gnosis_ray.errors",
    "strategies": "gnosis_ray.agents.strategies.strategy_spec",
    "testing": "gnosis_ray.testing",
}
"""Public modules by the name that they have here."""

_HOMES = {
    "PLUGIN_API": "gnosis_ray.plugins",
    "ComposerAgentV1": "gnosis_ray.agents.composer.composer_agent_v1",
    "ElasticityEngineV1": "gnosis_ray.engines.elasticity.elasticity_engine_v1",
    "EngineOutput": "gnosis_ray.schemas.core_schemas",
    "FrameProcessor": "gnosis_ray.engines.sentiment.frame_processor",
    "GnosisError": "gnosis_ray.errors",
    "HedgeAgentV3": "gnosis_ray.agents.hedge_agent_v3",
    "HedgeEngineV3": "gnosis_ray.engines.hedge.hedge_engine_v3",
    "LedgerRecord": "gnosis_ray.schemas.core_schemas",
    "LedgerStore": "gnosis_ray.ledger.ledger_store",
    "LiquidityAgentV1": "gnosis_ray.agents.liquidity_agent_v1",
    "LiquidityEngineV1": "gnosis_ray.engines.liquidity.liquidity_engine_v1",
    "MarketAdapter": "gnosis_ray.market.adapters",
    "MarketSource": "gnosis_ray.market.source",
    "PipelineRunner": "gnosis_ray.pipeline.pipeline_runner",
    "PrimaryAgent": "gnosis_ray.agents.base",
    "RunPlan": "gnosis_ray.api.plan",
    "ScanResult": "gnosis_ray.api.scan_result",
    "SentimentAgentV1": "gnosis_ray.agents.sentiment_agent_v1",
    "SentimentEngineV1": "gnosis_ray.engines.sentiment.sentiment_engine_v1",
    "SentimentProcessor": "gnosis_ray.engines.sentiment.frame_processor",
    "SessionCalendar": "gnosis_ray.market.calendar",
    "StandardSnapshot": "gnosis_ray.schemas.core_schemas",
    "StrategySpec": "gnosis_ray.agents.strategies.strategy_spec",
    "Suggestion": "gnosis_ray.schemas.core_schemas",
    "TradeAgentV1": "gnosis_ray.agents.trade_agent_v1",
    "TradeIdea": "gnosis_ray.schemas.core_schemas",
    "TradeLeg": "gnosis_ray.schemas.core_schemas",
    "load_config": "gnosis_ray.api.reading",
    "open_ledger": "gnosis_ray.api.reading",
    "open_market": "gnosis_ray.api.reading",
    "plan_scan": "gnosis_ray.api.scan",
    "scan": "gnosis_ray.api.scan",
    "universe": "gnosis_ray.api.reading",
}
"""The module that each other public name is imported from."""

__all__ = [
    "PLUGIN_API",
    "ComposerAgentV1",
    "ElasticityEngineV1",
    "EngineOutput",
    "FrameProcessor",
    "GnosisError",
    "HedgeAgentV3",
    "HedgeEngineV3",
    "LedgerRecord",
    "LedgerStore",
    "LiquidityAgentV1",
    "LiquidityEngineV1",
    "MarketAdapter",
    "MarketSource",
    "PipelineRunner",
    "PrimaryAgent",
    "RunPlan",
    "ScanResult",
    "SentimentAgentV1",
    "SentimentEngineV1",
    "SentimentProcessor",
    "SessionCalendar",
    "StandardSnapshot",
    "StrategySpec",
    "Suggestion",
    "TradeAgentV1",
    "TradeIdea",
    "TradeLeg",
    "columns",
    "errors",
    "load_config",
    "open_ledger",
    "open_market",
    "plan_scan",
    "scan",
    "strategies",
    "testing",
    "universe",
]

for _name in ("gnosis_ray", "actors", "cluster"):
    logging.getLogger(_name).addHandler(logging.NullHandler())  # a library prints no log that nobody asked for


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used."""
    if name in _MODULES:
        found: Any = importlib.import_module(_MODULES[name])
    elif name in _HOMES:
        found = getattr(importlib.import_module(_HOMES[name]), name)
    else:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    """The public names, loaded or not."""
    return sorted(__all__)
