"""Reports of what a run measured and decided: as data, in the terminal, as a page."""
