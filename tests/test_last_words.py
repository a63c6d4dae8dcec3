"""Last words: the latest state counts, whole lines only."""

from __future__ import annotations

import os

import pytest

from gnosis_ray import last_words
from gnosis_ray.last_words import Left, if_cut_off, read


@pytest.fixture
def pipe(monkeypatch: pytest.MonkeyPatch) -> int:
    heard, told = os.pipe()
    os.set_blocking(heard, False)
    monkeypatch.setattr(last_words, "_pipe", told)
    monkeypatch.setattr(last_words, "_texts", [])  # a Ray that other tests share has words of its own
    return heard


def test_what_is_to_be_said_is_what_the_process_was_in(pipe: int) -> None:
    with if_cut_off("outer"):
        with if_cut_off("inner"):
            assert read(os.read(pipe, 4096)).texts == ("outer", "inner")
        assert read(os.read(pipe, 4096)) == Left(("outer",))
    assert read(os.read(pipe, 4096)) == Left()


def test_a_process_that_came_to_its_end_left_its_code(pipe: int) -> None:
    with if_cut_off("outer"):
        last_words.end(3)
        assert read(os.read(pipe, 4096)).code == 3


def test_half_a_line_is_not_read() -> None:
    assert read(b"") == Left()
    assert read(b'{"texts": ["whole"], "code": null}\n{"texts": ["ha') == Left(("whole",))
