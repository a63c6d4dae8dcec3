"""Pydantic models of vendors' responses: known fields are validated, unknown ones ignored, invalid ones named."""

from __future__ import annotations

from reprlib import Repr
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, ConfigDict, FailFast, TypeAdapter, ValidationError

from gnosis_ray.errors import SchemaError
from gnosis_ray.plain_text import plain_text
from gnosis_ray.redaction import redacted
from gnosis_ray.schemas.expectations import expected


class WireModel(BaseModel):
    """A part of a vendor's response. Strict: no number is parsed from text; unknown fields are ignored."""

    model_config = ConfigDict(strict=True, extra="ignore", frozen=True)


class VendorGreeks(WireModel):
    """A vendor's greeks of one contract, in the vendor's units; None where it gives none."""

    delta: float | None = None
    gamma: float | None = None
    theta: float | None = None
    vega: float | None = None

    def values(self) -> tuple[float | None, float | None, float | None, float | None]:
        """In the order of :data:`~gnosis_ray.market.datasets.VENDOR_GREEKS`."""
        return (self.delta, self.gamma, self.theta, self.vega)


NO_GREEKS = VendorGreeks()

T = TypeVar("T")


class _FirstFaultOnly(FailFast):
    """Pydantic's own, hashable, so that what has it can be optional."""

    def __hash__(self) -> int:
        return hash(self.fail_fast)


FIRST_FAULT_ONLY = _FirstFaultOnly()
"""Of a list: reading ends at the first element that is wrong. Each error takes a kilobyte, of millions perhaps."""

ManyOf = Annotated[tuple[T, ...], FIRST_FAULT_ONLY]
"""Many of a kind, from a list."""

_SHOWN = 60
_short = Repr()
"""What is shown of an input is cut before it is written out: it may be the whole answer."""
_short.maxlevel, _short.maxdict, _short.maxlist, _short.maxtuple = 2, 3, 3, 3
_short.maxstring = _short.maxother = 2 * _SHOWN


def read(shape: TypeAdapter[T], body: Any, where: str) -> T:
    """``body`` (JSON text, or what a client parsed from it) as ``shape``.

    Raises :class:`SchemaError` naming ``where``, the field, what was expected and what was found.
    """
    try:
        if isinstance(body, (str, bytes)):
            return shape.validate_json(body)
        return shape.validate_python(body)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        field = plain_text(".".join(str(part)[:_SHOWN] for part in first["loc"])) or "the whole answer"
        found = redacted(_short.repr(first["input"]))[:_SHOWN]
        more = f" (and {error.error_count() - 1} more)" if error.error_count() > 1 else ""
        raise SchemaError(f"{where}, field {field}: Expected {expected(first)}, was {found}{more}") from None
