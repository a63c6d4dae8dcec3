"""The sessions that documents show are true, and documents and README import public names alone."""

from __future__ import annotations

import doctest
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
BLOCK = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)
SHOWN = [ROOT / "README.md", ROOT / "docs" / "api.md", ROOT / "docs" / "plugins.md"]
PRIVATE = re.compile(r"(?:from|import) gnosis_ray\.")


def sessions(path: Path) -> str:
    """The Python blocks of a document that show a session, one after another."""
    blocks = BLOCK.findall(path.read_text(encoding="utf-8"))
    return "\n".join(block for block in blocks if block.startswith(">>> "))


@pytest.mark.parametrize("path", SHOWN, ids=lambda path: path.stem)
def test_the_sessions_that_a_document_shows_are_true(path: Path) -> None:
    test = doctest.DocTestParser().get_doctest(sessions(path), {}, path.name, str(path), None)
    assert test.examples
    told: list[str] = []
    doctest.DocTestRunner(verbose=False).run(test, out=told.append)
    assert told == []


@pytest.mark.parametrize(
    "path", [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))], ids=lambda path: path.stem
)
def test_documents_import_public_names_alone(path: Path) -> None:
    assert [line for line in path.read_text(encoding="utf-8").splitlines() if PRIVATE.search(line)] == []
