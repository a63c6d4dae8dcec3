"""One life for every kind of run: a manifest, batches worked anywhere, receipts, a seal."""
