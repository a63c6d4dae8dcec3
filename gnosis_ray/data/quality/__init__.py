"""Quality checks of the market data in a store; they change none of it."""

from gnosis_ray.data.quality.check_runners import all_checks
from gnosis_ray.data.quality.checks import FINDINGS, SEVERITIES, Check, Severity
from gnosis_ray.data.quality.verifying import has_errors, verify

__all__ = ["FINDINGS", "SEVERITIES", "Check", "Severity", "all_checks", "has_errors", "verify"]
