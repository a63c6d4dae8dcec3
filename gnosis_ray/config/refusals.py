"""Why settings are refused, in words of ours: where, which key, what was expected, what was found, what to do."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Any, get_args

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from gnosis_ray.errors import nearest_hint
from gnosis_ray.redaction import redacted
from gnosis_ray.schemas.expectations import expected, was

_SECRET = re.compile(r"token|secret|passw|credential|api_?key|(^|[._])keys?($|[._])|key_?id", re.IGNORECASE)

KEYS_BELONG = (
    "Keys and tokens of vendors are no settings: set the vendor's own environment variable, such as TRADIER_TOKEN, or "
    'write a line name: "value" into keys.yaml in GNOSIS_RAY_HOME (chmod 600); docs/providers.md names them'
)


def is_secret(key: str) -> bool:
    """Whether an unknown key is named as credentials are: its value is then shown nowhere."""
    return _SECRET.search(key) is not None


def unknown_setting(key: str, where: str, known: Iterable[str]) -> str:
    """The refusal of a key that no setting has."""
    advice = f"{KEYS_BELONG}." if is_secret(key) else nearest_hint(key, known)
    return f"Unknown setting {shown_key(key)} (from {where}). {advice}"


def shown_key(key: str) -> str:
    """A key in quotes; what may be a value, long or not printable, is cut."""
    return was(key, 80)


def described_faults(
    error: ValidationError, model: type[BaseModel], prefix: str = "", where: Callable[[str], str] | None = None
) -> str:
    """Each faulty setting once: ``key (from where): Expected ..., was ...``."""
    told: dict[str, str] = {}
    for fault in error.errors(include_url=False):
        key, field = _setting_of(fault, model)
        if key in told:
            continue  # each kind of place that a value may be has its own fault
        place = f"{prefix}{key}"
        origin = "" if where is None else f" (from {where(place)})"
        told[key] = f"{place}{origin}: {_told(fault, field)}"
    # a list whose parts are refused counts as empty to pydantic
    whole = [key for key in told if not any(other.startswith(f"{key}.") for other in told)]
    return " | ".join(told[key] for key in whole)


def _told(fault: ErrorDetails, field: FieldInfo | None) -> str:
    words = expected(fault)
    if words.startswith("Expected"):
        return words  # of a rule over several settings
    wanted = words if field is None or fault["type"] == "missing" else _wanted(field) or words
    return f"Expected {wanted}, was {redacted(was(fault['input']))}"


def _setting_of(fault: ErrorDetails, model: type[BaseModel]) -> tuple[str, FieldInfo | None]:
    """The dotted place of a fault, and its field where the fault is of a whole setting and not of a part of it."""
    field: FieldInfo | None = None
    kind: Any = model
    parts: list[str] = []
    for part in fault["loc"]:
        if not (isinstance(kind, type) and issubclass(kind, BaseModel)):
            kind = _item_of(kind)
            if kind is None:
                break  # within a union, pydantic names its members
            parts.append(str(part))
            field = None
        elif part in kind.model_fields:
            field = kind.model_fields[str(part)]
            kind = field.annotation
            parts.append(str(part))
        else:
            parts.append(str(part))
            break
    return ".".join(parts), field


def _item_of(kind: Any) -> Any:
    """What a list or a mapping of this type holds; None for any other type."""
    origin, args = getattr(kind, "__origin__", None), get_args(kind)
    if origin is tuple or origin is list:
        return args[0]
    return args[1] if origin is dict else None


def _wanted(field: FieldInfo) -> str | None:
    """What a setting may be, by its type: ``a number from 0 to 1``."""
    if field.description is not None:
        return field.description
    bounds = {
        name: getattr(one, name) for one in field.metadata for name in ("gt", "ge", "lt", "le") if hasattr(one, name)
    }
    low, high = bounds.get("ge", bounds.get("gt")), bounds.get("le", bounds.get("lt"))
    if low is None or high is None:
        return None
    noun = "a whole number" if field.annotation is int else "a number"
    first = f"above {low:,}" if "gt" in bounds else f"from {low:,}"
    return f"{noun} {first} {'and below' if 'lt' in bounds else 'to' if 'ge' in bounds else 'and up to'} {high:,}"
