"""Mapping files: found by name, read strictly, refused in words that name key, value and what to write instead."""

from __future__ import annotations

from collections.abc import Hashable
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ValidationError

from gnosis_ray.config import config_root, home
from gnosis_ray.data.importing.mapping import (
    ClockRule,
    ContractRule,
    FlagRule,
    ImportMapping,
    TableMapping,
    YamlFloat,
    YamlInteger,
    YamlWord,
    must_be_quoted,
)
from gnosis_ray.errors import ConfigError, nearest_hint

_EXPECTED = {
    "missing": "a value",
    "string_type": "text",
    "dict_type": "keys with values",
    "model_type": "keys with values",
    "model_attributes_type": "keys with values",
    "tuple_type": "a list",
    "float_type": "a number",
    "float_parsing": "a number",
    "int_type": "a whole number",
    "int_parsing": "a whole number",
    "int_from_float": "a whole number",
    "finite_number": "a finite number",
    "too_short": "at least one",
}
"""What stands for the library's name of a fault."""


def mapping_names() -> tuple[str, ...]:
    """The mappings of the configuration and of the user."""
    return tuple(sorted(_named()))


def load_mapping(name_or_file: str) -> ImportMapping:
    """A mapping by name, or from a YAML file; :class:`ConfigError` naming what is wrong and the nearest valid one."""
    path = _named().get(name_or_file) or Path(name_or_file).expanduser()
    if not path.is_file():
        raise ConfigError(
            f"Unknown mapping '{name_or_file}'. {nearest_hint(name_or_file, mapping_names())} "
            "Also accepted: the path of a mapping file."
        )
    try:
        body = yaml.load(path.read_text(encoding="utf-8"), _Loader)  # noqa: S506  a safe loader
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise ConfigError(f"Cannot read the mapping {path}: {error}") from error
    try:
        return ImportMapping.model_validate(body)
    except ValidationError as error:
        listed = [dict(fault) for fault in error.errors()]
        own = [fault for fault in listed if fault["type"] != "too_short"]  # a list of faulty items counts as short
        faults = dict.fromkeys(_fault(fault) for fault in own or listed)
        raise ConfigError(f"{path}: " + " | ".join(faults)) from error


def _named() -> dict[str, Path]:
    folders = (config_root() / "mappings", home() / "mappings")
    return {path.stem: path for folder in folders for path in sorted(folder.glob("*.yaml"))}


class _Loader(yaml.SafeLoader):
    """YAML in which ON, NO and true stay what was written, so that an error can say it, and no key stands twice."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        seen: dict[str, int] = {}
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode):
                continue  # refused by the name of the section that it is in
            line = key.start_mark.line + 1
            if key.value in seen:
                raise yaml.constructor.ConstructorError(
                    problem=f"key '{key.value}' in line {line} is in line {seen[key.value]} already",
                )
            seen[key.value] = line
        return super().construct_mapping(node, deep)


def _word(_: yaml.SafeLoader, node: yaml.Node) -> YamlWord:
    return YamlWord(str(node.value))


def _integer(loader: yaml.SafeLoader, node: yaml.ScalarNode) -> YamlInteger:
    number = YamlInteger(loader.construct_yaml_int(node))
    number.word = str(node.value)
    return number


def _float(loader: yaml.SafeLoader, node: yaml.ScalarNode) -> YamlFloat:
    number = YamlFloat(loader.construct_yaml_float(node))
    number.word = str(node.value)
    return number


_Loader.add_constructor("tag:yaml.org,2002:bool", _word)
_Loader.add_constructor("tag:yaml.org,2002:timestamp", _word)
_Loader.add_constructor("tag:yaml.org,2002:int", _integer)
_Loader.add_constructor("tag:yaml.org,2002:float", _float)


def _fault(fault: dict[str, Any]) -> str:
    where = ".".join(str(part) for part in fault["loc"] if part != "[key]")
    kind, found, context = fault["type"], fault["input"], fault.get("ctx", {})
    if kind == "value_error":
        text = str(context["error"])
        return f"{where}: {text}" if where else text
    if kind == "extra_forbidden":
        return f"{where}: unknown key. {nearest_hint(str(fault['loc'][-1]), _owner(fault['loc']).model_fields)}"
    if kind == "missing":
        return f"{where}: Expected a value, found none"
    if kind == "string_type" and not isinstance(found, (dict, list, type(None))):
        return f"{where}: {must_be_quoted(found)}"
    expected = _EXPECTED.get(kind)
    if kind == "literal_error":
        expected = f"one of {context['expected']}"
    if expected is None:  # a bound: the library's words name it
        expected = str(fault["msg"]).removeprefix("Input should be ")
    shown = "a list" if isinstance(found, list) else "keys with values" if isinstance(found, dict) else repr(found)
    return f"{where}: Expected {expected}, found {shown}" if where else f"Expected {expected}, found {shown}"


def _owner(loc: tuple[int | str, ...]) -> type[BaseModel]:
    sections: dict[str, type[BaseModel]] = {
        "tables": TableMapping,
        "contract": ContractRule,
        "clock": ClockRule,
        "flagged": FlagRule,
    }
    owners = [sections[str(part)] for part in loc[:-1] if str(part) in sections]
    return owners[-1] if owners else ImportMapping
