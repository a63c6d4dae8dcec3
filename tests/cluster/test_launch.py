"""The launcher's files are what this version of Ray takes, and open nothing."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import ValidationError
from ray.autoscaler._private.util import prepare_config, validate_config

import cluster

LAUNCH = Path(cluster.__file__).parent / "launch"
FILES = sorted(LAUNCH.glob("*.yaml"))
SECRETS = ("aws_access_key_id", "aws_secret_access_key", "password", "RAY_AUTH_TOKEN=")


def read(path: Path) -> dict[str, Any]:
    body: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return body


@pytest.fixture(params=FILES, ids=lambda path: path.stem)
def path(request: pytest.FixtureRequest) -> Path:
    file: Path = request.param
    return file


def test_launch_files_cover_own_machines_and_a_cloud() -> None:
    assert [read(path)["provider"]["type"] for path in FILES] == ["aws", "local"]


def test_ray_accepts_it(path: Path) -> None:
    validate_config(prepare_config(read(path)))


def test_ray_rejects_an_unknown_key(path: Path) -> None:
    wrong = prepare_config(copy.deepcopy(read(path))) | {"headnode": {}}
    with pytest.raises(ValidationError, match="headnode"):
        validate_config(wrong)


def test_nothing_is_installed_at_start(path: Path) -> None:
    ready = prepare_config(read(path))
    commands = [ready[name] for name in ready if name.endswith("_commands") and "start_ray" not in name]
    assert commands == [[]] * 4
    assert "pip" not in " ".join(ready["head_start_ray_commands"] + ready["worker_start_ray_commands"])


def test_every_node_asks_for_the_token_and_the_dashboard_is_on_loopback(path: Path) -> None:
    body = read(path)
    starts = [command for name in ("head", "worker") for command in body[f"{name}_start_ray_commands"]]
    begun = [command for command in starts if "ray start" in command]
    assert len(begun) == 2
    assert all("RAY_AUTH_MODE=token" in command for command in begun)
    assert [command for command in begun if "--dashboard-host=127.0.0.1" in command] == begun[:1]
    (remote,) = body["file_mounts"]
    assert remote == f"/home/{body['auth']['ssh_user']}/.ray/auth_token"


def test_rays_folder_is_below_one_that_is_closed_to_others(path: Path) -> None:
    body = read(path)
    for name in ("head", "worker"):
        commands = body[f"{name}_start_ray_commands"]
        (made,) = (at for at, command in enumerate(commands) if "mkdir -p -m 700 ~/.gnosis-ray" in command)
        (begun,) = (at for at, command in enumerate(commands) if "--temp-dir=$HOME/.gnosis-ray/ray" in command)
        assert made < begun


def test_it_holds_no_secret_and_no_public_address(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert not any(secret in text for secret in SECRETS)
    assert "0.0.0.0" not in text  # noqa: S104 - looked for, not bound to


def test_rented_nodes_have_no_public_address_and_our_own_firewall() -> None:
    body = read(LAUNCH / "aws.yaml")
    assert body["provider"]["use_internal_ips"] is True
    for kind in body["available_node_types"].values():
        node = kind["node_config"]
        assert node["SecurityGroupIds"], "Ray would make a group that lets SSH in from anywhere"
        assert node["SubnetIds"]
        assert node["MetadataOptions"] == {"HttpTokens": "required"}
    worker = body["available_node_types"]["worker"]
    assert worker["min_workers"] == worker["max_workers"] == body["max_workers"]
