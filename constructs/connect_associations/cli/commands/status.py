"""`status`: what is declared, compared with what Connect holds."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Annotated

import typer

from connect_associations.cli import options, screen, views
from connect_associations.cli.errors import Interrupted, explain
from connect_associations.cli.exits import DRIFT
from connect_associations.cli.inventory import State
from connect_associations.cli.looking import look
from connect_provider.failures import CallError

if TYPE_CHECKING:
    from collections.abc import Callable

    from connect_associations.cli.inventory import Inventory, Row
    from connect_associations.cli.names import Names
    from connect_provider.connect.client import Group


def status_of_stacks(  # noqa: PLR0913 - a command's options
    stacks: options.StackNames = None,
    *,
    stack: options.StackOption = None,
    ledger: options.LedgerName = None,
    region: options.Region = None,
    profile: options.Profile = None,
    everything: Annotated[
        bool, typer.Option("--all", help="Show what is in sync as well, not only its number.")
    ] = False,
    watch: Annotated[
        bool, typer.Option("--watch", help="Look again and again, until Ctrl-C.")
    ] = False,
    every: Annotated[float, typer.Option(min=1, help="Seconds between two looks of --watch.")] = 30,
    as_json: options.AsJson = False,
) -> None:
    """Show what differs between stacks, or a ledger, and Connect.

    Exit code 0: all is as declared; 1: something is missing, or an exclusive group has extra users.
    """
    asked = [*(stacks or ()), *(stack or ())]
    options.require(asked, ledger)
    session = options.session(*asked, ledger, region=region, profile=profile)

    def show() -> bool:
        found, names = look(session, asked, ledger)
        console = screen.output()
        if watch:
            console.clear()
        for said in dict.fromkeys(found.busy.values()):
            screen.warn(f"{said}: what it declares may be about to change")
        if as_json:
            typer.echo(json.dumps(_as_data(found, names), indent=2))
        else:
            console.print(views.inventory_view(found, names, console, everything=everything))
        return bool(found.drift)

    drift = _watched(show, every=every) if watch else show()
    raise typer.Exit(DRIFT if drift else 0)


def _watched(show: Callable[[], bool], *, every: float) -> bool:
    """Refresh until Ctrl-C. The exit code is that of the last look."""
    seen = False
    try:
        while True:
            try:
                seen = show()
                screen.warn(f"as of {time.strftime('%H:%M:%S')}; Ctrl-C ends")
            except CallError as error:
                if not error.heals:
                    raise
                screen.warn(f"{explain(error)}; looking again")
            time.sleep(every)
    except (KeyboardInterrupt, Interrupted):
        return seen


def _as_data(found: Inventory, names: Names) -> dict[str, object]:
    def association(row: Row) -> dict[str, object]:
        return {
            "stack_id": row.stack_id or None,
            "logical_id": row.logical_id or None,
            "kind": row.kind,
            "phase": row.phase.value if row.phase else None,
            "instance_id": row.instance_id or None,
            "target_id": row.target or None,
            "region": row.region or None,
            "user_id": row.user_id or None,
            "username": names.of(row.user_id) or None,
            "with_user_id": row.with_user_id or None,
            "with_username": names.of(row.with_user_id) or None,
            "state": row.state.value,
            "note": row.note or None,
        }

    def summary(group: Group) -> dict[str, object]:
        rows = [row.state for row in found.rows if (row.target, row.region) == group]
        facts = names.of_group(group)
        return {
            "target_id": group.id,
            "region": group.region,
            "name": facts.name or None,
            "status": facts.status or None,
            "exclusive": group.id in found.exclusive,
            "counts": {state.value: rows.count(state) for state in State},
        }

    return {
        "ledgers": found.ledgers.names,
        "stacks": [
            {"stack_id": stack_id, "status": status or None}
            for stack_id, status in sorted(found.statuses.items())
        ],
        "drift": bool(found.drift),
        "groups": [summary(group) for group in found.groups],
        "associations": [association(row) for row in found.rows],
    }
