"""Run a scan in a terminal of its own and keep what it shows as ``docs/scan.svg``."""

from __future__ import annotations

import os
import pty
import re
import sys
import tempfile
from pathlib import Path

from rich._export_format import CONSOLE_SVG_FORMAT
from rich.console import Console
from rich.text import Text

COLUMNS, ROWS = 150, 40
COMMAND = ("gnosis-ray", "scan", "--top", "12")
REWRITE = re.compile(r"\r|\x1b\[2K|\x1b\[1A|\x1b\[\?25[hl]")
WEB_FONT = re.compile(r"@font-face \{\{.*?\}\}\s*", re.DOTALL)


def shown(command: tuple[str, ...]) -> str:
    """What ``command`` writes to a terminal of ``COLUMNS``, progress bars' traces removed."""
    captured = bytearray()

    def keep(descriptor: int) -> bytes:
        data = os.read(descriptor, 65536)
        captured.extend(data)
        return data

    os.environ |= {"COLUMNS": str(COLUMNS), "LINES": str(ROWS), "TERM": "xterm-256color"}
    status = pty.spawn(list(command), keep)
    if os.waitstatus_to_exitcode(status) != 0:
        sys.exit(f"{' '.join(command)} ended with {os.waitstatus_to_exitcode(status)}")
    return captured.decode().replace("\r\n", "\n")


def final_lines(text: str) -> str:
    """The lines that stand at the end: what was overwritten or erased is gone."""
    lines = [REWRITE.split(line)[-1] for line in text.split("\n")]
    return "\n".join(line for line in lines if "scanning" not in line)


def main() -> None:
    """Write the picture beside this file."""
    target = Path(__file__).with_name("scan.svg")
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        text = final_lines(shown(COMMAND)).replace(str(Path(folder).resolve()), "~/desk")
    with Path(os.devnull).open("w") as nowhere:
        console = Console(record=True, width=COLUMNS, file=nowhere, force_terminal=True)
        console.print(Text.from_ansi(f"$ {' '.join(COMMAND)}\n{text}"), soft_wrap=False)
        # no font is fetched from the web by a reader's browser
        picture = console.export_svg(title="gnosis-ray", code_format=WEB_FONT.sub("", CONSOLE_SVG_FORMAT))
    target.write_text(picture, encoding="utf-8")


if __name__ == "__main__":
    main()
