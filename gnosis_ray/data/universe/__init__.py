"""Universes: which symbols a run looks at. An index and its sectors, a file, or a list; never the network."""

from gnosis_ray.data.universe.indices import INDEX_SIZES
from gnosis_ray.data.universe.loading import load_universe, universe_names
from gnosis_ray.data.universe.sectors import SECTORS, sectors_of
from gnosis_ray.data.universe.universe import Universe

__all__ = ["INDEX_SIZES", "SECTORS", "Universe", "load_universe", "sectors_of", "universe_names"]
