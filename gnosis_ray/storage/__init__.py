"""Where things are kept: places, object stores, files that are written whole or not at all."""
