"""The sentiment engine's voices."""
