"""The flow of a run, shared by every front end, and the functions that ``import gnosis_ray as gr`` offers."""
