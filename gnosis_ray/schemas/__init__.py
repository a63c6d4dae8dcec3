"""The contracts shared by every part."""
