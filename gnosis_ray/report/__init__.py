"""The story of one symbol of one run, told from the ledger: as data, in the terminal, as a page."""
