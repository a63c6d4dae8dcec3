"""Plug-ins: agents, sentiment sources, providers and strategies that other distributions offer by entry point.

A plug-in is loaded only if the settings name it. Its entry point is a factory:

    gnosis_ray.agents       factory(settings) -> PrimaryAgent
    gnosis_ray.processors   factory(adapter, settings) -> SentimentProcessor or FrameProcessor
    gnosis_ray.providers    factory(calendar, settings) -> MarketSource
    gnosis_ray.strategies   factory(settings) -> StrategySpec

``settings`` is the plug-in's part of the section ``plugins``: read-only, of JSON types. The module of the factory, or a
package that it is in, states which version of these contracts it was written for: ``PLUGIN_API = 1``.

Examples
--------
>>> import gnosis_ray as gr
>>> gr.PLUGIN_API
1
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points
from types import MappingProxyType
from typing import Any, Literal, get_args

from gnosis_ray.agents.strategies.builtin_strategies import BUILTIN_STRATEGIES
from gnosis_ray.config import VENDORS, Config, check_changes_with
from gnosis_ray.errors import ConfigError, nearest_hint, text_of
from gnosis_ray.interrupts import failures_as

PluginKind = Literal["agents", "processors", "providers", "strategies"]
PLUGIN_KINDS: tuple[PluginKind, ...] = get_args(PluginKind)
PREFIX = "gnosis_ray."

PLUGIN_API = 1
"""The version of the contracts between gnosis-ray and plug-ins that this release offers."""

BUILT_IN: Mapping[PluginKind, tuple[str, ...]] = {
    "agents": ("hedge", "liquidity", "sentiment"),
    "processors": ("news", "flow", "technical"),
    "providers": ("synthetic", "store", *VENDORS),
    "strategies": tuple(strategy.name for strategy in BUILTIN_STRATEGIES),
}
"""Built-in names, which no plug-in may take."""

SETTING: Mapping[PluginKind, str] = {
    "agents": "agents.enabled",
    "processors": "engines.sentiment.processors",
    "providers": "data.provider",
    "strategies": "trade.strategies",
}
"""The setting that names them."""


@dataclass(frozen=True)
class Plugin:
    """One entry point of an installed distribution, not yet imported."""

    kind: PluginKind
    name: str
    distribution: str
    version: str
    entry_point: EntryPoint

    @property
    def key(self) -> str:
        """Its key in ``Config.plugin_versions``."""
        return f"{self.kind}/{self.name}"

    @property
    def code(self) -> str:
        """The code that it is: distribution and version."""
        return f"{self.distribution} {self.version}"

    def __str__(self) -> str:
        return f"'{self.name}' ({self.code}, entry point {self.entry_point.value} of {PREFIX}{self.kind})"

    def load(self) -> Callable[..., Any]:
        """Import the factory.

        Raises :class:`ConfigError` naming distribution and entry point, also for a plug-in that was written for a
        version of :data:`PLUGIN_API` that this release does not offer.
        """
        with failures_as(lambda error: self._failed("cannot be imported", error)):
            factory = self.entry_point.load()
        self._require_api()
        if not callable(factory):
            raise ConfigError(f"Plug-in {self}: Expected a factory, was {type(factory).__name__}; {self._advice}")
        made: Callable[..., Any] = factory
        return made

    def _require_api(self) -> None:
        stated = _stated_api(self.entry_point.module)
        if stated == PLUGIN_API and type(stated) is int:
            return
        if type(stated) is int and stated > PLUGIN_API:
            offered = (
                f"this gnosis-ray offers {PLUGIN_API}: upgrade gnosis-ray, or install an older {self.distribution}"
            )
            raise ConfigError(f"Plug-in {self} was written for PLUGIN_API {stated}, and {offered}")
        raise ConfigError(f"Plug-in {self}: Expected PLUGIN_API {PLUGIN_API}, was {stated!r}; {self._advice}")

    def make(self, fits: Callable[[Any], str | None], *arguments: object) -> Any:
        """The result of the factory; ``fits`` returns what is wrong with it, None if nothing is.

        Raises :class:`ConfigError` if the factory fails or returns something else than expected.
        """
        factory = self.load()
        with failures_as(lambda error: self._failed("cannot be made", error)):
            made = factory(*arguments)
            wrong = fits(made)
        if wrong is not None:
            raise ConfigError(f"Plug-in {self}: {wrong}; {self._advice}")
        return made

    def _failed(self, what: str, error: BaseException) -> ConfigError:
        return ConfigError(f"Plug-in {self} {what}: {type(error).__name__}: {text_of(error)}; {self._advice}")

    @property
    def _advice(self) -> str:
        return f"repair or uninstall {self.distribution}, or take '{self.name}' out of {SETTING[self.kind]}"


def _stated_api(module: str) -> object:
    """The ``PLUGIN_API`` of an imported module, else of the nearest package around it; 1 where none states it.

    The contracts had no number before there was a second version of them to tell apart: silence means the first.
    """
    while module:
        stated: object = getattr(sys.modules.get(module), "PLUGIN_API", None)
        if stated is not None:
            return stated
        module = module.rpartition(".")[0]
    return 1


def installed_plugins() -> list[Plugin]:
    """The plug-ins of all installed distributions, sorted; imports none of them."""
    found = [
        Plugin(kind, point.name, point.dist.name, point.dist.version, point)
        for kind in PLUGIN_KINDS
        for point in entry_points(group=f"{PREFIX}{kind}")
        if point.dist is not None
    ]
    return sorted(found, key=lambda p: (p.kind, p.name, p.distribution))


def configured_names(config: Config) -> dict[PluginKind, tuple[str, ...]]:
    """The names that the settings use, by kind, built-in ones included."""
    return {
        "agents": config.agents.enabled,
        "processors": config.engines.sentiment.processors,
        "providers": (config.data.provider,),
        "strategies": config.trade.strategies,
    }


def find_plugin(kind: PluginKind, name: str, among: Sequence[Plugin]) -> Plugin | None:
    """The plug-in of that name among those that are installed; None if the name is built in.

    Raises :class:`ConfigError` if the name is unknown or ambiguous.
    """
    known = [plugin for plugin in among if plugin.kind == kind]
    offers = [plugin for plugin in known if plugin.name == name]
    if name in BUILT_IN[kind]:
        if offers:
            raise ConfigError(f"{SETTING[kind]}: '{name}' is built in, and offered by {_listed(offers)} too: rename it")
        return None
    if len(offers) > 1:
        raise ConfigError(f"{SETTING[kind]}: '{name}' is offered twice, by {_listed(offers)}: uninstall one")
    if not offers:
        raise ConfigError(_unknown(kind, name, [*BUILT_IN[kind], *(plugin.name for plugin in known)]))
    return offers[0]


def pin_plugins(config: Config) -> Config:
    """The settings with the distribution and version of each plug-in in use, so that ids of decisions depend on them.

    Raises :class:`ConfigError` for an unknown name, and for settings of a plug-in that is not installed.
    """
    available = installed_plugins()
    names = sorted({plugin.name for plugin in available})
    for name in config.plugins:
        if name not in names:
            raise ConfigError(f"plugins.{name}: no such plug-in is installed. {_near(name, names)}")
    versions = {plugin.key: plugin.code for plugin in _used(config, available)}
    return config.replaced(plugin_versions=versions)


def require_known_changes(before: Config, after: Config) -> None:
    """Raises :class:`ConfigError` for a name that the settings did not use before and that nothing offers."""
    used = configured_names(before)
    fresh = [
        (kind, name) for kind, names in configured_names(after).items() for name in names if name not in used[kind]
    ]
    available = installed_plugins() if any(name not in BUILT_IN[kind] for kind, name in fresh) else []
    for kind, name in fresh:
        find_plugin(kind, name, available)


check_changes_with(require_known_changes)


def require_pinned(config: Config) -> None:
    """Raises :class:`ConfigError` if a plug-in in use has another version than the settings were pinned to."""
    for plugin in _used(config, installed_plugins()):
        _require_code(plugin, config.plugin_versions)


def _used(config: Config, among: Sequence[Plugin]) -> list[Plugin]:
    return [
        p
        for kind, names in configured_names(config).items()
        for n in names
        if (p := find_plugin(kind, n, among)) is not None
    ]


class PluginMaker:
    """Makes the plug-ins of a configuration, of the versions that it was pinned to."""

    def __init__(self, config: Config) -> None:
        self._settings = config.plugins
        self._versions = config.plugin_versions
        self._found: dict[tuple[PluginKind, str], Plugin | None] = {}

    def make(self, kind: PluginKind, name: str, fits: Callable[[Any], str | None], *arguments: object) -> Any:
        """Call the plug-in's factory with ``arguments`` and the plug-in's settings; see :meth:`Plugin.make`.

        Raises :class:`ConfigError` also if the installed version is not the one that the settings were pinned to.
        """
        return self.plugin(kind, name).make(fits, *arguments, frozen(self._settings.get(name, {})))

    def plugin(self, kind: PluginKind, name: str) -> Plugin:
        """The plug-in of that name. Raises :class:`ConfigError` for a built-in name and for other code than pinned."""
        if (kind, name) not in self._found:
            self._found[kind, name] = find_plugin(kind, name, installed_plugins())
        plugin = self._found[kind, name]
        if plugin is None:
            raise ConfigError(f"{SETTING[kind]}: '{name}' is built in, not a plug-in")
        _require_code(plugin, self._versions)
        return plugin


def _require_code(plugin: Plugin, versions: Mapping[str, str]) -> None:
    pinned_to = versions.get(plugin.key)
    if pinned_to is None:
        raise ConfigError(f"Plug-in {plugin} is not pinned: give the settings through app.resolved_for_workers first")
    if pinned_to != plugin.code:
        raise ConfigError(f"Plug-in {plugin}: Expected {pinned_to}, which these settings began with")


def missing_members(protocol: type, *others: str) -> Callable[[Any], str | None]:
    """A check that an object has every public member of ``protocol``, and ``others``: its methods as methods."""
    wanted = [n for n in (*protocol.__dict__, *protocol.__annotations__) if not n.startswith("_")]
    methods = {n for n in wanted if callable(getattr(protocol, n, None))}

    def fits(made: Any) -> str | None:
        expected = f"Expected a {protocol.__name__}, was"
        if isinstance(made, type):
            return f"{expected} the class {made.__name__}: the factory is to return an object of it"
        missing = sorted({n for n in (*wanted, *others) if not hasattr(made, n)})
        if missing:
            return f"{expected} {type(made).__name__} without {', '.join(missing)}"
        odd = sorted(n for n in methods if not callable(getattr(made, n)))
        return f"{expected} {type(made).__name__} whose {', '.join(odd)} cannot be called" if odd else None

    return fits


def frozen(value: Any) -> Any:
    """A read-only copy of a JSON-like value: mappings are proxies, lists are tuples."""
    if isinstance(value, Mapping):
        return MappingProxyType({key: frozen(inner) for key, inner in value.items()})
    return tuple(map(frozen, value)) if isinstance(value, list | tuple) else value


def _unknown(kind: PluginKind, name: str, known: list[str]) -> str:
    return (
        f"{SETTING[kind]}: unknown name '{name}'. {_near(name, known)} Plug-ins of the group {PREFIX}{kind} add names."
    )


def _near(name: str, known: list[str]) -> str:
    if not known:
        return f"Nothing is installed in the groups {', '.join(f'{PREFIX}{kind}' for kind in PLUGIN_KINDS)}."
    return nearest_hint(name, known)


def _listed(plugins: list[Plugin]) -> str:
    return " and ".join(plugin.code for plugin in plugins)
