"""Sentiment of news, option flow and prices, fused."""
