"""Command lines in a process with a Ray of its own, and what that Ray keeps of them.

Usage: ``python -m tests.support.replay.on_ray FOLDER < COMMANDS``: a JSON list of argument lists. Writes the exit codes
to ``FOLDER/codes.json``, what the control store holds to ``FOLDER/control_store``, and copies Ray's logs to
``FOLDER/ray``.
"""

from __future__ import annotations

import json
import shutil
import sys
from datetime import timedelta
from pathlib import Path
from unittest.mock import patch

from cluster.session import connect
from gnosis_ray.cli.main import run
from gnosis_ray.config import load_config
from tests.support.clocks import ShiftedTime


def main() -> None:
    """An hour after the synthetic market's present, run what standard input says."""
    folder = Path(sys.argv[1])
    clock = ShiftedTime.starting(load_config().config.data.synthetic.as_of + timedelta(hours=1))
    with patch("gnosis_ray.api.live.TIME", clock), connect(None, 2):
        codes = [run(arguments) for arguments in json.load(sys.stdin)]
        (folder / "control_store").write_bytes(b"\n".join(control_store()))
        (folder / "codes.json").write_text(json.dumps(codes))
        shutil.copytree(session_folder(), folder / "ray", ignore=shutil.ignore_patterns("sockets"))


def session_folder() -> Path:
    """Where this Ray logs."""
    import ray

    node = ray._private.worker._global_node
    if node is None:
        raise RuntimeError("Expected a Ray that was started here, found none")
    return Path(node.get_session_dir_path())


def control_store() -> list[bytes]:
    """Everything that Ray's listings are made from: actors, jobs, tasks, workers, nodes, the key-value store."""
    import ray
    from ray._private import ray_constants
    from ray.experimental import internal_kv

    accessor = ray._private.state.state._connect_and_get_accessor()
    tables = [
        accessor.get_actor_table(None, None),
        accessor.get_job_table(),
        accessor.get_task_events(),
        accessor.get_worker_table(),
        accessor.get_node_table(),
        accessor.get_placement_group_table(),
    ]
    if not tables[0]:
        raise RuntimeError("Expected actors that ran here, found none")
    found = [row if isinstance(row, bytes) else repr(row).encode() for table in tables for row in table]
    named = {name for name in dir(ray_constants) if name.startswith("KV_NAMESPACE")}
    for space in {getattr(ray_constants, name) for name in named}:
        for key in internal_kv._internal_kv_list(b"", namespace=space):
            found += [key, internal_kv._internal_kv_get(key, namespace=space) or b""]
    return found


if __name__ == "__main__":
    main()
