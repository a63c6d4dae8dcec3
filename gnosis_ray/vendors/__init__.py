"""Everything that talks to a vendor of market data: providers, the rate-limited gateway, fetching into the store."""
