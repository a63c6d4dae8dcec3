"""What a run of each kind does with a batch."""
