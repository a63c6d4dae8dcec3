"""Settings change through ``replaced`` alone, which validates: in code, tests, benchmarks, examples and documents."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator
from doctest import script_from_examples
from pathlib import Path

import pytest

from gnosis_ray.config import Config
from gnosis_ray.config.section import Section
from gnosis_ray.errors import ConfigError
from tests.support.config_changes import unvalidated_changes

ROOT = Path(__file__).parents[1]
FOLDERS = ("gnosis_ray", "actors", "cluster", "tests", "benchmarks", "examples")
BLOCK = re.compile(r"```(?:python|py)\n(.*?)```", re.DOTALL)


def classes(base: type[Section] = Section) -> Iterator[str]:
    yield base.__name__
    for derived in base.__subclasses__():
        yield from classes(derived)


def sources() -> Iterator[tuple[str, str]]:
    for folder in FOLDERS:
        for path in set((ROOT / folder).rglob("*.py")) - {Path(__file__)}:  # this file shows what is refused
            yield path.relative_to(ROOT).as_posix(), path.read_text(encoding="utf-8")
    for path in (*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("examples/**/*.md")):
        for number, block in enumerate(BLOCK.findall(path.read_text(encoding="utf-8"))):
            code = script_from_examples(block) if ">>>" in block else textwrap.dedent(block)
            yield f"{path.relative_to(ROOT).as_posix()}, block {number}", code


def test_nothing_changes_settings_without_validating_them() -> None:
    sections = frozenset(classes())
    assert {"Config", "RunConfig", "GatewayConfig"} <= sections
    found = {place: lines for place, source in sources() if (lines := unvalidated_changes(source, sections))}
    assert found == {}


@pytest.mark.parametrize(
    "change",
    [
        "config.model_copy(update={'run': run})",
        "config.run.model_copy(update=quick)",
        "self._config.model_copy(deep=True, update=quick)",
        "SETTINGS.news.model_copy(**changes)",
        "load_config().config.model_copy(update=quick)",
        "RunConfig().model_copy(update=quick)",
        "one = config.replaced(run=quick).providers\nother = one\nother.cboe.model_copy(update=quick)",
        "[section.model_copy(update=quick) for name, section in config.providers]",
        "def change(vendor: VendorConfig):\n    return vendor.model_copy(update=quick)",
        "vendor: VendorConfig = make()\nvendor.model_copy(update=quick)",
    ],
)
def test_a_change_of_settings_is_found(change: str) -> None:
    assert unvalidated_changes(change, {"RunConfig", "VendorConfig"}) == [change.count("\n") + 1]


@pytest.mark.parametrize(
    "change",
    [
        "manifest_of(config).model_copy(update={'batch_size': 2})",
        "record = record_of(config)\nrecord.model_copy(update=quick)",
        "config.model_copy(deep=True)",
        "config.replaced(run=quick)",
        "agent_of(config).step(snapshot).model_copy(update=quick)",
    ],
)
def test_a_change_of_other_models_may_be(change: str) -> None:
    assert unvalidated_changes(change, {"RunConfig"}) == []


def test_settings_refuse_an_unvalidated_update_themselves(config: Config) -> None:
    assert config.run.model_copy() == config.run
    with pytest.raises(TypeError, match=r"RunConfig\.replaced"):
        config.run.model_copy(update={"batch_size": -1})
    with pytest.raises(ConfigError, match="batch_size"):
        config.replaced(run={"batch_size": -1})
