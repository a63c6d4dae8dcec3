"""Ledger, market store and fan-out on simulated disks, object stores, hosts and time, driven by a seed."""
