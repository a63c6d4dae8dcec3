"""Jobs over batches: the protocols of a fan-out, its pure decisions, and the fan-out without Ray."""

from gnosis_ray.fanout.contract import (
    DIED,
    BatchWorker,
    ComponentJob,
    Fanout,
    FanoutReport,
    Job,
    MethodCaller,
    OnReceipt,
    reason_of,
)
from gnosis_ray.fanout.inline import InlineFanout
from gnosis_ray.fanout.supervisor import Assignment, FanoutLimits, Supervisor, perform
from gnosis_ray.fanout.symbol_scheduler import SYMBOL_FAILURE_LIMIT, Attempt, SymbolScheduler

__all__ = [
    "DIED",
    "SYMBOL_FAILURE_LIMIT",
    "Assignment",
    "Attempt",
    "BatchWorker",
    "ComponentJob",
    "Fanout",
    "FanoutLimits",
    "FanoutReport",
    "InlineFanout",
    "Job",
    "MethodCaller",
    "OnReceipt",
    "Supervisor",
    "SymbolScheduler",
    "perform",
    "reason_of",
]
