"""What a person sees: data on standard output, everything else on standard error."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.table import Table

from connect_associations.cli.inventory import State
from connect_provider.plan import Action

if TYPE_CHECKING:
    from connect_associations.cli.inventory import Inventory, Row
    from connect_associations.cli.names import Names
    from connect_associations.cli.repair import Change

_STYLES = {
    State.IN_SYNC: "green",
    State.MISSING: "bold red",
    State.EXTRA: "yellow",
    State.UNKNOWN: "magenta",
}
_PIPED_WIDTH = 200
"""Wide enough for whole IDs where no terminal says how wide it is."""


def output() -> Console:
    """Return the console for data; rich leaves out colours where they are not wanted."""
    console = Console(highlight=False, soft_wrap=False)
    if not console.is_terminal:
        console.width = _PIPED_WIDTH
    return console


def messages() -> Console:
    """Return the console for messages."""
    return Console(stderr=True, highlight=False)


def progress() -> Progress:
    """Return a progress bar on standard error; nothing is shown where that is no terminal."""
    console = messages()
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    )


def inventory_table(inventory: Inventory, names: Names) -> Table:
    """Return a row for each association."""
    table = Table(title=f"Stack {inventory.stack_id.split('/')[1]}", title_justify="left")
    for column in ("Resource", "Group or contact", "User", "State", "Note"):
        table.add_column(column, overflow="fold")
    for row in inventory.rows:
        table.add_row(
            row.logical_id or "-",
            _target(row),
            _person(row.user_id, names),
            row.state.value,
            row.note,
            style=_STYLES[row.state],
        )
    return table


def counts(inventory: Inventory) -> str:
    """Return how many associations there are in each state."""
    found = {state: sum(row.state is state for row in inventory.rows) for state in State}
    return ", ".join(f"{count:,} {state.value}" for state, count in found.items() if count)


def plan_table(changes: list[Change], names: Names) -> Table:
    """Return a row for each user who joins or leaves."""
    table = Table(title="Plan", title_justify="left")
    for column in ("Change", "Group", "User"):
        table.add_column(column, overflow="fold")
    for change in changes:
        joins = change.action is Action.ASSOCIATE
        for user_id in change.users:
            table.add_row(
                "associate" if joins else "disassociate",
                f"{change.group.id} ({change.group.region})",
                _person(user_id, names),
                style="green" if joins else "bold red",
            )
    return table


def _target(row: Row) -> str:
    return f"{row.target} ({row.region})" if row.region else row.target or "-"


def _person(user_id: str, names: Names) -> str:
    name = names.of(user_id)
    return f"{name} ({user_id})" if name else user_id or "-"
