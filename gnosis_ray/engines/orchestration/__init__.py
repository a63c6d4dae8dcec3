"""One pass over a symbol, and over a batch of them."""
