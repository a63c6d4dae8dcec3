"""Jobs over batches: what a fan-out is, the pure Supervisor behind each of them, and the one without Ray."""

from gnosis_ray.fanout.contract import BatchWorker, Fanout, FanoutReport, Job, OnReceipt, reason_of
from gnosis_ray.fanout.inline import InlineFanout
from gnosis_ray.fanout.supervisor import Assignment, Supervisor

__all__ = [
    "Assignment",
    "BatchWorker",
    "Fanout",
    "FanoutReport",
    "InlineFanout",
    "Job",
    "OnReceipt",
    "Supervisor",
    "reason_of",
]
