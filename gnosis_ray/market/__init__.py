"""What all rooms share of the market: columns, keys, adapters, sources, calendars, symbols, corporate actions."""
