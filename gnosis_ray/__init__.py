"""The domain of gnosis-ray: engines, agents, data and ledgers. Free of Ray, except ``cli``."""
