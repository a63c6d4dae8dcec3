"""What a value should have been, in our words: those of the library that checked it never reach a user."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic_core import ErrorDetails, ValidationError

_PLAIN: Mapping[str, str] = {
    "missing": "a value",
    "extra_forbidden": "no field of this name",
    "invalid_key": "a name as text",
    "none_required": "null",
    "bool_type": "true or false",
    "bool_parsing": "true or false",
    "int_type": "a whole number",
    "int_parsing": "a whole number",
    "int_parsing_size": "a whole number of fewer digits",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "float_parsing": "a number",
    "finite_number": "a finite number",
    "string_type": "a text",
    "string_unicode": "a text",
    "string_sub_type": "a text",
    "dict_type": "names with values, as {name: value}",
    "mapping_type": "names with values, as {name: value}",
    "list_type": "a list, as [first, second]",
    "tuple_type": "a list, as [first, second]",
    "model_type": "names with values, as {name: value}",
    "model_attributes_type": "names with values, as {name: value}",
    "path_type": "a folder",
    "date_type": "a day such as 2026-07-10",
    "json_invalid": "JSON",
    "json_type": "JSON",
    "invalid-json-value": "what JSON can hold",
    "string_pattern_mismatch": "a text of another form",
}
_MOMENT = "a moment such as 2026-07-10T20:00:00Z"
_DAY = "a day such as 2026-07-10"


def expected(fault: ErrorDetails) -> str:
    """What was expected where pydantic found a fault, for ``Expected ..., was ...``."""
    kind, context = fault["type"], fault.get("ctx", {})
    if kind in _PLAIN:
        return _PLAIN[kind]
    if kind.startswith(("datetime", "timezone")):
        return _MOMENT
    if kind.startswith("date"):
        return _DAY
    return _of_context(kind, context)


def _of_context(kind: str, context: Mapping[str, Any]) -> str:
    match kind:
        case "greater_than":
            return f"a number above {context['gt']:g}"
        case "greater_than_equal":
            return f"a number from {context['ge']:g}"
        case "less_than":
            return f"a number below {context['lt']:g}"
        case "less_than_equal":
            return f"a number up to {context['le']:g}"
        case "too_short":
            return f"at least {context['min_length']} in the list"
        case "too_long":
            return f"at most {context['max_length']} in the list"
        case "string_too_short":
            return f"a text of at least {context['min_length']} characters"
        case "string_too_long":
            return f"a text of at most {context['max_length']} characters"
        case "literal_error":
            return f"one of {str(context['expected']).replace(' or ', ', ')}"
        case "value_error":
            return str(context["error"])
    return "another value"


def told(error: BaseException) -> str:
    """The text of an error; of one of pydantic its first fault, in our words."""
    if not isinstance(error, ValidationError):
        return str(error)
    fault = error.errors(include_url=False)[0]
    where = ".".join((error.title, *(str(part) for part in fault["loc"])))
    return f"{where}: Expected {expected(fault).removeprefix('Expected ')}, was {was(fault['input'])}"


def place(fault: ErrorDetails) -> str:
    """Where the fault is: ``legs.0.price``."""
    return ".".join(str(part) for part in fault["loc"])


def was(value: object, most: int = 120) -> str:
    """A value for ``was ...``, cut where it is long."""
    try:
        text = repr(value)
    except Exception as error:  # noqa: BLE001 - an object of others, whose own text fails
        text = f"a {type(value).__name__} whose repr() raises {type(error).__name__}"
    return text if len(text) <= most else f"{text[:most]}... ({len(text)} characters)"
