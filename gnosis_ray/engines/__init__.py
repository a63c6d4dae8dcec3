"""Engines: each measures one side of a market. Nothing is re-exported here."""
