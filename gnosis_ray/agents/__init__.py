"""Agents: they turn measurements into stances and stances into trades. Nothing is re-exported here."""
