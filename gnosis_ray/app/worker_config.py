"""The settings of a run, as workers get them."""

from __future__ import annotations

from gnosis_ray.app.sources import data_dir
from gnosis_ray.config import Config
from gnosis_ray.plugins import pin_plugins


def with_absolute_paths(config: Config) -> Config:
    """The settings that workers get: they read neither the environment nor the driver's working folder."""
    return config.replaced(data={"dir": data_dir(config)})


def resolved_for_workers(config: Config) -> Config:
    """The settings of a run: absolute paths, and the code of the plug-ins that they name.

    Raises :class:`ConfigError` where a plug-in that is named cannot be found.
    """
    return pin_plugins(with_absolute_paths(config))
