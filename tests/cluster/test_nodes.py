"""Two nodes of a token-protected cluster, looked at from a process of its own."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.subprocess_helpers import called_apart

pytestmark = pytest.mark.chaos


@pytest.fixture(scope="module")
def outcome(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The output of two_nodes.py."""
    folder = tmp_path_factory.mktemp("nodes")
    (folder / "ledger").mkdir()
    (folder / "token").write_text("0123456789abcdef" * 4)
    token = {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN_PATH": str(folder / "token")}
    return called_apart("tests.cluster.two_nodes", f"main({str(folder / 'ledger')!r})", folder, 150.0, **token)


def test_equal_nodes_are_fit_and_nothing_is_left_behind(outcome: dict[str, Any]) -> None:
    assert outcome["fit"] == []
    assert outcome["left"] == []


def test_the_bad_node_alone_is_named_with_each_difference(outcome: dict[str, Any]) -> None:
    first, *lines = outcome["bad"]
    assert first == "1 of 2 nodes cannot take part."
    assert [line.split(": ")[1] for line in lines] == ["polars", "market store"]
    assert "Expected not needed, was no parts in /data. Mount the market store" in lines[1]
    assert len({line.split(": ")[0] for line in lines}) == 1


def test_a_node_without_gnosis_ray_says_so(outcome: dict[str, Any]) -> None:
    first, line = outcome["absent"]
    assert first == "1 of 2 nodes cannot take part."
    assert "answer: Expected facts about the node, was ModuleNotFoundError: No module named 'cluster'" in line


def test_joining_without_the_token_says_what_to_set(outcome: dict[str, Any]) -> None:
    assert "ClusterError" in outcome["stranger"]
    assert "asks for a token: this process has none, or another. Set RAY_AUTH_MODE=token" in outcome["stranger"]


def test_the_doctor_distinguishes_good_nodes_from_bad(outcome: dict[str, Any]) -> None:
    checks = [each for each in outcome["doctor"] if not each[0].startswith("ray's folder")]
    assert [(name, ok) for name, ok, _ in checks[:3]] == [
        ("cluster", True),
        ("cluster token", True),
        ("cluster room", True),
    ]
    assert checks[2][2].startswith("2 cores")
    (good,) = (name for name, ok, _ in checks[3:] if ok)
    bad = [(name, found.split(":")[0]) for name, ok, found in checks[3:] if not ok]
    assert {name for name, _ in bad} != {good}
    assert [fact for _, fact in bad] == ["polars", "market store"]


def test_the_doctor_finds_that_others_can_swap_what_rays_default_folder_holds(outcome: dict[str, Any]) -> None:
    found = [(ok, said) for name, ok, said in outcome["doctor"] if name.startswith("ray's folder")]
    assert found == [(False, "others may write to /tmp/ray")] * 2
