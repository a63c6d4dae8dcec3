"""Jobs over batches: what a fan-out is, the pure decisions behind each of them, and the one without Ray."""

from gnosis_ray.fanout.contract import (
    DIED,
    Ask,
    BatchWorker,
    Fanout,
    FanoutReport,
    Job,
    OnReceipt,
    PartedJob,
    reason_of,
)
from gnosis_ray.fanout.inline import InlineFanout
from gnosis_ray.fanout.supervisor import Assignment, Limits, Supervisor, perform
from gnosis_ray.fanout.symbol_scheduler import SYMBOL_STRIKES, Roster, Start

__all__ = [
    "DIED",
    "SYMBOL_STRIKES",
    "Ask",
    "Assignment",
    "BatchWorker",
    "Fanout",
    "FanoutReport",
    "InlineFanout",
    "Job",
    "Limits",
    "OnReceipt",
    "PartedJob",
    "Roster",
    "Start",
    "Supervisor",
    "perform",
    "reason_of",
]
