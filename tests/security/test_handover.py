"""Keys leave the environment while Ray runs, and reach the one process that needs them over a private socket."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from gnosis_ray.errors import ConfigError
from gnosis_ray.redaction import redacted
from gnosis_ray.security.handover import keys_given, receive_keys
from gnosis_ray.security.keys import held, held_back, key_of

KEY = "5b2cNOTREALleakme44"
RECEIVES = """
import sys
from pathlib import Path
from gnosis_ray.security.handover import receive_keys
from gnosis_ray.security.keys import key_of
receive_keys(Path(sys.argv[1]))
print(key_of("tradier").get_secret_value())
"""


@pytest.fixture(autouse=True)
def in_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("GNOSIS_RAY_HOME", str(tmp_path))
    monkeypatch.setenv("TRADIER_API_KEY", KEY)


def environment_of_a_child() -> dict[str, str]:
    code = "import json, os; print(json.dumps(dict(os.environ)))"
    seen = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    environment: dict[str, str] = json.loads(seen.stdout)
    return environment


def test_keys_that_are_held_back_are_found_here_and_not_inherited() -> None:
    with held_back():
        assert KEY not in environment_of_a_child().values()
        assert key_of("tradier").get_secret_value() == KEY
        assert redacted(f"token {KEY}") != f"token {KEY}"
    assert os.environ["TRADIER_API_KEY"] == KEY
    assert not held()


def test_a_users_change_while_they_are_held_back_stands() -> None:
    with held_back():
        os.environ["TRADIER_API_KEY"] = "another"
    assert os.environ["TRADIER_API_KEY"] == "another"


def test_credentials_of_an_object_store_are_inherited(monkeypatch: pytest.MonkeyPatch) -> None:
    """Workers read and write buckets themselves."""
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "of the store")
    with held_back():
        assert environment_of_a_child()["AWS_SECRET_ACCESS_KEY"]


def test_another_process_is_given_them_as_often_as_it_asks(tmp_path: Path) -> None:
    tmp_path.chmod(0o700)
    with held_back(), keys_given(tmp_path) as place:
        assert place is not None
        for _ in range(2):
            seen = subprocess.run(
                [sys.executable, "-c", RECEIVES, str(place)],
                env=environment_of_a_child(),
                capture_output=True,
                text=True,
                check=False,
            )
            assert (seen.stdout, seen.stderr) == (f"{KEY}\n", "")
    assert not place.exists()


def test_nothing_is_given_where_there_are_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TRADIER_API_KEY")
    with held_back(), keys_given(tmp_path) as place:
        assert place is None


def test_who_cannot_be_given_them_is_told_of_the_key_file(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"keys\.yaml"):
        receive_keys(tmp_path / "nobody")


def test_they_are_never_in_a_file(tmp_path: Path) -> None:
    with held_back(), keys_given(tmp_path) as place:
        assert [path for path in tmp_path.rglob("*") if not stat.S_ISSOCK(path.stat().st_mode)] == []
        assert place is not None
