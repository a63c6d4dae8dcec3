"""All settings as one frozen object."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from datetime import datetime
from typing import Literal

from pydantic import JsonValue, PositiveFloat, PositiveInt

from gnosis_ray.config.agents import AgentsConfig, ComposerConfig, TradeConfig
from gnosis_ray.config.engines import EnginesConfig
from gnosis_ray.config.market import DataConfig, GatewayConfig, MarketConfig, ProvidersConfig, QualityConfig
from gnosis_ray.config.section import Section
from gnosis_ray.errors import ConfigError


class RunConfig(Section):
    """How a run is distributed over hosts. Nothing here changes a ledger."""

    granularity: Literal["auto", "component", "symbol", "shard", "inline"]
    batch_size: PositiveInt
    window_per_host: PositiveInt
    max_attempts: PositiveInt
    batch_timeout_s: PositiveFloat
    symbol_timeout_s: PositiveFloat
    straggler_factor: PositiveFloat
    heartbeat_s: PositiveFloat
    heartbeat_timeout_s: PositiveFloat
    host_memory_mb: PositiveInt
    symbol_memory_mb: PositiveInt
    component_memory_mb: PositiveInt
    actors_per_core: PositiveInt
    auto_actors_per_core: PositiveInt
    polars_threads: PositiveInt


class Config(Section):
    """All settings."""

    market: MarketConfig
    data: DataConfig
    providers: ProvidersConfig
    gateway: GatewayConfig
    quality: QualityConfig
    engines: EnginesConfig
    agents: AgentsConfig
    composer: ComposerConfig
    trade: TradeConfig
    plugins: dict[str, dict[str, JsonValue]]
    plugin_versions: dict[str, str]
    run: RunConfig

    def decision_hash(self) -> str:
        """Sixteen hex digits over what changes a decision; where and how it runs is left out.

        Of the plug-ins, those that decide: which code they are, and their settings. A provider's settings say where
        data lies, as all of ``data`` does.
        """
        deciding = {*self.agents.enabled, *self.engines.sentiment.processors, *self.trade.strategies}
        body = self.model_dump(
            mode="json", include={"market", "engines", "agents", "composer", "trade", "plugin_versions"}
        )
        body["plugins"] = {name: settings for name, settings in self.plugins.items() if name in deciding}
        return _digest(body)

    def measuring_settings(self) -> dict[str, object]:
        """What changes a feature: market and engines, their plug-ins, and the seed of a made-up market.

        Agents, composer and trades have no part in it: who decides otherwise still shares the history of features.
        """
        measuring = set(self.engines.sentiment.processors)
        body: dict[str, object] = self.model_dump(mode="json", include={"market", "engines"})
        body["plugins"] = {name: settings for name, settings in self.plugins.items() if name in measuring}
        body["plugin_versions"] = {
            key: code for key, code in self.plugin_versions.items() if key.rpartition("/")[2] in measuring
        }
        if self.data.provider == "synthetic":
            body["seed"] = self.data.synthetic.seed
        return body


def settings_hash(settings: Config | Mapping[str, object]) -> str:
    """The hash that ids are derived from: a :class:`Config`'s ``decision_hash``; of a mapping one over all of it.

    A mapping holds settings of the caller's own components, of which nobody else knows which decide. An empty one has
    a hash too, the same everywhere. Raises :class:`ConfigError` where a mapping holds what JSON cannot.
    """
    if isinstance(settings, Config):
        return settings.decision_hash()
    try:
        return _digest(settings)
    except (TypeError, ValueError) as error:
        raise ConfigError(f"config: Expected what JSON can hold, was {settings!r}: {error}") from error


def _digest(body: Mapping[str, object]) -> str:
    text = json.dumps(dict(body), sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def as_of_text(moment: datetime) -> str:
    """A moment as users write it: ``2026-07-12T12:00:00Z``."""
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
