"""A pipeline of one symbol over the configured components."""

from __future__ import annotations

from gnosis_ray.app.components import ConfiguredComponents
from gnosis_ray.config import Config
from gnosis_ray.market.adapters import MarketAdapter
from gnosis_ray.pipeline.pipeline_runner import PipelineRunner, RecordSink


def build_pipeline(symbol: str, config: Config, adapter: MarketAdapter, ledger: RecordSink) -> PipelineRunner:
    """One symbol's whole pipeline."""
    parts = ConfiguredComponents(config)
    return PipelineRunner(
        symbol,
        parts.engines(adapter),
        parts.primary_agents(),
        parts.composer(),
        parts.trade_agent(adapter),
        ledger,
        config,
    )
