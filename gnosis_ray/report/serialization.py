"""JSON and CSV: the one rendering of each that every command prints."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from datetime import date
from typing import Any

import polars as pl
from pydantic import BaseModel

from gnosis_ray.market.columns import plain_texts

_LEFT_BY_JSON = re.compile("[\\x7f-\\x9f\\u2028\\u2029\\u202a-\\u202e\\u2066-\\u2069]")
"""What JSON does not have to escape, and a terminal obeys."""

_FORMULA = "^ *[=+\\-@\\t\\r\uff1d\uff0b\uff0d\uff20]"
"""Spreadsheets read a formula from these; the last four are = + - @ in full width."""


def json_text(value: Any) -> str:
    """``value`` as indented JSON; see :func:`to_plain`. Control characters are written as escapes, all of them."""
    text = json.dumps(to_plain(value), indent=2, ensure_ascii=False)
    return _LEFT_BY_JSON.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def csv_text(frame: pl.DataFrame) -> str:
    """``frame`` as CSV with a header: lists joined by ``;``, records in them as JSON, texts in one line each.

    A text that a spreadsheet would take for a formula begins with an apostrophe, unless it is a number (OWASP, "CSV
    injection").
    """
    flat = plain_texts(frame.with_columns(_joined(name, dtype) for name, dtype in frame.schema.items()))
    texts = [name for name, dtype in flat.schema.items() if dtype == pl.String]
    return flat.with_columns(_no_formula(pl.col(name)).alias(name) for name in texts).write_csv()


def _joined(name: str, dtype: pl.DataType) -> pl.Expr:
    if not isinstance(dtype, pl.List):
        return pl.col(name).cast(pl.String) if isinstance(dtype, (pl.Categorical, pl.Enum)) else pl.col(name)
    element = pl.element()
    text = element.struct.json_encode() if isinstance(dtype.inner, pl.Struct) else element.cast(pl.String)
    return pl.col(name).list.eval(text).list.join(";")


def _no_formula(text: pl.Expr) -> pl.Expr:
    number = text.cast(pl.Float64, strict=False).is_not_null()
    formula = text.str.contains(_FORMULA) & ~number
    return pl.when(formula).then(pl.concat_str(pl.lit("'"), text)).otherwise(text)


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
