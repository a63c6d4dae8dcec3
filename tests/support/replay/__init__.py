"""A server that stands in for vendors of market data: see :mod:`tests.support.replay.server`."""

from tests.support.replay.http_messages import Ask, Reply, Route
from tests.support.replay.market import RecordedMarket, SyntheticMarket
from tests.support.replay.server import Replay, most_within, serving

__all__ = ["Ask", "RecordedMarket", "Replay", "Reply", "Route", "SyntheticMarket", "most_within", "serving"]
