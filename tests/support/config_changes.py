"""Finds where code changes settings without validating them, by its syntax alone."""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterator

NAMES = frozenset({"config", "settings", "section"})
"""Names and attributes that hold settings wherever they occur, in any case and with underscores around them."""

LOADERS = frozenset({"load_config", "load_settings", "resolved_for_workers"})


def unvalidated_changes(source: str, sections: Collection[str]) -> list[int]:
    """The lines of ``model_copy(update=...)`` on settings; ``sections``: the names of the classes of settings.

    An expression is settings where it starts from a name of :data:`NAMES`, a parameter or variable annotated with one
    of ``sections``, a call of one of them or of :data:`LOADERS`, or a variable that was assigned any of these.
    """
    tree = ast.parse(source)
    known = set(NAMES)
    while not known.issuperset(found := set(_assigned(tree, known, sections))):
        known |= found
    return [
        node.lineno
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr == "model_copy"
        and (node.args or any(keyword.arg in ("update", None) for keyword in node.keywords))
        and _is_settings(node.func.value, known, sections)
    ]


def _assigned(tree: ast.Module, known: set[str], sections: Collection[str]) -> Iterator[str]:
    """The names that are given settings."""
    for node in ast.walk(tree):
        match node:
            case ast.Assign(targets=targets, value=value) if _is_settings(value, known, sections):
                yield from (name for target in targets for name in _names(target))
            case (
                ast.NamedExpr(target=target, value=value)
                | ast.For(target=target, iter=value)
                | ast.comprehension(target=target, iter=value)
            ) if _is_settings(value, known, sections):
                yield from _names(target)
            case ast.AnnAssign(target=target, annotation=annotation) if _mentions(annotation, sections):
                yield from _names(target)
            case ast.arg(arg=name, annotation=ast.Name(id=annotation)) if annotation in sections:
                yield _plain(name)


def _is_settings(node: ast.expr, known: set[str], sections: Collection[str]) -> bool:
    match node:
        case ast.Name(id=name):
            return _plain(name) in known
        case ast.Attribute(value=value, attr=name):
            return _plain(name) in NAMES or _is_settings(value, known, sections)
        case ast.Call(func=ast.Name(id=name)) | ast.Call(func=ast.Attribute(attr=name)) if name in LOADERS:
            return True
        case ast.Call(func=ast.Name(id=name)):
            return name in sections
        case ast.Call(func=ast.Attribute(value=value, attr="replaced" | "model_copy")) | ast.Subscript(value=value):
            return _is_settings(value, known, sections)
    return False


def _mentions(annotation: ast.expr, sections: Collection[str]) -> bool:
    """Whether it is a class of settings, not a container or a function of one."""
    return isinstance(annotation, ast.Name) and annotation.id in sections


def _names(target: ast.expr) -> list[str]:
    """The plain names in a target; of ``self.name``, ``name`` is known already where it says what it is."""
    return [_plain(node.id) for node in ast.walk(target) if isinstance(node, ast.Name) and node.id != "self"]


def _plain(name: str) -> str:
    return name.strip("_").casefold()
