"""What a run says of itself while it works: figures for Prometheus, lines for logs."""
