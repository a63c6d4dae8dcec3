"""Keys of vendors: where they are read, and how they are kept out of every text that is shown or written."""
