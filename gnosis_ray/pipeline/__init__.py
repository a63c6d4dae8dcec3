"""One symbol's pass from engines to ledger, and a batch of them over data read once."""
