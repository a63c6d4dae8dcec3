"""Every error that gnosis-ray raises on purpose.

    GnosisError                  BUG         any other error that is ours
    ├── ConfigError              USAGE       a setting is unknown or unusable
    ├── UniverseError            USAGE       a universe or a symbol list cannot be read
    ├── DataError                NO_DATA     market data cannot be used
    │   ├── NoDataError          NO_DATA     nothing known at the asked time
    │   ├── SchemaError          NO_DATA     a column is missing or of the wrong type
    │   ├── ChainError           NO_DATA     an option chain holds impossible values
    │   └── ProviderError        NO_DATA     a vendor refused, or could not be reached
    │       └── TransientError   NO_DATA     the same, and may pass: asked again before it is raised
    ├── StageError               FINDINGS    an engine, agent or writer failed for one symbol
    ├── LedgerError              USAGE       a ledger or run cannot be read or written
    ├── FormatError              USAGE       something written in a format that this version does not know
    ├── ClusterError             CLUSTER     Ray or one of its nodes cannot be used
    ├── IntegrityError           INTEGRITY   what was read is not what was written
    └── ResourceError            RESOURCE    the disk, a quota or memory gave out, or a place in use refuses

The second column is the :class:`~gnosis_ray.exit_codes.ExitCode` of a command that an error ends.
Errors pickle whole: they cross process boundaries as values, with symbol, stage and cause.

Examples
--------
>>> import gnosis_ray as gr
>>> try:
...     gr.load_config(settings={"run.batchsize": 8})
... except gr.errors.ConfigError as error:
...     print(error)
Unknown setting 'run.batchsize' (from flag). Nearest: 'run.batch_size'.
"""

from __future__ import annotations

import difflib
import errno
import os
import shlex
import sys
from collections.abc import Iterable, Iterator
from pathlib import PurePath
from typing import Literal, Self

from gnosis_ray.exit_codes import ExitCode, worst
from gnosis_ray.plain_text import plain_lines
from gnosis_ray.schemas.expectations import told

FailureKind = Literal[
    "no_data",  # nothing was known about the symbol
    "bad_data",  # market data with impossible values, or in another shape
    "provider",  # a vendor refused, or could not be reached
    "component",  # an engine, an agent, the composer or the trade agent raised an error that is none of ours
    "settings",  # a setting, a universe or a symbol cannot be used
    "ledger",  # a ledger cannot be read or written
    "cluster",  # Ray, or one of its nodes, cannot be used
    "integrity",  # what was read is not what was written
    "resource",  # the disk, a quota or memory gave out
    "quarantined",  # the symbol was written off because its process failed repeatedly
    "unexpected",  # any other error: a fault of the code
]
"""What kind of reason there is for a missing result. ``Failure.error`` says more, ``Failure.stage`` where it arose."""

TOO_MANY_REQUESTS = 429
"""The HTTP status (RFC 6585)."""

_LISTED = 24
"""Of more valid names than this, a message names the nearest alone."""


class GnosisError(Exception):
    """Base of all errors. ``symbol`` and ``stage`` say where, ``cause`` keeps the original error's text.

    Examples
    --------
    >>> import gnosis_ray as gr
    >>> try:
    ...     gr.universe("sp50")
    ... except gr.GnosisError as error:
    ...     print(type(error).__name__, error.exit_code)
    UniverseError 2
    """

    exit_code: ExitCode = ExitCode.BUG
    failure_kind: FailureKind = "unexpected"
    ends_run: bool = False
    """Whether no symbol is at fault and every other attempt would meet the same: the run ends unsealed, to be resumed
    once the cause is gone, and no symbol is written off."""

    def __init__(
        self, message: str, *, symbol: str | None = None, stage: str | None = None, cause: str | None = None
    ) -> None:
        self.message = plain_lines(message)  # it may quote a vendor, a file or a plug-in
        super().__init__(self.message)
        self.symbol = symbol
        self.stage = stage
        self.cause = cause

    def __str__(self) -> str:
        return f"{self.symbol}: {self.message}" if self.symbol else self.message

    def __reduce__(self) -> tuple[object, ...]:
        return (_rebuild, (type(self), self.message), vars(self))

    @classmethod
    def wrap(cls, error: BaseException, *, symbol: str | None, stage: str) -> Self:
        """The same failure as a typed error of this class, keeping what happened."""
        name = type(error).__name__
        if isinstance(error, GnosisError):
            wrapped = cls(error.message, symbol=symbol, stage=stage, cause=error.cause or name)
            wrapped.failure_kind = error.failure_kind
            return wrapped
        return cls(f"{name}: {text_of(error)}", symbol=symbol, stage=stage, cause=name)


def _rebuild(cls: type[GnosisError], message: str) -> GnosisError:
    return cls(message)


class ConfigError(GnosisError):
    """A setting is unknown or has an unusable value."""

    exit_code = ExitCode.USAGE
    failure_kind: FailureKind = "settings"


class UniverseError(GnosisError):
    """A universe or a symbol list is unknown or cannot be read."""

    exit_code = ExitCode.USAGE
    failure_kind: FailureKind = "settings"


class DataError(GnosisError):
    """Market data is missing or unusable."""

    exit_code = ExitCode.NO_DATA
    failure_kind: FailureKind = "bad_data"


class NoDataError(DataError):
    """Nothing was known about what was asked at the time asked for."""

    failure_kind: FailureKind = "no_data"


class SchemaError(DataError):
    """A table lacks a column, or a column has the wrong type."""


class ChainError(DataError):
    """An option chain holds impossible values."""


