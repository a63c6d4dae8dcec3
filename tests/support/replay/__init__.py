"""A server that stands in for vendors of market data: see :mod:`tests.support.replay.server`."""

from tests.support.replay.http_messages import ReplayRequest, ReplayResponse, Route
from tests.support.replay.market import RecordedMarket, SyntheticMarket
from tests.support.replay.server import ReplayServer, most_within, serving

__all__ = [
    "RecordedMarket",
    "ReplayRequest",
    "ReplayResponse",
    "ReplayServer",
    "Route",
    "SyntheticMarket",
    "most_within",
    "serving",
]
