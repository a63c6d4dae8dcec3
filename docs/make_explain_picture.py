"""Scan the synthetic market, explain one symbol, and draw the top of its page as ``docs/explain.png``.

Usage: python docs/make_explain_picture.py [CHROMIUM] (default: chromium).
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

from gnosis_ray.cli.main import run

SYMBOL = "AAPL"
SIZE = "1180,1620"


def main() -> None:
    """Write the picture beside this file."""
    browser = sys.argv[1] if len(sys.argv) > 1 else "chromium"
    with tempfile.TemporaryDirectory(prefix="gnosis-ray-explain-") as scratch:
        ledger, page = f"{scratch}/ledger", Path(scratch) / "page.html"
        codes = [
            run(["scan", "--symbols", SYMBOL, "--granularity", "inline", "--out", ledger]),
            run(["explain", SYMBOL, "--out", ledger, "--html", str(page)]),
        ]
        if any(codes):
            sys.exit(max(codes))
        picture = Path(__file__).with_name("explain.png")
        flags = [
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--hide-scrollbars",
            f"--user-data-dir={scratch}/browser",
        ]
        target = [f"--screenshot={picture}", f"--window-size={SIZE}", page.as_uri()]
        subprocess.run([browser, *flags, *target], check=True)  # noqa: S603  the browser is the user's own choice


if __name__ == "__main__":
    main()
