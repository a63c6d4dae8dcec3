"""The one door to the vendors of market data: their rates, their faults and their answers in one place.

Plain classes: inline a run holds a :class:`Gateway`, on Ray an actor hosts the same one.
"""

from gnosis_ray.vendors.gateway.gateway import Gateway, GatewayPort, Order, Outcome, Progress, Windows

__all__ = ["Gateway", "GatewayPort", "Order", "Outcome", "Progress", "Windows"]
