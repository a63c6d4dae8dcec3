"""Liquidity: how deep the market is, who pays for it, and where volume stands."""
