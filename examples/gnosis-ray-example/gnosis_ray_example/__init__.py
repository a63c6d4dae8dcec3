"""One plug-in of each kind for gnosis-ray."""
