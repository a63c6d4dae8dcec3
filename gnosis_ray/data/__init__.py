"""Market data: providers, the Parquet store, calendars, universes."""
