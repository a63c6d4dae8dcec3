"""Pydantic models of vendors' responses: known fields are validated, unknown ones ignored, invalid ones named."""

from __future__ import annotations

from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from gnosis_ray.errors import SchemaError
from gnosis_ray.redaction import redacted


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

_SHOWN = 60


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
        field = ".".join(str(part) for part in first["loc"]) or "the whole answer"
        found = redacted(repr(first["input"]))[:_SHOWN]
        more = f" (and {error.error_count() - 1} more)" if error.error_count() > 1 else ""
        raise SchemaError(f"{where}, field {field}: {first['msg']}, found {found}{more}") from None
