"""A watch sees the end of a process, whoever started it."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from cluster.ray_watch import RayWatch, _listener
from cluster.session import Session
from gnosis_ray.errors import ClusterError


def test_nothing_ends_while_nothing_is_watched() -> None:
    assert RayWatch().ended() is None


def test_the_process_that_ended_is_named() -> None:
    living, dying = (subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) for _ in range(2))
    with living, dying:
        descriptors = {os.pidfd_open(living.pid): "gcs_server", os.pidfd_open(dying.pid): "raylet"}
        watch = RayWatch(descriptors)
        assert watch.ended() is None
        dying.kill()
        dying.wait()
        assert watch.ended() == "raylet"
        with pytest.raises(ClusterError, match=r"its process raylet has ended.*resume the run"):
            Session(None, watch=watch).check_open()
        living.kill()
    for descriptor in descriptors:
        os.close(descriptor)


def test_on_a_cluster_the_raylet_is_who_listens_at_its_socket(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(tmp_path / "raylet"))
        listening.listen()
        assert _listener(str(tmp_path / "raylet")) == os.getpid()
