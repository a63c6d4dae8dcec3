"""Every Ray actor: thin shells over plain classes."""
