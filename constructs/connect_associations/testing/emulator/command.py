"""The emulator for a person: what to paste, which IDs there are, until Ctrl-C."""

from __future__ import annotations

import itertools
import shlex
import sys
import time
from typing import TYPE_CHECKING, NoReturn

from rich import box
from rich.console import Console
from rich.table import Table

from connect_associations.testing.emulator.background import HOST

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from connect_associations.testing.emulation import ConnectEmulation
    from connect_associations.testing.emulator.environment import Emulator

_SIGNAL_SECONDS = 1.0
"""How long a signal may go unnoticed."""

_LEADS_ELSEWHERE = (
    "AWS_PROFILE",
    "AWS_DEFAULT_PROFILE",
    "AWS_SESSION_TOKEN",
    "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS",
)


def serve(emulator: Emulator, *, more: Callable[[], Mapping[str, str]] = dict) -> NoReturn:
    """Start the emulator, say how to use it, and serve until a signal ends it.

    :param more: once it runs, gives further variables for the user's shell. Default: none.
    """
    sys.stderr.write("Starting AWS and Amazon Connect on this machine …\n")
    with emulator:
        script = emulator.folder / "environment.sh"
        script.write_text(_script(emulator, more()), encoding="utf-8")
        console = Console(highlight=False, soft_wrap=True)
        console.print("Amazon Connect holds:\n")
        console.print(_table(emulator.connect.emulation))
        console.print("\nIn another shell, in the folder of your CDK app:\n")
        console.print(f"    source {shlex.quote(str(script))}", markup=False)
        console.print("    cdk deploy\n\nCtrl-C stops everything and discards it.")
        sys.stdout.flush()
        # A signal that comes just before an endless wait would not end it.
        while True:
            time.sleep(_SIGNAL_SECONDS)


def _script(emulator: Emulator, more: Mapping[str, str]) -> str:
    """Return lines for a shell that keeps what it has: its own programs come first."""
    lines = [
        f"unset {' '.join(_LEADS_ELSEWHERE)}",
        f'export PATH="$PATH":{_joined(emulator.tools.folders)}',
        *(
            f'export {name}="${{{name}:+${name},}}"{HOST}'  # what is in it stays
            for name in ("NO_PROXY", "no_proxy")
        ),
        *(
            f"export {name}={shlex.quote(value)}"
            for name, value in {**emulator.aws, **more}.items()
        ),
    ]
    return "\n".join(lines) + "\n"


def _joined(folders: tuple[Path, ...]) -> str:
    return ":".join(shlex.quote(str(folder)) for folder in folders)


def _table(emulation: ConnectEmulation) -> Table:
    table = Table(box=box.SIMPLE_HEAD, show_edge=False)
    for heading in ("", "Name", "ID"):
        table.add_column(heading, no_wrap=True)
    for kind, rows in itertools.groupby(_rows(emulation), key=lambda row: row[0]):
        for _, name, thing in rows:
            table.add_row(kind, name, thing)
        table.add_section()
    return table


def _rows(emulation: ConnectEmulation) -> Iterator[tuple[str, str, str]]:
    world = emulation.world
    for instance in world.instances.values():
        yield "instance", " and ".join(instance.regions), instance.id
    for group in world.groups.values():
        yield "group", f"{group.name}, {group.region}", group.id
    for user in world.users.values():
        yield "user", user.username, user.id
    for queue in world.queues.values():
        yield "queue", queue.name, queue.id
    for flow in world.contact_flows.values():
        yield "flow", flow.name, flow.id
    for contact in world.contacts.values():
        yield "contact", contact.channel.value, contact.id
