"""All settings as one frozen object."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, JsonValue

from gnosis_ray.config.agents import AgentsConfig, ComposerConfig, TradeConfig
from gnosis_ray.config.engines import EnginesConfig
from gnosis_ray.config.market import DataConfig, GatewayConfig, MarketConfig, ProvidersConfig, QualityConfig
from gnosis_ray.config.section import Megabytes, Ratio, Seconds, Section, SmallCount, Text
from gnosis_ray.errors import ConfigError


def _finite(value: Any) -> Any:
    """A value that JSON can hold, without NaN and infinity. Raises ValueError for another."""
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError("finite numbers")
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        _finite(inner)
    return value


PluginSetting = Annotated[JsonValue, AfterValidator(_finite)]


_name_checks: list[Callable[[Config, Config], None]] = []


def check_changes_with(check: Callable[[Config, Config], None]) -> None:
    """Have every change of settings checked: ``check(before, after)`` raises :class:`ConfigError`.

    What names mean is known where components are: this module is below them.
    """
    _name_checks.append(check)


class RunConfig(Section):
    """How a run is distributed over hosts. Nothing here changes a ledger."""

    granularity: Literal["auto", "component", "symbol", "shard", "inline"]
    batch_size: Annotated[int, Field(ge=1, le=100_000)]
    window_per_host: SmallCount
    max_attempts: Annotated[int, Field(ge=1, le=100)]
    batch_timeout_s: Seconds
    symbol_timeout_s: Seconds
    straggler_factor: Ratio
    heartbeat_s: Seconds
    heartbeat_timeout_s: Seconds
    host_memory_mb: Megabytes
    symbol_memory_mb: Megabytes
    component_memory_mb: Megabytes
    actors_per_core: SmallCount
    auto_actors_per_core: SmallCount
    polars_threads: SmallCount


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
    plugins: dict[Text, dict[Text, PluginSetting]]
    plugin_versions: dict[Text, Text]
    run: RunConfig

    def replaced(self, **changes: Any) -> Config:
        """See :meth:`Section.replaced`; names of components and providers that change must be known ones."""
        changed = super().replaced(**changes)
        for check in _name_checks:
            check(self, changed)
        return changed

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
