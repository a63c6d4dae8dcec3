"""The image is made of what the repository pins, runs as nobody special, and installs nothing at start."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def instructions() -> list[tuple[str, str]]:
    """The Dockerfile's instructions with their arguments, continued lines joined."""
    text = (ROOT / "Dockerfile").read_text(encoding="utf-8").replace("\\\n", " ")
    lines = [line.split(maxsplit=1) for line in text.splitlines() if line and not line.startswith("#")]
    return [(word.upper(), rest) for word, rest in lines]


def stages() -> list[list[tuple[str, str]]]:
    found: list[list[tuple[str, str]]] = []
    for word, rest in instructions():
        if word == "FROM":
            found.append([])
        found[-1].append((word, rest))
    return found


def test_two_stages_of_one_base_named_without_a_registry() -> None:
    bases = [stage[0][1].split()[0] for stage in stages()]
    assert len(bases) == 2
    assert len(set(bases)) == 1
    assert re.fullmatch(r"python:3\.1[12]-slim-[a-z]+", bases[0])


def test_the_base_has_a_python_that_we_support() -> None:
    required = re.search(r'requires-python = "(.*)"', (ROOT / "pyproject.toml").read_text())
    assert required is not None
    assert required[1] == ">=3.11,<3.13"


def test_every_install_is_pinned_or_our_own() -> None:
    installs = [rest for word, rest in instructions() if word == "RUN" and "pip install" in rest]
    assert len(installs) == 2
    assert "--require-hashes" in installs[0]
    assert "--no-deps --no-build-isolation ." in installs[1]
    assert all("://" not in rest for _, rest in instructions())


def test_the_last_stage_installs_nothing_and_runs_unprivileged() -> None:
    last = dict(stages()[-1])
    assert not any("pip" in rest or "apt" in rest for _, rest in stages()[-1])
    uid, gid = map(int, last["USER"].split(":"))
    assert uid == gid >= 10000
    assert last["ENTRYPOINT"] == '["gnosis-ray"]'


def test_the_pods_run_as_the_images_user() -> None:
    uid = dict(stages()[-1])["USER"].split(":")[0]
    for path in (ROOT / "cluster" / "k8s").glob("ray-*.yaml"):
        named = set(re.findall(r"(?:runAsUser|runAsGroup|fsGroup): (\d+)", path.read_text()))
        assert named == {uid}


def test_copied_files_exist_and_are_not_ignored() -> None:
    let_through = {
        line.removeprefix("!") for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")
    }
    copied = {
        name for word, rest in instructions() if word == "COPY" and "--from" not in rest for name in rest.split()[:-1]
    }
    assert copied == let_through
    assert all((ROOT / name).exists() for name in copied)


def pins(name: str) -> dict[str, str]:
    return dict(re.findall(r"^([A-Za-z0-9._-]+)(?:\[\w+\])?==(\S+)", (ROOT / name).read_text(), re.MULTILINE))


@pytest.mark.parametrize("name", ["ray", "polars", "numpy", "hatchling"])
def test_the_image_has_the_versions_of_the_laptop(name: str) -> None:
    assert pins("requirements-cluster.txt")[name] == pins("requirements.txt")[name]


def test_the_image_has_what_the_laptop_has_and_rays_dashboard() -> None:
    ours, theirs = pins("requirements-cluster.txt"), pins("requirements.txt")
    assert theirs.items() <= ours.items()
    assert {"aiohttp", "prometheus-client"} <= set(ours)
    text = (ROOT / "requirements-cluster.txt").read_text()
    assert "://" not in text
    assert text.count("--hash=sha256:") > len(ours)
