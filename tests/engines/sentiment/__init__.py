"""The sentiment engine's processors."""
