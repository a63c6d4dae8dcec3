"""Runs the commands that a document shows, and checks that they print what it shows.

Usage: ``PYTHON tests/support/documented_commands.py README``: runs, with the ``gnosis-ray`` of that Python, every
``$ gnosis-ray`` of the document's console blocks in the working folder. The lines shown below a command must be among
those that it prints, in that order; how many spaces stand between words does not matter. Needs nothing but the standard
library, so that it runs where only the wheel is installed.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

BLOCK = re.compile(r"^```console\n(.*?)^```$", re.MULTILINE | re.DOTALL)
PROMPT = "$ gnosis-ray "


def documented(text: str) -> list[tuple[str, list[str]]]:
    """Each command of a document, without its program, and the lines shown below it."""
    found: list[tuple[str, list[str]]] = []
    for line in "\n".join(BLOCK.findall(text)).splitlines():
        if line.startswith(PROMPT):
            found.append((line.removeprefix(PROMPT), []))
        elif line.strip():
            found[-1][1].append(_words(line))
    return found


def missing(shown: Sequence[str], printed: str) -> list[str]:
    """The shown lines that are not printed, or not in this order."""
    lines = iter([_words(line) for line in printed.splitlines()])
    return [line for line in shown if line not in lines]


def run_document(readme: Path, program: Sequence[str]) -> list[str]:
    """What is wrong with a document, a line each; paths in its commands are relative to the project."""
    project = next(parent for parent in readme.resolve().parents if (parent / "Makefile").is_file())
    commands = documented(readme.read_text(encoding="utf-8"))
    wrong = [] if commands else [f"{readme}: Expected a command, found none"]
    settings = {name: value for name, value in os.environ.items() if not name.startswith("GNOSIS_RAY__")}
    for command, shown in commands:
        arguments = shlex.split(command.replace("./", f"{project}/"))
        done = subprocess.run([*program, *arguments], env=settings, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            wrong.append(f"{command}: exit code {done.returncode}: {done.stderr}")
        wrong += [f"{command}: not printed: {line}" for line in missing(shown, done.stdout)]
    return wrong


def _words(line: str) -> str:
    return " ".join(line.split())


if __name__ == "__main__":
    faults = run_document(Path(sys.argv[1]), [str(Path(sys.executable).parent / "gnosis-ray")])
    sys.exit("\n".join(faults) if faults else 0)
