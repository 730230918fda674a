"""What a terminal shows, and the pictures of it in the guide.

The pictures are what the commands print; ``UPDATE_SCREENS=1 pytest tests/unit/cli/test_screens.py``
draws them anew.
"""

from __future__ import annotations

import io
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from rich.console import Console

from connect_associations.cli import screen
from lifecycle.cast import (
    ANN,
    BLUE,
    BOB,
    CHAT,
    CYD,
    DAN,
    RED,
    assignment,
    membership,
    single,
    stack_of,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from lifecycle.world import World

IMAGES = Path(__file__).parents[3] / "docs" / "images"


@pytest.mark.parametrize(
    ("name", "arguments"),
    [("status", ()), ("repair", ("--dry-run", "--exclusive"))],
)
def test_the_pictures_are_current(
    name: str,
    arguments: tuple[str, ...],
    world: World,
    run: Callable[..., tuple[int, str, str]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    world.deploy(
        stack_of(
            Ann=single(RED, ANN),
            NightShift=membership(BLUE, BOB, CYD, exclusive=True),
            Callback=assignment(CHAT, ANN),
        )
    )
    world.connect.serve(CHAT, BOB)
    world.connect.leave(BLUE, CYD)
    world.connect.join(BLUE, DAN)
    console = Console(
        record=True,
        width=120,
        file=io.StringIO(),
        force_terminal=True,
        color_system="truecolor",
        highlight=False,
        markup=False,
        emoji=False,
    )
    monkeypatch.setattr(screen, "output", lambda: console)
    assert run(name, "--stack", "Test", *arguments)[0] == 1
    drawn = console.export_svg(title=f"connect-associations {name}", unique_id=f"cli-{name}")
    # Without the font that rich would fetch from elsewhere.
    drawn = re.sub(r"@font-face \{.*?\}\s*", "", drawn, flags=re.DOTALL)
    path = IMAGES / f"cli-{name}.svg"
    if os.environ.get("UPDATE_SCREENS"):
        path.write_text(drawn, encoding="utf-8")
    assert path.read_text(encoding="utf-8") == drawn


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """Let standard output be a terminal with colours."""
    for name in ("NO_COLOR", "COLUMNS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm-256color")
    return monkeypatch


@pytest.mark.parametrize("columns", [52, 60, 77, 78, 100, 110, 200])
def test_an_id_is_never_broken(
    columns: int,
    world: World,
    run: Callable[..., tuple[int, str, str]],
    terminal: pytest.MonkeyPatch,
) -> None:
    world.deploy(stack_of(NightShiftOfTheCallCentre=membership(RED, ANN, BOB)))
    world.connect.leave(RED, BOB)
    terminal.setenv("COLUMNS", str(columns))
    for command in (("status",), ("repair", "--dry-run")):
        code, out, _ = run(*command, "--stack", "Test")
        assert code == 1
        lines = re.sub(r"\x1b\[[0-9;]*m", "", out).splitlines()
        assert sum(BOB.id in line for line in lines) == 1
        table = [line for line in lines if not line.startswith("Traffic")]
        assert max(len(line) for line in table) <= columns


def test_colours_are_left_out_where_they_are_not_wanted(
    world: World, run: Callable[..., tuple[int, str, str]], terminal: pytest.MonkeyPatch
) -> None:
    world.deploy(stack_of(Ann=single(RED, ANN)))
    world.connect.leave(RED, ANN)
    colour = re.compile(r"\x1b\[[0-9;]*3[0-7]")
    assert colour.search(run("status", "--stack", "Test")[1])
    terminal.setenv("NO_COLOR", "1")
    code, out, _ = run("status", "--stack", "Test")
    assert code == 1
    assert "missing" in out
    assert not colour.search(out)


def test_a_reader_who_leaves_is_no_error(
    world: World,
    run: Callable[..., tuple[int, str, str]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    world.deploy(stack_of(Ann=single(RED, ANN)))
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "w") as nobody:
        monkeypatch.setattr("sys.stdout", nobody)
        code, _, err = run("status", "--stack", "Test")
    assert code == 1
    assert not err
