"""Contract tests for plug-ins: what gnosis-ray relies on, to be run in a plug-in's own test suite.

Each kind of plug-in has a class to subclass under pytest, whose tests call the ``check_*`` functions of its module, and
one function that runs all of them. Checks raise :class:`AssertionError` saying what was expected and what was found.
Everything runs on the synthetic market: without Ray, network or files.

Examples
--------
>>> import gnosis_ray as gr
>>> class TestMyAgent(gr.testing.AgentContract):
...     def make_agent(self):
...         config = gr.load_config()
...         return gr.SentimentAgentV1(config.agents.sentiment)
>>> TestMyAgent().test_agent_is_pure()
"""

from gnosis_ray.testing.agents import AgentContract, check_agent
from gnosis_ray.testing.processors import ProcessorContract, check_processor
from gnosis_ray.testing.providers import ProviderContract, check_provider
from gnosis_ray.testing.samples import (
    SAMPLE_MOMENTS,
    SAMPLE_SYMBOLS,
    keys_of,
    sample_market,
    sample_snapshots,
    sample_stances,
    synthetic_source,
)
from gnosis_ray.testing.strategies import StrategyContract, check_strategy

__all__ = [
    "SAMPLE_MOMENTS",
    "SAMPLE_SYMBOLS",
    "AgentContract",
    "ProcessorContract",
    "ProviderContract",
    "StrategyContract",
    "check_agent",
    "check_processor",
    "check_provider",
    "check_strategy",
    "keys_of",
    "sample_market",
    "sample_snapshots",
    "sample_stances",
    "synthetic_source",
]
