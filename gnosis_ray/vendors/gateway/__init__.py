"""The single access point to the vendors of market data: rate limits, fault handling and cached responses.

Plain classes: an inline run holds a :class:`Gateway`; on Ray an actor hosts the same class.
"""

from gnosis_ray.vendors.gateway.gateway import (
    FetchProgress,
    FetchRequest,
    FetchResult,
    Gateway,
    GatewayPort,
    LookbackWindows,
)

__all__ = ["FetchProgress", "FetchRequest", "FetchResult", "Gateway", "GatewayPort", "LookbackWindows"]
