"""From a vendor's raw option chain to one that engines can use: clean, timed, with volatilities and greeks."""

from gnosis_ray.data.chains.loader import ChainLoader, LoadedChains

__all__ = ["ChainLoader", "LoadedChains"]
