"""Monitoring of a run while it works: metrics for Prometheus, lines for logs."""
