"""The embedded market: made-up, deterministic, with known answers. Everything shown from it is SYNTHETIC."""

from gnosis_ray.data.synthetic.ground_truth import GroundTruth
from gnosis_ray.data.synthetic.source import SyntheticSource

__all__ = ["GroundTruth", "SyntheticSource"]
