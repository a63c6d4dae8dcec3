"""The embedded market: made-up, deterministic, with known answers. Everything shown from it is SYNTHETIC."""

from gnosis_ray.data.synthetic.source import SyntheticSource
from gnosis_ray.data.synthetic.truth import SyntheticTruth

__all__ = ["SyntheticSource", "SyntheticTruth"]
