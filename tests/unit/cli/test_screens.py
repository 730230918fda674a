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
