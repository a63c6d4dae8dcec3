"""Option mathematics: pure, vectorised, without state."""
