"""The parts of the liquidity engine."""
