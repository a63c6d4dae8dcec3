"""``python -m gnosis_ray``: the command line, as the console script ``gnosis-ray`` runs it."""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
"""The folder that gnosis_ray, actors and cluster were installed in."""

if __name__ == "__main__":
    # ``-m`` puts the working folder first on the path: modules there must not take the place of ours
    if Path(sys.path[0]).resolve() == Path.cwd() != ROOT:
        del sys.path[0]
    from gnosis_ray.cli.guard import main

    main()
