"""The embedded synthetic market: deterministic, with known ground truth. All its output is labelled SYNTHETIC."""

from gnosis_ray.data.synthetic.ground_truth import GroundTruth
from gnosis_ray.data.synthetic.source import SyntheticSource

__all__ = ["GroundTruth", "SyntheticSource"]
