"""Helpers that several tests build their worlds with."""
