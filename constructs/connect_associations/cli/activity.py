"""Progress on standard error: what is going on, how far it is, and how long it takes."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Self

from rich.console import Console
from rich.progress import (
    BarColumn,
    Progress,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.table import Column

from connect_associations.cli import screen
from connect_associations.cli.errors import Interrupted

if TYPE_CHECKING:
    from types import TracebackType

_SAY_EVERY = 60.0
"""Seconds between two lines where no terminal shows a bar, in a log of CI for example."""


class Activity:
    """Shows what is going on while it lasts: a bar on a terminal, else one line per minute.

    :param what: what goes on at first.
    :param total: how many users there are to deal with. Default: unknown, so no remaining time is
        shown
    :param console: where to show it. Default: standard error
    :raises Interrupted: when it ends by Ctrl-C; says how far it got.
    """

    def __init__(
        self, what: str, *, total: int | None = None, console: Console | None = None
    ) -> None:
        console = console or Console(stderr=True, highlight=False, markup=False, emoji=False)
        self._is_shown = console.is_terminal and not console.is_dumb_terminal
        self._what = what
        self._calls = 0
        self._total = total
        self._said_at = time.time()
        left = (TimeRemainingColumn(compact=True), TextColumn("left"))
        self._progress = Progress(
            SpinnerColumn(),
            TextColumn(
                "{task.description}",
                markup=False,
                table_column=Column(no_wrap=True, overflow="ellipsis", ratio=1),
            ),
            BarColumn(bar_width=20),
            TextColumn("{task.fields[count]}", markup=False),
            *(left if total else (TimeElapsedColumn(),)),
            console=console,
            get_time=time.time,
            transient=True,
            expand=True,
        )
        self._task = self._progress.add_task(what, total=total, count="")

    def __enter__(self) -> Self:
        """Show it."""
        if self._is_shown:
            self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: object, trace: TracebackType | None
    ) -> None:
        """Take it away."""
        if self._is_shown:
            self._progress.stop()
        if kind is KeyboardInterrupt:
            raise Interrupted(self._so_far()) from None

    def says(self, what: str) -> None:
        """Show what goes on now."""
        self._what = what
        self._progress.update(self._task, description=what)

    def reached(self, count: int) -> None:
        """Show how much is done."""
        of = f"{count:,} of {self._total:,}"
        self._progress.update(self._task, completed=count, count=of)
        if not self._is_shown and time.time() - self._said_at >= _SAY_EVERY:
            self._said_at = time.time()
            left = self._progress.tasks[0].time_remaining
            about = f", about {duration(left)} left" if left is not None else ""
            screen.warn(f"{self._what}: {of}{about}")

    def called(self) -> None:
        """Show that another call was answered, where the total is unknown."""
        self._calls += 1
        self._progress.update(self._task, count=f"{self._calls:,} calls")

    def _so_far(self) -> str:
        if self._total is None:
            what = self._what[0].lower() + self._what[1:]
            return f"interrupted while {what}, after {self._calls:,} calls; nothing was changed"
        done = int(self._progress.tasks[0].completed)
        return (
            f"interrupted after at least {done:,} of {self._total:,} users; what was done stays; "
            "run it again for the rest"
        )


def duration(seconds: float) -> str:
    """Return a time as people say it, to the second below an hour."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    parts = ((hours, "h"), (minutes, "min"), (rest if not hours else 0, "s"))
    return " ".join(f"{count} {unit}" for count, unit in parts if count) or "0 s"
