"""Vendors of market data: a module each turns its answers into the store's columns. Nothing else asks a vendor."""