class ProviderError(DataError):
    """A vendor of market data refused, or could not be reached.

    ``status`` is the HTTP status of its answer, None where there was none; it is 429 too where a vendor says "too many
    requests" in a way of its own. Without a ``cause``, the status is one: ``HTTP 503``.
    """

    failure_kind: FailureKind = "provider"

    def __init__(
        self,
        message: str,
        *,
        symbol: str | None = None,
        stage: str | None = None,
        cause: str | None = None,
        status: int | None = None,
    ) -> None:
        named = cause if cause is not None or status is None else f"HTTP {status}"
        super().__init__(message, symbol=symbol, stage=stage, cause=named)
        self.status = status

    @property
    def too_many_requests(self) -> bool:
        """Whether the vendor refused for the rate of the requests alone."""
        return self.status == TOO_MANY_REQUESTS


class TransientError(ProviderError):
    """What may pass: too many requests, a server's own error, a time-out.

    ``retry_after_s``: the seconds for which the vendor asks not to be asked again, None where it names none.
    """

    def __init__(
        self,
        message: str,
        *,
        symbol: str | None = None,
        stage: str | None = None,
        cause: str | None = None,
        status: int | None = None,
        retry_after_s: float | None = None,
    ) -> None:
        super().__init__(message, symbol=symbol, stage=stage, cause=cause, status=status)
        self.retry_after_s = retry_after_s


class StageError(GnosisError):
    """An engine, an agent or a writer failed for one symbol."""

    exit_code = ExitCode.FINDINGS
    failure_kind: FailureKind = "component"


class LedgerError(GnosisError):
    """A ledger, or a run in it, cannot be read or written."""

    exit_code = ExitCode.USAGE
    failure_kind: FailureKind = "ledger"
    ends_run = True


class FormatError(GnosisError):
    """A manifest, a receipt, a market store or a profile has a format that this version does not know."""

    exit_code = ExitCode.USAGE
    failure_kind: FailureKind = "settings"


class ClusterError(GnosisError):
    """Ray, or one of its nodes, cannot be used."""

    exit_code = ExitCode.CLUSTER
    failure_kind: FailureKind = "cluster"


class IntegrityError(GnosisError):
    """What was read from a ledger or a store is not what was written there."""

    exit_code = ExitCode.INTEGRITY
    failure_kind: FailureKind = "integrity"
    ends_run = True


class ResourceError(GnosisError):
    """The disk is full, a quota or the memory is used up, or a folder or bucket in use refuses.

    What was finished before is kept: remove the cause, then resume.
    """

    exit_code = ExitCode.RESOURCE
    failure_kind: FailureKind = "resource"
    ends_run = True


_EXHAUSTED = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.ENOMEM, errno.EMFILE, errno.ENFILE})


def text_of(error: BaseException) -> str:
    """An error's text as a failure's row may hold it: of a file its name alone, since places differ by machine.

    Of a model that pydantic refused, the first fault in our words.
    """
    if isinstance(error, OSError) and error.filename is not None and error.strerror is not None:
        return f"{error.strerror}: {PurePath(os.fsdecode(error.filename)).name}"
    return told(error)


def is_exhausted(error: BaseException) -> bool:
    """Whether the disk, a quota or the memory gave out: in ``error``, or in what it was raised from."""
    return any(map(_names_exhaustion, _with_causes(error)))


def require_no_fault_of_machine(error: BaseException) -> None:
    """Return where ``error`` may be a symbol's own; raise it where it ends the run (see :class:`GnosisError`).

    An error of no type of ours by which the disk or a quota gave out is raised as :class:`ResourceError`. Memory that
    gave out may be a symbol's doing: computed alone, it is found out.
    """
    if isinstance(error, GnosisError) and error.ends_run:
        raise error
    if is_exhausted(error) and not isinstance(error, MemoryError):
        raise ResourceError(f"{type(error).__name__}: {error}", cause=type(error).__name__) from error


def exit_code_of(error: BaseException) -> ExitCode:
    """The exit code of a command that ``error`` ends: the worst of ours among it and what it was raised from."""
    codes = []
    for one in _with_causes(error):
        if _names_exhaustion(one):
            codes.append(ExitCode.RESOURCE)
        elif isinstance(one, GnosisError):
            codes.append(one.exit_code)
    return worst(codes) if codes else ExitCode.BUG


def _with_causes(error: BaseException) -> Iterator[BaseException]:
    one: BaseException | None = error
    while one is not None:
        yield one
        one = one.__cause__


def _names_exhaustion(error: BaseException) -> bool:
    if isinstance(error, OSError):
        return error.errno in _EXHAUSTED
    return isinstance(error, (MemoryError, ResourceError))


def error_types() -> tuple[type[GnosisError], ...]:
    """Every type of error that this module defines."""
    return tuple(one for one in globals().values() if isinstance(one, type) and issubclass(one, GnosisError))


def install_command(extra: str) -> str:
    """The command that adds an extra to the environment that this process runs in, as a shell reads it.

    gnosis-ray is on no package index: pip takes the one that is installed there, and fetches what the extra names.
    """
    return f"{shlex.quote(sys.executable)} -m pip install 'gnosis-ray[{extra}]'"


def nearest_hint(name: str, known: Iterable[str], count: int = 1) -> str:
    """What an error says after an unknown ``name``: ``Nearest: 'cboe' (of store, cboe, yahoo)``.

    The ``count`` most similar of the ``known`` names, whatever their case, and all of them where they are few.
    """
    names = list(dict.fromkeys(known))
    if not names:
        return "There is none."
    by_folded = {valid.casefold(): valid for valid in reversed(names)}
    near = difflib.get_close_matches(name.casefold(), by_folded, n=count, cutoff=0.0)
    listed = f" (of {', '.join(names)})" if count < len(names) <= _LISTED else ""
    return f"Nearest: {', '.join(repr(by_folded[folded]) for folded in near)}{listed}."
