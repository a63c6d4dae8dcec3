"""The example plug-in: it uses public names alone, passes the contract tests, and its documented scan is true."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.documented_commands import documented, missing, run_document

ROOT = Path(__file__).parents[1]
EXAMPLE = ROOT / "examples" / "gnosis-ray-example"
README = EXAMPLE / "README.md"


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder to work in, in an environment where the example is installed."""
    target, work = tmp_path / "installed", tmp_path / "work"
    work.mkdir()
    pip = [sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--no-build-isolation", "--no-index"]
    subprocess.run([*pip, "--target", str(target), str(EXAMPLE)], check=True, timeout=120)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(target), str(ROOT)]))
    monkeypatch.setenv("GNOSIS_RAY_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("COLUMNS", raising=False)
    monkeypatch.delenv("PYTEST_ADDOPTS", raising=False)  # of the run that this test is in
    monkeypatch.chdir(work)
    return work


@pytest.mark.usefixtures("installed")
def test_the_documented_scan_shows_what_it_does() -> None:
    commands = [command for command, _ in documented(README.read_text(encoding="utf-8"))]
    assert any(" scan " in command for command in commands)
    assert run_document(README, [sys.executable, "-m", "gnosis_ray"]) == []


def test_what_is_not_printed_is_found() -> None:
    shown = ["a 1", "b 2"]
    assert missing(shown, "x\na   1\ny\nb 2\n") == []
    assert missing(shown, "b 2\na 1\n") == ["b 2"]
    assert missing(shown, "a 1\nb 3\n") == ["b 2"]


@pytest.mark.usefixtures("installed")
def test_the_example_passes_the_contract_tests() -> None:
    command = [sys.executable, "-m", "pytest", "-q", "-n", "0", "-p", "no:cacheprovider"]
    done = subprocess.run(
        [*command, "-c", str(EXAMPLE / "pyproject.toml"), str(EXAMPLE / "tests")],
        capture_output=True,
        text=True,
        timeout=150,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    assert " passed" in done.stdout


@pytest.mark.parametrize("path", sorted(EXAMPLE.rglob("*.py")), ids=lambda path: path.stem)
def test_the_example_imports_the_public_package_alone(path: Path) -> None:
    nodes = list(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))
    imported = [node.module for node in nodes if isinstance(node, ast.ImportFrom) and node.module]
    imported += [alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names]
    ours = {name for name in imported if name.partition(".")[0] in {"gnosis_ray", "actors", "cluster"}}
    assert ours <= {"gnosis_ray"}
