"""What `status` and `repair` print."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

from rich.console import Group as Lines
from rich.text import Text

from connect_associations.cli.inventory import CONTACT, State
from connect_associations.cli.repair import Action
from connect_associations.cli.stacks import name_of
from connect_associations.cli.tables import Line, table
from connect_provider.connect.client import Group

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from rich.console import Console, RenderableType

    from connect_associations.cli.inventory import Inventory, Row
    from connect_associations.cli.names import Names
    from connect_associations.cli.repair import Change

_STYLES = {
    State.IN_SYNC: "green",
    State.MISSING: "bold red",
    State.EXTRA: "yellow",
    State.UNKNOWN: "magenta",
}


def inventory_view(
    inventory: Inventory, names: Names, console: Console, *, everything: bool
) -> RenderableType:
    """Return one line of counts for each group, and a table of what differs there.

    What differs comes last in a table, where a terminal stops scrolling.

    :param everything: the tables show the rest as well.
    """
    shown: list[RenderableType] = [Text(inventory.title, "bold")]
    several = len({row.stack_id for row in inventory.rows if row.stack_id}) > 1
    differing = set(inventory.differences)
    for place, some in itertools.groupby(sorted(inventory.rows, key=_place), key=_place):
        rows = list(some)
        remarks = _remarks(rows[0], inventory, names)
        shown += ["", _heading(rows[0], names), f"  {counts(rows)}{remarks}"]
        lines = [
            _line(row, names, several=several)
            for row in sorted(rows, key=lambda row: _order(row, names))
            if everything or row in differing
        ]
        if lines:
            parts = ("Contact", "Resource") if place[0] else ("Resource",)
            shown.append(table(lines, names, console, mark="State", parts=parts))
    hidden = len(inventory.rows) - len(differing)
    hint = "" if everything or not hidden else f"; --all shows {hidden:,} more"
    return Lines(*shown, "", f"{counts(inventory.rows)}{hint}")


def plan_view(changes: Sequence[Change], names: Names, console: Console) -> RenderableType:
    """Return a table for each group, with a row for each user who joins or leaves."""
    shown: list[RenderableType] = []
    for change in changes:
        style = "green" if change.action is Action.ASSOCIATE else "bold red"
        lines = [
            Line(change.action.value, style, user_id)
            for user_id in sorted(change.users, key=names.person)
        ]
        shown += [
            Text(_group(change.group, names), "bold"),
            table(lines, names, console, mark="Change"),
            "",
        ]
    sums = {
        action: sum(len(change.users) for change in changes if change.action is action)
        for action in Action
    }
    return Lines(
        *shown,
        ", ".join(f"{total:,} to {each.value}" for each, total in sums.items() if total),
    )


def counts(rows: Iterable[Row]) -> str:
    """Return how many associations are in each state."""
    found = [row.state for row in rows]
    return ", ".join(f"{found.count(state):,} {state.value}" for state in State if state in found)


def _line(row: Row, names: Names, *, several: bool) -> Line:
    resource = row.logical_id or "-"
    if several and row.stack_id:
        resource = f"{name_of(row.stack_id)}/{resource}"
    return Line(
        mark=row.state.value,
        style=_STYLES[row.state],
        user_id=row.user_id,
        parts=(row.target or "-", resource) if row.kind == CONTACT else (resource,),
        note=f"{row.note}: {names.person(row.with_user_id)}" if row.with_user_id else row.note,
    )


def _place(row: Row) -> tuple[bool, str, str]:
    """Return what stands under one heading: a group, or all contacts."""
    is_contact = row.kind == CONTACT
    return is_contact, "" if is_contact else row.target, row.region


def _order(row: Row, names: Names) -> tuple[int, str, str, str, str]:
    state = (State.IN_SYNC, State.UNKNOWN, State.EXTRA, State.MISSING).index(row.state)
    return state, names.person(row.user_id), row.target, row.stack_id, row.logical_id


def _heading(row: Row, names: Names) -> Text:
    if row.kind == CONTACT:
        text = "Contacts"
    elif not row.target:
        text = "Groups that cannot be read"
    elif not row.region:
        text = f"Traffic distribution group {row.target}"
    else:
        text = _group(Group(id=row.target, region=row.region), names)
    return Text(text, "bold")


def _remarks(row: Row, inventory: Inventory, names: Names) -> str:
    status = names.of_group(Group(id=row.target, region=row.region)).status
    remarks = [
        "exclusive" if row.target in inventory.exclusive else "",
        status if status != "ACTIVE" else "",
    ]
    return "".join(f"; {remark}" for remark in remarks if remark)


def _group(group: Group, names: Names) -> str:
    text = names.place(group)
    return text if names.of_group(group).name else text[0].upper() + text[1:]
