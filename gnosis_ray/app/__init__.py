"""The composition root: settings become sources, engines, agents, gateways and the jobs of runs."""
