"""One plug-in of each kind for gnosis-ray."""

PLUGIN_API = 1
"""The version of gnosis-ray's contracts that these were written for."""
