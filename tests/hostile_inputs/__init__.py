"""Bad inputs by a grid: what users, their files, variables and plug-ins may give, each answered well.

A module here with ``ROWS``, a list of :class:`~tests.hostile_inputs.harness.HostileInput`, is found by the suite.
"""
