"""YAML of users, read strictly: each key once, names as text, and every value with its line."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from gnosis_ray.errors import ConfigError
from gnosis_ray.schemas.expectations import was

_SafeLoader: type[yaml.SafeLoader | yaml.CSafeLoader] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""libyaml's where PyYAML was built with it: it reads the defaults in a tenth of the time."""

MAX_BYTES = 1_000_000
MAX_VALUES = 100_000
"""With what anchors repeat: a few lines can stand for billions of values."""
MAX_DEPTH = 50


@dataclass(frozen=True)
class YamlFile:
    """``body``: sections with keys. ``lines``: the line of each dotted place in it, counted from 1."""

    body: Mapping[str, Any]
    lines: Mapping[str, int] = field(default_factory=dict)

    def line_of(self, place: str) -> int | None:
        """The line of a dotted place, else of what it is in."""
        while place and place not in self.lines:
            place = place.rpartition(".")[0]
        return self.lines.get(place)


def read_yaml(path: Path) -> YamlFile:
    """The sections of a file; an empty file has none.

    Raises :class:`ConfigError` naming file and line for what cannot be read, is no YAML, has a key twice, or is larger
    than settings can be.
    """
    refused = f"Cannot read settings from {path}"
    text = _text(path, refused)
    loader = _SafeLoader(text)
    try:
        node = loader.get_single_node()
        if node is None or node.tag == "tag:yaml.org,2002:null":
            return YamlFile({})
        if not isinstance(node, yaml.MappingNode):
            found = was(node.value) if isinstance(node, yaml.ScalarNode) else "a list"
            wanted = "Expected sections with keys, such as {trade: {max_ideas: 1}}"
            raise ConfigError(f"{refused}, line {_line(node)}: {wanted}, was {found}")
        lines = dict(_Walk(refused, loader).places(node, "", ()))
        return YamlFile(loader.construct_document(node), lines)
    except yaml.YAMLError as error:
        raise ConfigError(f"{refused}{_where(error, text)}: Expected YAML, that is sections with lines `key: value`, "
                          "indented by spaces") from error  # fmt: skip
    finally:
        loader.dispose()


def _text(path: Path, refused: str) -> str:
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise ConfigError(f"{refused}: {error.strerror}") from error
    if len(raw) > MAX_BYTES:
        raise ConfigError(f"{refused}: Expected at most {MAX_BYTES:,} bytes, was {len(raw):,}: take another file")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        found = f"was byte 0x{raw[error.start]:02x}: save the file as UTF-8"
        raise ConfigError(f"{refused}, line {line}: Expected text in UTF-8, {found}") from error


def _where(error: yaml.YAMLError, text: str) -> str:
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    if mark is None:
        return ""
    lines = text.splitlines()
    quoted = f" ({was(lines[mark.line].strip(), 60)})" if mark.line < len(lines) and not _holds_secret(lines) else ""
    return f", line {mark.line + 1}{quoted}"


def _holds_secret(lines: list[str]) -> bool:
    from gnosis_ray.config.refusals import is_secret

    return any(is_secret(line) for line in lines)


class _Walk:
    """Every place of a document with its line; refuses what is no settings."""

    def __init__(self, refused: str, loader: yaml.SafeLoader | yaml.CSafeLoader) -> None:
        self._refused = refused
        self._loader = loader
        self._values = 0

    def places(self, node: yaml.Node, place: str, above: tuple[int, ...]) -> Iterator[tuple[str, int]]:
        """``above``: the nodes that this one is in."""
        self._values += 1
        if id(node) in above:
            wanted = "Expected no anchor that holds itself: take the anchor out"
            raise ConfigError(f"{self._refused}, line {_line(node)}: {wanted}")
        if self._values > MAX_VALUES or len(above) > MAX_DEPTH:
            limits = f"at most {MAX_VALUES:,} values, {MAX_DEPTH} levels deep"
            raise ConfigError(f"{self._refused}, line {_line(node)}: Expected {limits}, was more: take anchors out")
        if isinstance(node, yaml.ScalarNode):
            self._require_value(node)
        above = (*above, id(node))
        if isinstance(node, yaml.MappingNode):
            yield from self._of_mapping(node, place, above)
        elif isinstance(node, yaml.SequenceNode):
            for index, item in enumerate(node.value):
                inner = f"{place}.{index}"
                yield inner, _line(item)
                yield from self.places(item, inner, above)

    def _require_value(self, node: yaml.ScalarNode) -> None:
        try:
            self._loader.construct_object(node)
        except ValueError as error:  # a day that is none, a number of thousands of digits
            wanted = "Expected a day or a number that exists, such as 2026-07-10"
            raise ConfigError(f"{self._refused}, line {_line(node)}: {wanted}, was {was(node.value)}") from error

    def _of_mapping(self, node: yaml.MappingNode, place: str, above: tuple[int, ...]) -> Iterator[tuple[str, int]]:
        first: dict[str, int] = {}
        for key, value in node.value:
            line = _line(key)
            where = f"{self._refused}, line {line}"
            if not isinstance(key, yaml.ScalarNode) or key.tag != "tag:yaml.org,2002:str":
                found = was(key.value) if isinstance(key, yaml.ScalarNode) else "a list or a mapping"
                raise ConfigError(f"{where}: Expected a name as text, was {found}: put it in quotes")
            name: str = key.value
            inner = f"{place}.{name}" if place else name
            if name in first:
                twice = f"Expected each key once, was {was(inner, 80)} in line {first[name]} too"
                raise ConfigError(f"{where}: {twice}: keep one of them")
            first[name] = line
            yield inner, line
            yield from self.places(value, inner, above)


def _line(node: yaml.Node) -> int:
    line: int = node.start_mark.line
    return line + 1
