"""The composer: one stance of several."""
