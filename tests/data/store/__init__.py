"""The market store."""
