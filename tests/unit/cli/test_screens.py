"""What a terminal shows, and the pictures of it in the guide.

The pictures are what the commands print; ``UPDATE_SCREENS=1 pytest tests/unit/cli/test_screens.py``
draws them anew.
"""

from __future__ import annotations

import contextlib
import io
import itertools
import json
import os
import re
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from rich.console import Console

from connect_associations.cli import screen
from lifecycle.cast import (
    ANN,
    BLUE,
    BOB,
    CHAT,
    DAN,
    RED,
    Thing,
    assignment,
    membership,
    single,
    stack_of,
)
from lifecycle.ledger import TABLE

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from connect_associations.testing import ConnectEmulation
    from lifecycle.world import World

ROOT = Path(__file__).parents[3]
IMAGES = ROOT / "docs" / "images"

drawn_here = pytest.mark.skipif(
    f"rich=={metadata.version('rich')}" not in (ROOT / "requirements-dev.in").read_text("utf-8"),
    reason="another rich draws in another way",
)
_FIRST = [
    *("ada", "ben", "chloe", "dmitri", "elena", "farid", "grace", "hugo", "ines", "jonas"),
    *("keiko", "liam", "maria", "nadia", "omar", "paula", "quentin", "rosa", "samuel", "tomasz"),
]
_LAST = [
    *("abbott", "baptiste", "carvalho", "dubois", "eriksen", "fernandez", "garcia", "haddad"),
    *("ivanova", "jackson", "kowalski", "lindqvist", "moreau", "nakamura", "okafor", "petrov"),
    *("quinn", "rossi", "schneider", "tanaka", "ueda", "vasquez", "weber", "xu", "yilmaz"),
    *("zhang", "andersson", "bianchi", "castillo", "dimitrov", "evans", "fischer", "gupta"),
    *("hoffmann", "ito", "jensen", "kaya", "larsen", "martinez", "novak"),
]


NIGHT, DAY = RED, BLUE
AGENTS = [Thing("", f"{number:08x}-5c1e-4b7a-9d20-6f3e8a41b7c5", "") for number in range(800)]


@pytest.fixture
def contact_centre(world: World, emulation: ConnectEmulation) -> World:
    """Return a world with 800 agents in two groups, four of whom are not where they should be."""
    agents = AGENTS
    for agent, name in zip(agents, itertools.product(_FIRST, _LAST), strict=False):
        world.connect.add_user(agent.id)
        world.connect.rename(agent, ".".join(name) + "@example.com")
    for group, title in ((NIGHT, "Night shift"), (DAY, "Day shift")):
        emulation.world.groups[group.id].name = title
    night, day = agents[:420], agents[420:]
    world.deploy(declared(night, day), stack="ContactCentre")
    for group, agent in ((NIGHT, night[17]), (NIGHT, night[311]), (DAY, day[58])):
        world.connect.leave(group, agent)
    world.connect.join(NIGHT, DAN)
    world.connect.serve(CHAT, BOB)
    return world


def declared(night: Sequence[Thing], day: Sequence[Thing]) -> dict[str, Any]:
    """Return the template of the contact centre."""
    return stack_of(
        NightShiftAgents4C1D07AB=membership(NIGHT, *night, exclusive=True),
        DayShiftAgents90E3F5D2=membership(DAY, *day),
        CallbackForVip2B8E6C11=assignment(CHAT, ANN),
    )


@drawn_here
@pytest.mark.parametrize(
    ("command", "width"),
    [
        ("status ContactCentre", 80),
        ("status ContactCentre", 160),
        ("repair ContactCentre --dry-run --exclusive", 100),
    ],
)
@pytest.mark.usefixtures("contact_centre")
def test_the_pictures_are_current(
    command: str,
    width: int,
    run: Callable[..., tuple[int, str, str]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    console = picture(width)
    monkeypatch.setattr(screen, "output", lambda: console)
    assert run(*command.split())[0] == 1
    check_picture(console, command)


@drawn_here
def test_the_picture_of_a_plan_is_current(
    contact_centre: World,
    run: Callable[..., tuple[int, str, str]],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    nobody = Thing("", "0000dead-5c1e-4b7a-9d20-6f3e8a41b7c5", "")
    night, day = AGENTS[:420], AGENTS[420:]
    template = declared([*night[2:], *day[:3]], [*day[3:], nobody])
    template["Resources"]["Handler"] = {
        "Type": "AWS::Lambda::Function",
        "Properties": {"Environment": {"Variables": {"LEDGER_TABLE_NAME": TABLE}}},
    }
    path = tmp_path / "ContactCentre.template.json"
    path.write_text(json.dumps(template), encoding="utf-8")
    console = picture(100)
    monkeypatch.setattr(screen, "output", lambda: console)
    assert run("plan", "--template", str(path))[0] == 3
    assert nobody.id not in {user_id for _, user_id in contact_centre.connect.memberships()}
    check_picture(console, "plan")


def picture(width: int) -> Console:
    """Return a terminal to take a picture of."""
    return Console(
        record=True,
        width=width,
        file=io.StringIO(),
        force_terminal=True,
        color_system="truecolor",
        highlight=False,
        markup=False,
        emoji=False,
    )


def check_picture(console: Console, command: str) -> None:
    """Compare what a terminal shows with its picture in the guide, or draw that anew."""
    name = f"cli-{command.partition(' ')[0]}-{console.width}"
    drawn = console.export_svg(title=f"connect-associations {command}", unique_id=name)
    # Without the font that rich would fetch from elsewhere.
    drawn = re.sub(r"@font-face \{.*?\}\s*", "", drawn, flags=re.DOTALL)
    path = IMAGES / f"{name}.svg"
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
        code, out, _ = run(*command, "Test")
        assert code == 1
        lines = re.sub(r"\x1b\[[0-9;]*m", "", out).splitlines()
        assert sum(BOB.id in line for line in lines) == 1
        assert max(map(len, lines)) <= columns


def test_colours_are_left_out_where_they_are_not_wanted(
    world: World, run: Callable[..., tuple[int, str, str]], terminal: pytest.MonkeyPatch
) -> None:
    world.deploy(stack_of(Ann=single(RED, ANN)))
    world.connect.leave(RED, ANN)
    colour = re.compile(r"\x1b\[[0-9;]*3[0-7]")
    assert colour.search(run("status", "Test")[1])
    terminal.setenv("NO_COLOR", "1")
    code, out, _ = run("status", "Test")
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
    nobody = os.fdopen(writer, "w")
    monkeypatch.setattr("sys.stdout", nobody)
    code, _, err = run("status", "Test")
    with contextlib.suppress(BrokenPipeError):
        nobody.close()  # It may flush what nobody took.
    assert code == 1
    assert not err
