"""How far a command has got, and how long it still takes."""

from __future__ import annotations

import io
import re

import pytest
from rich.console import Console

from connect_associations.cli.activity import Activity, duration
from connect_associations.cli.errors import Interrupted


class Clock:
    """Time that passes when told to."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 1000.0
        monkeypatch.setattr("time.time", lambda: self.now)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


def terminal() -> Console:
    return Console(file=io.StringIO(), width=100, force_terminal=True, color_system=None)


def last_bar(console: Console, activity: Activity) -> str:
    activity._progress.refresh()  # noqa: SLF001 - it refreshes ten times a second, of real ones
    assert isinstance(console.file, io.StringIO)
    shown = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", console.file.getvalue())
    return shown.replace("\r", "\n").strip().splitlines()[-1]


def test_a_bar_says_what_is_left(clock: Clock) -> None:
    console = terminal()
    with Activity("Repairing", total=800, console=console) as activity:
        for count in range(0, 202, 2):
            activity.reached(count)
            clock.now += 1
        bar = last_bar(console, activity)
    assert "Repairing" in bar
    assert "200 of 800" in bar
    # 600 users at two a second.
    assert re.search(r"0?(4:5\d|5:0\d) left", bar), bar


def test_a_log_gets_a_line_a_minute(clock: Clock, capsys: pytest.CaptureFixture[str]) -> None:
    with Activity("Repairing", total=400) as activity:
        for count in range(0, 402, 2):
            activity.reached(count)
            clock.now += 1
    lines = capsys.readouterr().err.splitlines()
    assert [line.partition(",")[0] for line in lines] == [
        "connect-associations: Repairing: 120 of 400",
        "connect-associations: Repairing: 240 of 400",
        "connect-associations: Repairing: 360 of 400",
    ]
    assert re.search(r", about (2 min 1\d s|2 min 2\d s) left", lines[0]), lines[0]


def test_ctrl_c_says_how_far_it_got() -> None:
    def interrupted() -> None:
        with Activity("Repairing", total=2500) as activity:
            activity.reached(1200)
            raise KeyboardInterrupt

    with pytest.raises(Interrupted, match=r"after at least 1,200 of 2,500 users; what was done"):
        interrupted()


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.2, "0 s"), (59, "59 s"), (60, "1 min"), (398.4, "6 min 38 s"), (3725, "1 h 2 min")],
)
def test_a_time_as_people_say_it(seconds: float, text: str) -> None:
    assert duration(seconds) == text
