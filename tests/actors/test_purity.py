"""What decides about a run does not even import Ray."""

from __future__ import annotations

import subprocess
import sys

DECIDING = ("heartbeats", "host_controller", "per_symbol", "pool_config", "restarts", "run_recovery")
PROTOCOLS = ("worker_pool", "symbol_worker_pool")


def test_deciding_modules_and_protocols_do_not_import_ray() -> None:
    modules = ", ".join(f"actors.{name}" for name in (*DECIDING, *PROTOCOLS))
    code = f"import sys, {modules}; sys.exit('ray' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False, timeout=60).returncode == 0
