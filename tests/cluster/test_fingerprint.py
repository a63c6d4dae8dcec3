"""Two installations have the same fingerprint exactly where they are the same."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from cluster import fingerprint
from cluster.fingerprint import PACKAGES, ROOT, code_digest, decision_hash, plugins, store_digest, versions
from gnosis_ray.config import Config


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """An installation elsewhere, of a few of our files."""
    for name in ("cluster/__init__.py", "gnosis_ray/errors.py", "actors/worker.py"):
        (tmp_path / name).parent.mkdir()
        shutil.copy(ROOT / name, tmp_path / name)
    return tmp_path


def test_our_packages_share_one_root() -> None:
    assert all((ROOT / package / "__init__.py").is_file() for package in PACKAGES)
    assert code_digest() == code_digest()


def test_the_digest_depends_on_code_not_on_location(copy: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    other = tmp_path_factory.mktemp("elsewhere") / "site-packages"
    shutil.copytree(copy, other)
    (other / "gnosis_ray" / "notes.txt").write_text("not code")
    (other / "gnosis_ray" / "__pycache__").mkdir()
    assert code_digest(other) == code_digest(copy)


@pytest.mark.parametrize("change", ["edit", "add", "remove", "rename"])
def test_any_change_of_code_changes_the_digest(copy: Path, change: str) -> None:
    before = code_digest(copy)
    path = copy / "gnosis_ray" / "errors.py"
    if change == "edit":
        path.write_text(path.read_text() + "\n")
    elif change == "add":
        (copy / "actors" / "new.py").touch()
    elif change == "remove":
        path.unlink()
    else:
        path.rename(path.with_name("mistakes.py"))
    assert code_digest(copy) != before


def test_unreadable_settings_name_their_first_fault(config: Config) -> None:
    assert decision_hash(config.model_dump_json()) == config.decision_hash()
    foreign = config.model_dump_json().replace('"batch_size"', '"batch_sise"')
    assert decision_hash(foreign).startswith("unreadable: Config.run.batch_size: Expected a value, was")


def test_a_store_digest_depends_on_its_parts(tmp_path: Path) -> None:
    assert store_digest(None) == "not needed"
    assert store_digest(tmp_path / "nowhere") == f"no parts in {tmp_path / 'nowhere'}"
    first, second = (tmp_path / side / "bars" / "event_year=2026" for side in ("one", "two"))
    for folder in (first, second):
        folder.mkdir(parents=True)
        (folder / "part-0a.parquet").touch()
        (folder / ".part-0b.parquet.x.tmp").touch()
    assert store_digest(tmp_path / "one") == store_digest(tmp_path / "two")
    assert store_digest(tmp_path / "one").startswith("1 parts, ")
    (second / "part-0b.parquet").touch()
    assert store_digest(tmp_path / "one") != store_digest(tmp_path / "two")


def test_a_missing_distribution_is_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    found = versions()
    assert set(found) == {"python", "ray", "polars", "numpy"}
    assert all(text[0].isdigit() for text in found.values())
    assert fingerprint._version("gnosis-ray-no-such-thing") == "not installed"


class Plug:
    """An installed distribution as importlib shows it."""

    name, version = "my-engines", "1.2"

    def __init__(self, group: str) -> None:
        self.group = group

    @property
    def entry_points(self) -> list[Plug]:
        return [self]


def test_plug_ins_are_found_by_their_entry_points(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fingerprint, "distributions", lambda: [Plug("console_scripts")])
    assert plugins() == "none"
    monkeypatch.setattr(fingerprint, "distributions", lambda: [Plug("console_scripts"), Plug("gnosis_ray.engines")])
    assert plugins() == "my-engines 1.2"
