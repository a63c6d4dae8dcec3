"""The doctor finds what is wrong and gives advice; it never raises."""

from __future__ import annotations

from pathlib import Path

import pytest

from cluster.doctor import examine
from cluster.doctor_checks import DoctorCheck


def find(checks: list[DoctorCheck], name: str) -> DoctorCheck:
    (check,) = (each for each in checks if each.name == name)
    return check


def test_every_finding_has_advice_exactly_where_it_is_bad(tmp_path: Path) -> None:
    checks = examine(tmp_path)
    assert len({check.name for check in checks}) == len(checks) >= 9
    assert all(check.found and (check.advice == "") == check.ok for check in checks)
    assert find(checks, "python").ok
    assert find(checks, "ray").ok
    assert find(checks, "settings").ok


def test_a_missing_folder_is_checked_at_its_nearest_parent(tmp_path: Path) -> None:
    out = tmp_path / "not" / "yet"
    assert find(examine(out), "output folder").ok
    assert not out.exists()


def test_a_file_in_the_place_of_the_folder_is_found(tmp_path: Path) -> None:
    (tmp_path / "ledger").touch()
    check = find(examine(tmp_path / "ledger"), "output folder")
    assert not check.ok
    assert "--out" in check.advice


def test_a_bad_setting_does_not_stop_the_other_checks(tmp_path: Path) -> None:
    profile = tmp_path / "mine.yaml"
    profile.write_text("run: {batch_sise: 3}\n")
    checks = examine(tmp_path, str(profile))
    assert "batch_size" in find(checks, "settings").found
    assert find(checks, "disk space").ok


def test_a_missing_store_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GNOSIS_RAY_HOME", str(tmp_path))
    monkeypatch.setenv("GNOSIS_RAY__DATA__PROVIDER", "store")
    check = find(examine(tmp_path), "market data")
    assert not check.ok
    assert check.found == str(tmp_path / "market")
    (tmp_path / "market").mkdir()
    (tmp_path / "market" / "bars").touch()
    assert find(examine(tmp_path), "market data").ok


def test_another_ray_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cluster.doctor.version", lambda name: "2.9.3")
    check = find(examine(tmp_path), "ray")
    assert not check.ok
    assert "2.60" in check.advice


def test_a_folder_for_temporary_files_that_is_too_long_for_rays_sockets_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    long = tmp_path / ("t" * 80)
    long.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(long))
    (found,) = (check for check in examine(tmp_path) if check.name == "ray's folder")
    assert found.ok, "another one is used"
    assert f"{long} has a path of" in found.found
    monkeypatch.setattr("cluster.ray_folder.BASES", ())
    (found,) = (check for check in examine(tmp_path) if check.name == "ray's folder")
    assert not found.ok
    assert "Set TMPDIR to a folder of yours" in found.found
