"""The strategies: declarations, and the one mechanism that turns each of them into a costed trade."""
