"""JSON: the one rendering that every command prints."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from datetime import date
from typing import Any

from pydantic import BaseModel


def json_text(value: Any) -> str:
    """``value`` as indented JSON; see :func:`to_plain`."""
    return json.dumps(to_plain(value), indent=2, ensure_ascii=False)


def to_plain(value: Any) -> Any:
    """``value`` as JSON can hold it.

    Dataclasses and models become objects, sequences arrays, dates ISO 8601, timestamps in UTC with a ``Z``, infinity
    ``"Infinity"``.
    """
    if isinstance(value, BaseModel):
        return {name: to_plain(getattr(value, name)) for name in type(value).model_fields}
    if is_dataclass(value):
        return {field.name: to_plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, Mapping):
        return {str(key): to_plain(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [to_plain(inner) for inner in value]
    if isinstance(value, float) and math.isinf(value):
        return "Infinity" if value > 0 else "-Infinity"
    return value.isoformat().replace("+00:00", "Z") if isinstance(value, date) else value
