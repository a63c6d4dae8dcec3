"""Texts of others as plain characters: what a terminal would obey, or what shows text in another order, is taken out.

Vendors, imported files and plug-ins write texts that reach terminals, tables and ledgers. They are cleaned where they
enter. Control characters are the category Cc of Unicode (C0, DEL, C1: escape sequences begin with ESC or CSI); with
them go the characters that reverse the direction of text (UAX 9; "Trojan Source", CVE-2021-42574).
"""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator

BREAKS = "[\\t-\\r\\x1c-\\x1f\\x85\\u2028\\u2029]+"
"""Tabs and line ends: each run of them becomes a space."""

CONTROLS = "[\\x00-\\x1f\\x7f-\\x9f\\u202a-\\u202e\\u2066-\\u2069]"
"""Everything else that is taken out, without a trace."""

_BREAKS, _CONTROLS = re.compile(BREAKS), re.compile(CONTROLS)
_CONTROLS_OF_A_LINE = re.compile(CONTROLS.replace("\\x00-\\x1f", "\\x00-\\x09\\x0b-\\x1f"))


def plain_text(text: str) -> str:
    """``text`` in one line, without control characters; a run of tabs and line ends becomes a space.

    Examples
    --------
    >>> plain_text("up\\x1b[2J 3%\\nnow")
    'up[2J 3% now'
    """
    return text if text.isprintable() else _CONTROLS.sub("", _BREAKS.sub(" ", text))


def plain_lines(text: str) -> str:
    """``text`` without control characters, in the lines that it has."""
    return text if text.isprintable() else _CONTROLS_OF_A_LINE.sub("", text)


PlainText = Annotated[str, AfterValidator(plain_text)]
"""A text of a model that others may have written."""
