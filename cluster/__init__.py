"""Ray itself: the connection to it, what fits on it, and whether a machine is fit for it."""
