"""The processors of the sentiment engine, one a source: news, option flow, and indicators of daily prices."""

from gnosis_ray.engines.sentiment.flow import FlowSentimentProcessor
from gnosis_ray.engines.sentiment.frame_processor import (
    SENTIMENT_SOURCES,
    FrameProcessor,
    SentimentProcessor,
    SentimentSource,
)
from gnosis_ray.engines.sentiment.news import NewsSentimentProcessor
from gnosis_ray.engines.sentiment.technical import TechnicalSentimentProcessor

__all__ = [
    "SENTIMENT_SOURCES",
    "FlowSentimentProcessor",
    "FrameProcessor",
    "NewsSentimentProcessor",
    "SentimentProcessor",
    "SentimentSource",
    "TechnicalSentimentProcessor",
]
