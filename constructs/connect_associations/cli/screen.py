"""What a person sees: data on standard output, everything else on standard error."""

from __future__ import annotations

import itertools
import sys
from typing import TYPE_CHECKING, Self

from rich import box
from rich.console import Console, Group
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Column, Table

from connect_associations.cli.inventory import CONTACT, State
from connect_associations.cli.repair import Action
from connect_associations.cli.stacks import name_of
from connect_provider.connect.client import Group as ConnectGroup

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import RenderableType

    from connect_associations.cli.inventory import Inventory, Row
    from connect_associations.cli.names import Names
    from connect_associations.cli.repair import Change

_STYLES = {
    State.IN_SYNC: "green",
    State.MISSING: "bold red",
    State.EXTRA: "yellow",
    State.UNKNOWN: "magenta",
}
_PIPED_WIDTH = 1000
"""No line is broken where no terminal says how wide it is, so that tools find whole rows."""

_ROOMY = 110
"""Columns from which a user's name and ID have room beside each other."""

_NARROW = 78
"""Columns below which all about an association stands in one column, a line for each thing."""

_ID_WIDTH = 36  # a UUID, which nobody can copy once it is broken


def output() -> Console:
    """Return the console for data; rich leaves out colours where they are not wanted."""
    console = Console(highlight=False, markup=False, emoji=False)
    if not console.is_terminal:
        console.width = _PIPED_WIDTH
    return console


def warn(text: str) -> None:
    """Say something that is not data: one line on standard error."""
    sys.stderr.write(f"connect-associations: {' '.join(text.split())}\n")


class Activity:
    """Shows on standard error what goes on, for as long as it does, if that is a terminal.

    :param what: what goes on at first.
    :param total: how many things there are to do. Default: not known
    """

    def __init__(self, what: str, *, total: int | None = None) -> None:
        console = Console(stderr=True, highlight=False, markup=False, emoji=False)
        shown = sys.stderr.isatty() and not console.is_dumb_terminal
        self._calls = 0
        self._total = total
        self._progress = Progress(
            SpinnerColumn(),
            TextColumn(
                "{task.description}",
                markup=False,
                table_column=Column(no_wrap=True, overflow="ellipsis", ratio=1),
            ),
            BarColumn(bar_width=20),
            TextColumn("{task.fields[count]}", markup=False),
            TimeElapsedColumn(),
            console=console,
            transient=True,
            expand=True,
            disable=not shown,
        )
        self._task = self._progress.add_task(what, total=total, count="")

    def __enter__(self) -> Self:
        """Show it."""
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Take it away."""
        self._progress.stop()

    def says(self, what: str) -> None:
        """Show what goes on now."""
        self._progress.update(self._task, description=what)

    def reached(self, count: int) -> None:
        """Show how much is done."""
        of = f"{count:,} of {self._total:,}"
        self._progress.update(self._task, completed=count, count=of)

    def called(self) -> None:
        """Show that another call was answered, where nobody knows how many there will be."""
        self._calls += 1
        self._progress.update(self._task, count=f"{self._calls:,} calls")


def inventory_view(inventory: Inventory, names: Names, *, width: int) -> RenderableType:
    """Return a table for each group and contact, with a row for each association.

    What differs comes last, where a terminal stops scrolling.

    :param width: the columns that there are.
    """
    shown: list[RenderableType] = [inventory.title, ""]
    several = len({row.stack_id for row in inventory.rows if row.stack_id}) > 1
    rows = sorted(inventory.rows, key=lambda row: _order(row, names))
    for place, some in itertools.groupby(rows, key=_place):
        narrow = width < _NARROW
        table = _table("State", "User") if narrow else _table("State", "User", "Resource", "Note")
        for row in some:
            note = f"{row.note}: {names.person(row.with_user_id)}" if row.with_user_id else row.note
            resource = row.logical_id or "-"
            if several and row.stack_id:
                resource = f"{name_of(row.stack_id)}/{resource}"
            cells = [_person(row.user_id, names, width), resource, note]
            if narrow:
                cells = ["\n".join(filter(None, cells))]
            table.add_row(row.state.value, *cells, style=_STYLES[row.state])
        shown += [place, table]
    return Group(*shown, _counts(inventory))


def plan_view(changes: Sequence[Change], names: Names, *, width: int) -> RenderableType:
    """Return a table for each group, with a row for each user who joins or leaves.

    :param width: the columns that there are.
    """
    shown: list[RenderableType] = []
    for change in changes:
        joins = change.action is Action.ASSOCIATE
        table = _table("Change", "User")
        for user_id in sorted(change.users, key=names.person):
            table.add_row(
                change.action.value,
                _person(user_id, names, width),
                style="green" if joins else "bold red",
            )
        shown += [_capitalized(change.group), table]
    return Group(*shown, totals(changes))


def totals(changes: Sequence[Change]) -> str:
    """Return how many users join and leave."""
    sums = {
        action: sum(len(change.users) for change in changes if change.action is action)
        for action in Action
    }
    return ", ".join(f"{total:,} to {each.value}" for each, total in sums.items() if total)


def _counts(inventory: Inventory) -> str:
    found = {state: sum(row.state is state for row in inventory.rows) for state in State}
    return ", ".join(f"{count:,} {state.value}" for state, count in found.items() if count)


def _order(row: Row, names: Names) -> tuple[bool, str, str, int, str, str, str]:
    state = (State.IN_SYNC, State.UNKNOWN, State.EXTRA, State.MISSING).index(row.state)
    place = row.target, row.region
    return (
        row.kind == CONTACT,
        *place,
        state,
        names.person(row.user_id),
        row.stack_id,
        row.logical_id,
    )


def _place(row: Row) -> str:
    if row.kind == CONTACT:
        return f"Contact {row.target}" if row.target else "Contacts that cannot be read"
    if not row.target:
        return "Groups that cannot be read"
    if not row.region:
        return f"Traffic distribution group {row.target}"
    return _capitalized(ConnectGroup(id=row.target, region=row.region))


def _capitalized(group: ConnectGroup) -> str:
    text = str(group)
    return text[0].upper() + text[1:]


def _table(*columns: str) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for column in columns:
        table.add_column(
            column,
            overflow="fold",
            no_wrap=column in ("State", "Change"),
            min_width=_ID_WIDTH if column == "User" else None,
        )
    return table


def _person(user_id: str, names: Names, width: int) -> str:
    name = names.of(user_id)
    if name and width < _ROOMY:
        return f"{name}\n{user_id}"
    return names.person(user_id) or "-"
