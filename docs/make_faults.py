"""Write the table of faults on the wire into ``docs/faults.md``, between its marks.

Usage, in the root of the project: ``PYTHONPATH=. python docs/make_faults.py``.
"""

from __future__ import annotations

from pathlib import Path

from tests.support.replay.fault_cases import table

PAGE = Path(__file__).parent / "faults.md"
BEGIN, END = "<!-- table: docs/make_faults.py -->", "<!-- end of table -->"


def main() -> None:
    """Replace what stands between the marks."""
    text = PAGE.read_text(encoding="utf-8")
    before, _, rest = text.partition(BEGIN)
    after = rest.partition(END)[2]
    PAGE.write_text(f"{before}{BEGIN}\n{table()}\n{END}{after}", encoding="utf-8")


if __name__ == "__main__":
    main()
