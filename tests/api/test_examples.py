"""The example of every public name runs and prints what it says."""

from __future__ import annotations

import doctest

import pytest

import gnosis_ray
from gnosis_ray import plugins


def example_of(name: str) -> doctest.DocTest:
    """The example in the docstring of a public name; of a constant, in that of its module."""
    value = getattr(gnosis_ray, name)
    text = (plugins if value == plugins.PLUGIN_API else value).__doc__
    return doctest.DocTestParser().get_doctest(text or "", {}, name, None, None)


@pytest.mark.parametrize("name", gnosis_ray.__all__)
def test_the_example_is_true(name: str) -> None:
    test = example_of(name)
    assert test.examples, f"{name} has no example"
    told: list[str] = []
    doctest.DocTestRunner(verbose=False).run(test, out=told.append)
    assert told == []
