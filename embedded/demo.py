"""The example on the embedded environment: deploy, change, destroy, and look at each step."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table

from connect_associations.testing import seed
from connect_associations.testing.entities import Channel
from connect_associations.testing.throttle import ThrottleSettings
from embedded.environment import EmbeddedEnvironment

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from connect_associations.testing.emulation import ConnectEmulation

Holding = dict[str, str]
"""What Connect holds, row by row, in words."""

_NAMES = {user_id: name.capitalize() for name, user_id in seed.USERS.items()}
_SHOWN = ("ann", "bob", "cyd")
_CONTACT = seed.CONTACTS[Channel.TASK][0]
_CONTACT_ROW = "contact"
_QUEUED = "in the queue"


def run() -> int:
    """Show the demo, and return 0 if Connect held what was declared at every step."""
    console = Console(highlight=False)
    steps: list[tuple[str, Holding, Holding]] = []

    def step(title: str, expected: Holding, act: Callable[[], object], doing: str) -> None:
        console.print(f"[bold]{doing}[/bold] …")
        with console.status(doing):
            act()
        steps.append((title, expected, _held(environment.connect.emulation)))

    console.print("[bold]Starting AWS and Amazon Connect on this machine[/bold] …")
    with EmbeddedEnvironment(throttle=ThrottleSettings()) as environment:
        # Nobody is there to accept the contact, and while it is an offer it can be offered anew.
        environment.connect.emulation.behave(accept_after_calls=None)
        assembly = environment.folder / "cdk.out"
        first = {"user_ids": _users("ann", "bob"), "contact_user_id": seed.USERS["ann"]}
        second = {"user_ids": _users("bob", "cyd"), "contact_user_id": seed.USERS["cyd"]}

        def deploy(context: Mapping[str, str]) -> None:
            shutil.rmtree(assembly, ignore_errors=True)
            run = environment.cdk.deploy(context=context, output=assembly)
            console.print(f"  cdk deploy took {run.seconds:.0f} s", style="dim")

        def destroy() -> None:
            run = environment.cdk.destroy(app=assembly)
            console.print(f"  cdk destroy took {run.seconds:.0f} s", style="dim")

        step("before", _expected((), _QUEUED), lambda: None, "Looking at Connect")
        step(
            "after the deploy",
            _expected(("ann", "bob"), "offered to Ann"),
            lambda: deploy(first),
            "Deploying: Ann and Bob in the group, the contact offered to Ann",
        )
        step(
            "after a change of user",
            _expected(("bob", "cyd"), "offered to Cyd"),
            lambda: deploy(second),
            "Deploying: Cyd instead of Ann",
        )
        step("after destroy", _expected((), _QUEUED), destroy, "Destroying the stack")

    console.print(_table(steps))
    differing = [title for title, expected, held in steps if expected != held]
    if differing:
        console.print(
            f"[bold red]Connect did not hold what was declared {' and '.join(differing)}.[/]"
        )
        return 1
    console.print("[bold green]At every step Connect held what was declared.[/]")
    return 0


def _users(*names: str) -> str:
    return ",".join(seed.USERS[name] for name in names)


def _expected(members: Iterable[str], contact: str) -> Holding:
    return {**_membership({seed.USERS[name] for name in members}), _CONTACT_ROW: contact}


def _membership(members: Iterable[str]) -> Holding:
    held = set(members)
    rows = {name.capitalize(): "member" if seed.USERS[name] in held else "-" for name in _SHOWN}
    strangers = sorted(_NAMES[user] for user in held - {seed.USERS[name] for name in _SHOWN})
    return {**rows, "other users": ", ".join(strangers) or "-"}


def _held(emulation: ConnectEmulation) -> Holding:
    """Put into words what the emulation holds."""
    contacts = emulation.state()["contacts"]
    contact = contacts[_CONTACT]
    # Connect may answer a transfer with a new contact that goes on in place of the old one.
    while contact["transferred_to"] and contact["transferred_to"] != _CONTACT:
        contact = contacts[contact["transferred_to"]]
    if contact["ended"]:
        where = "ended"
    elif contact["agent"]:
        where = f"with {_NAMES[contact['agent']]}"
    elif contact["offered_to"]:
        where = f"offered to {_NAMES[contact['offered_to']]}"
    else:
        where = _QUEUED if contact["queue"] == seed.QUEUE_ID else "in another queue"
    return {**_membership(emulation.members(seed.GROUP_ID)), _CONTACT_ROW: where}


def _table(steps: list[tuple[str, Holding, Holding]]) -> Table:
    table = Table(title="What Amazon Connect held")
    table.add_column("")
    for title, _, _ in steps:
        table.add_column(title)
    for row in steps[0][1]:
        cells = []
        for _, expected, held in steps:
            cell = held[row]
            if held[row] != expected[row]:
                cell = f"[bold red]{cell} (declared: {expected[row]})[/]"
            cells.append(cell)
        table.add_row(row, *cells)
    return table
