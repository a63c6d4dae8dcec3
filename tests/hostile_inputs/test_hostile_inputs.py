"""Each bad input of the grid is answered well: exit code, place, what was expected, what to do; nothing is lost."""

from __future__ import annotations

from pathlib import Path

import pytest

from gnosis_ray.cli.main import run
from tests.hostile_inputs.harness import CommandResult, HostileInput, all_rows, parameters, require_good_answer


@pytest.mark.parametrize("row", list(parameters()))
def test_a_bad_input_is_answered_well(
    row: HostileInput, place: tuple[Path, pytest.MonkeyPatch], capsys: pytest.CaptureFixture[str]
) -> None:
    folder, monkeypatch = place
    (folder / "given").mkdir()
    arguments = row.give(folder / "given", monkeypatch)
    capsys.readouterr()
    code = run(list(arguments))
    said = capsys.readouterr()
    require_good_answer(row, CommandResult(code, said.out, said.err))


def test_the_grid_has_its_kinds() -> None:
    kinds = [row.name.partition(":")[0] for row in all_rows()]
    counted = {kind: kinds.count(kind) for kind in dict.fromkeys(kinds)}
    assert counted["option"] >= 100
    assert counted["setting"] >= 250
    assert counted["variable"] >= 40
    assert counted["profile"] >= 15
    assert counted["plug-in"] >= 40


@pytest.mark.parametrize(
    ("answer", "lack"),
    [
        (CommandResult(0, "", "--top: Expected a whole number, such as 5, was 'x'"), "exit code 0, not 2"),
        (CommandResult(2, "rows", "--top: Expected a whole number, such as 5, was 'x'"), "stdout is not empty"),
        (CommandResult(2, "", "Expected a whole number, such as 5, was 'x'"), "does not name '--top'"),
        (CommandResult(2, "", "--top: Input should be a number, such as 5"), "speaks of 'Input should'"),
        (CommandResult(2, "", "--top: bad value"), "gives no advice"),
        (CommandResult(2, "", "--top: Expected a number, such as 5, was hunter2"), "shows 'hunter2'"),
    ],
)
def test_a_bad_answer_is_found(answer: CommandResult, lack: str) -> None:
    row = HostileInput("option: scan --top: text", lambda _folder, _patch: (), ("--top",), hides=("hunter2",))
    with pytest.raises(AssertionError, match=lack):
        require_good_answer(row, answer)
