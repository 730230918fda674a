"""`repair`: put back what is declared and missing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from connect_associations.cli import inventory, options, repair, screen, views
from connect_associations.cli.activity import Activity
from connect_associations.cli.errors import CommandError
from connect_associations.cli.exits import DRIFT
from connect_associations.cli.looking import look
from connect_provider.ledger.claim import Phase

if TYPE_CHECKING:
    from connect_associations.cli.inventory import Inventory
    from connect_associations.cli.names import Names


def repair_stacks(  # noqa: PLR0913 - a command's options
    stacks: options.StackNames = None,
    *,
    stack: options.StackOption = None,
    ledger: options.LedgerName = None,
    region: options.Region = None,
    profile: options.Profile = None,
    exclusive: Annotated[
        bool,
        typer.Option(help="Also remove undeclared users from groups declared as exclusive."),
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show the plan.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    wait: Annotated[
        float,
        typer.Option(
            min=0,
            help="How many minutes to wait for problems that may go away, "
            "for example a new user's replication.",
        ),
    ] = 5,
) -> None:
    """Put missing members back into groups. Contacts are left alone.

    Exit code 0: nothing was missing, or all is repaired; 1: there is something to do (dry run), or
    a stack was left alone because it is being deployed; 2: not everybody could be put back.
    """
    asked = [*(stacks or ()), *(stack or ())]
    options.require(asked, ledger)
    session = options.session(*asked, ledger, region=region, profile=profile)
    found, names = look(session, asked, ledger)
    _say_what_is_deployed(found)
    changes = repair.plan(found, exclusive=exclusive)
    _say_what_is_left(found, exclusive=exclusive)
    left_alone = typer.Exit(DRIFT if found.busy else 0)
    if not changes:
        screen.warn("nothing to repair")
        raise left_alone
    console = screen.output()
    console.print(views.plan_view(changes, names, console))
    if dry_run:
        raise typer.Exit(DRIFT)
    if not yes:
        _confirm("Carry this out?")
    with Activity("Repairing", total=sum(len(each.users) for each in changes)) as activity:
        outcomes = repair.Repair(
            session,
            found.ledgers,
            wait=60 * wait,
            reached=activity.reached,
            waits_for=activity.says,
        ).carry_out(changes)
    _say_what_became(outcomes, names)
    raise left_alone


def _confirm(question: str) -> None:
    try:
        agreed = typer.confirm(question, err=True)
    except typer.Abort:
        agreed = False
    if not agreed:
        raise CommandError("nothing was changed; --yes answers the question")


def _say_what_is_deployed(found: Inventory) -> None:
    """Say which stacks are left alone.

    :raises CommandError: there are no others.
    """
    for said in dict.fromkeys(found.busy.values()):
        advice = (
            f"{said}, and its deployment may be making these changes: wait until it is over, or "
            "finish it"
        )
        if found.busy.keys() >= {row.stack_id for row in found.rows if row.stack_id}:
            raise CommandError(advice)
        screen.warn(f"{advice}; what it declares is left alone")


def _say_what_is_left(found: Inventory, *, exclusive: bool) -> None:
    contacts = sum(row.kind == inventory.CONTACT for row in found.rows)
    if contacts:
        screen.warn(f"contacts are left alone: {contacts:,}")
    unknown = sum(
        row.kind == inventory.GROUP and row.state is inventory.State.UNKNOWN for row in found.rows
    )
    if unknown:
        screen.warn(f"what is unknown is left alone: {unknown:,} in the groups")
    pending = sum(
        row.state is inventory.State.MISSING and row.phase is Phase.PENDING for row in found.rows
    )
    if pending:
        screen.warn(f"what is PENDING is left to its deployment: {pending:,} in the groups")
    extra = sum(row.state is inventory.State.EXTRA for row in found.drift)
    if extra and not exclusive:
        screen.warn(
            f"{extra:,} undeclared users of exclusive groups stay; --exclusive removes them"
        )
    if exclusive and not found.exclusive:
        screen.warn("no group is declared as exclusive; nobody is removed")


def _say_what_became(outcomes: list[repair.Outcome], names: Names) -> None:
    """Name everybody who is not where they should be.

    :raises CommandError: there are such users.
    """
    for outcome in outcomes:
        for user_id in sorted(outcome.failed):
            screen.warn(
                f"{names.person(user_id)} could not be {outcome.change.action.done_as} "
                f"{names.place(outcome.change.group)}: {outcome.failed[user_id]}"
            )
    failed = sum(len(outcome.failed) for outcome in outcomes)
    done = sum(len(outcome.done) for outcome in outcomes)
    if failed:
        raise CommandError(
            f"{failed:,} of {done + failed:,} memberships could not be repaired; the reasons are "
            "above"
        )
    screen.warn(f"repaired {done:,} memberships")
