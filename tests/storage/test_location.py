"""Where things lie, as people write it."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gnosis_ray.errors import ConfigError
from gnosis_ray.storage.location import S3Url, locate, resolved

_segment = st.text(alphabet="abcXYZ019._-=% ü#", min_size=1, max_size=6).filter(lambda s: s not in (".", ".."))


@given(st.lists(_segment, max_size=4))
def test_an_address_reads_as_it_is_written(segments: list[str]) -> None:
    url = locate("/".join(["s3://my-bucket", *segments]))
    assert url == S3Url("my-bucket", "/".join(segments))
    assert locate(str(url)) == url
    assert url.name == (segments[-1] if segments else "")
    assert url.parent == S3Url("my-bucket", "/".join(segments[:-1]))


@given(st.lists(_segment, max_size=3), st.lists(_segment, min_size=1, max_size=3))
def test_names_join_as_folders_do(prefix: list[str], names: list[str]) -> None:
    url = S3Url("my-bucket", "/".join(prefix))
    for name in names:
        url = url / name
    assert url == locate("/".join(["s3://my-bucket", *prefix, *names]))
    assert S3Url("my-bucket", "/".join(prefix)).key("/".join(names)) == url.prefix


def test_a_slash_at_the_end_and_the_case_of_the_scheme_do_not_matter() -> None:
    assert locate("S3://my-bucket/a/") == locate("s3://my-bucket/a")
    assert str(locate("s3://my-bucket/")) == "s3://my-bucket"


@pytest.mark.parametrize(
    "text",
    [
        "s3://",
        "s3:///a",
        "s3://bucket//a",
        "s3://bucket/a/../b",
        "s3://bucket/./b",
        "gs://bucket/a",
        "file:///a",
        "https://host/a",
        "s3://user:word@host/a",
        "https://user:word@host/a",
    ],
)
def test_what_is_no_place_is_refused_and_no_password_repeated(text: str) -> None:
    with pytest.raises(ConfigError, match="Expected") as caught:
        locate(text)
    assert "word" not in caught.value.message


def test_an_address_that_became_a_path_is_refused() -> None:
    with pytest.raises(ConfigError, match="as text"):
        locate(Path("s3://bucket/ledger"))


def test_a_folder_is_absolute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", "/somewhere")
    assert locate("here/it is") == tmp_path / "here/it is"
    assert locate(Path("here")) == tmp_path / "here"
    assert locate("~/x") == Path("/somewhere/x")
    assert locate("/a:b/c") == Path("/a:b/c")


def test_a_resolved_folder_has_no_links_and_a_prefix_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert resolved(Path("~/link/../link/x")) == tmp_path.resolve() / "real/x"
    assert resolved(S3Url("bucket", "link")) == S3Url("bucket", "link")
