"""What engines and agents may ask of the world: adapter protocols, their columns, shared bar statistics."""
