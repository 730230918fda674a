"""The commands, their options and exit codes.

0: all is as declared. 1: something is not. 2: the command could not do its work.
"""

from __future__ import annotations

import contextlib
import enum
import json
from typing import TYPE_CHECKING, Annotated

import typer
from botocore.exceptions import BotoCoreError

from connect_associations._version import __version__
from connect_associations.cli import export as exporting
from connect_associations.cli import inventory, repair, screen, stacks
from connect_associations.cli.errors import CommandError, explain
from connect_associations.cli.ledgers import Ledgers
from connect_associations.cli.names import Names
from connect_associations.cli.session import Session
from connect_provider.errors import ProviderError, StillWaiting
from connect_provider.failures import CallError
from connect_provider.ledger.claim import Phase

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from connect_associations.cli.inventory import Inventory, Row

DRIFT = 1
FAILURE = 2
INTERRUPTED = 130  # what Typer ends with after Ctrl-C, as shells do

app = typer.Typer(
    name="connect-associations",
    help="Compare what a CDK stack declares in Amazon Connect with what Connect holds.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

StackName = Annotated[
    str | None,
    typer.Option("--stack", help="The stack's name or ID; its nested stacks go with it."),
]
LedgerName = Annotated[
    str | None,
    typer.Option(
        "--ledger",
        help="The name or ARN of the table that holds the claims. Without --stack: all stacks that "
        "share it. Default: what the stack's functions say.",
    ),
]
Region = Annotated[
    str | None, typer.Option(help="The stack's Region. Default: the configured one.")
]
Profile = Annotated[str | None, typer.Option(help="The profile of the AWS configuration.")]


class Format(enum.StrEnum):
    """What `export` prints."""

    PYTHON = "python"
    JSON = "json"


def run(arguments: list[str] | None = None) -> int:
    """Run the command line and return its exit code; errors are one line on standard error."""
    try:
        app(args=arguments)
    except (CallError, BotoCoreError) as error:
        return _fail(explain(error))
    except (CommandError, ProviderError, StillWaiting) as error:
        return _fail(error)
    except SystemExit as stop:
        if stop.code == INTERRUPTED:
            screen.warn("interrupted; what was done stays, run it again for the rest")
        return stop.code if isinstance(stop.code, int) else 0
    return 0


def _fail(error: Exception) -> int:
    screen.warn(str(error))
    return FAILURE


@app.callback(invoke_without_command=True)
def common(
    *,
    version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False,
) -> None:
    """Compare what a CDK stack declares in Amazon Connect with what Connect holds."""
    if version:
        typer.echo(__version__)
        raise typer.Exit


@app.command()
def status(
    *,
    stack: StackName = None,
    ledger: LedgerName = None,
    region: Region = None,
    profile: Profile = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Show every association of a stack, or of a ledger: in sync, missing, extra or unknown.

    Exit code 0: all is as declared; 1: something is missing, or an exclusive group has extra users.
    """
    session = _session(stack, ledger, region=region, profile=profile)
    found, names = _look(session, stack, ledger)
    for stack_id, state in found.unsteady.items():
        screen.warn(
            f"stack {stacks.name_of(stack_id)} is {state}: what it declares may be about to change"
        )
    if as_json:
        typer.echo(json.dumps(_as_data(found, names), indent=2))
    else:
        console = screen.output()
        console.print(screen.inventory_view(found, names, width=console.width))
    raise typer.Exit(DRIFT if found.drift else 0)


@app.command("repair")
def repair_stack(  # noqa: PLR0913 - a command's options
    *,
    stack: StackName = None,
    ledger: LedgerName = None,
    region: Region = None,
    profile: Profile = None,
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
            help="How many minutes to wait while nothing but waiting helps, "
            "for a new user's replication for example.",
        ),
    ] = 5,
) -> None:
    """Put missing members of groups back; contacts are left alone.

    Exit code 0: nothing was missing, or all is repaired; 1: there is something to do (dry run);
    2: not everybody could be brought back.
    """
    session = _session(stack, ledger, region=region, profile=profile)
    found, names = _look(session, stack, ledger)
    for stack_id, state in found.unsteady.items():
        raise CommandError(
            f"stack {stacks.name_of(stack_id)} is {state}, and its deployment may be making these "
            "changes: wait until it is over, or finish it"
        )
    changes = repair.plan(found, exclusive=exclusive)
    _say_what_is_left(found, exclusive=exclusive)
    if not changes:
        screen.warn("nothing to repair")
        return
    console = screen.output()
    console.print(screen.plan_view(changes, names, width=console.width))
    if dry_run:
        raise typer.Exit(DRIFT)
    if not yes:
        _confirm("Carry this out?")
    with screen.Activity("Repairing", total=sum(len(each.users) for each in changes)) as activity:
        outcomes = repair.Repair(
            session,
            found.ledgers,
            wait=60 * wait,
            reached=activity.reached,
            waits_for=activity.says,
        ).carry_out(changes)
    _say_what_became(outcomes, names)


@app.command("export")
def export_group(  # noqa: PLR0913 - a command's options
    *,
    traffic_distribution_group_id: Annotated[str, typer.Option(help="The group's ID or ARN.")],
    instance_id: Annotated[
        str | None,
        typer.Option(help="The instance's ID or ARN. Default: the one that the group names."),
    ] = None,
    stack: Annotated[
        str | None,
        typer.Option(help="Leave out whom the ledger of this stack knows to be declared."),
    ] = None,
    ledger: Annotated[
        str | None,
        typer.Option(
            help="Leave out whom this ledger knows to be declared: a table's name or ARN."
        ),
    ] = None,
    region: Region = None,
    profile: Profile = None,
    format_: Annotated[Format, typer.Option("--format", help="What to print.")] = Format.PYTHON,
) -> None:
    """Print code that declares the users who are in a group now."""
    session = Session(profile=profile, region=region)
    names = Names(session, warn=screen.warn)
    with _reading(session) as seen:
        known = None
        if ledger:
            known = Ledgers(session, [session.table(ledger)])
        elif stack:
            tree = stacks.tree(session, stack, seen=seen)
            known = Ledgers(session, stacks.ledgers(session, tree, seen=seen))
        membership = exporting.read(
            session,
            traffic_distribution_group_id,
            instance_id=instance_id,
            ledgers=known,
            warn=screen.warn,
        )
        names.load(
            instance_id=membership.instance_id,
            region=membership.arn.split(":")[3],
            wanted=membership.users,
            seen=seen,
        )
    write = exporting.as_python if format_ is Format.PYTHON else exporting.as_json
    typer.echo(write(membership, names).rstrip("\n"))


def _session(
    stack: str | None, ledger: str | None, *, region: str | None, profile: str | None
) -> Session:
    """Return the session for a stack or a ledger, whose ARN names its Region."""
    if not stack and not ledger:
        raise CommandError("name a stack with --stack, or a ledger's table with --ledger")
    arns = [name.split(":") for name in (stack, ledger) if name and name.startswith("arn:")]
    known = [arn[3] for arn in arns if len(arn) > 3 and arn[3]]  # noqa: PLR2004 - the fourth part is the Region
    return Session(profile=profile, region=region or next(iter(known), None))


@contextlib.contextmanager
def _reading(session: Session) -> Iterator[Callable[[str], None]]:
    """Show the calls that are made meanwhile; it gives what is told what they are about."""
    with screen.Activity("Reading") as activity:
        session.after_call = activity.called
        try:
            yield lambda what: activity.says(f"Reading {what}")
        finally:
            session.after_call = None


def _confirm(question: str) -> None:
    try:
        agreed = typer.confirm(question, err=True)
    except typer.Abort:
        agreed = False
    if not agreed:
        raise CommandError("nothing was changed; --yes answers the question")


def _look(session: Session, stack: str | None, ledger: str | None) -> tuple[Inventory, Names]:
    names = Names(session, warn=screen.warn)
    with _reading(session) as seen:
        tables = [session.table(ledger)] if ledger else []
        if stack:
            tree = stacks.tree(session, stack, seen=seen)
            tables = tables or stacks.ledgers(session, tree, seen=seen)
            found = inventory.of_stack(session, tree, Ledgers(session, tables), seen=seen)
        else:
            found = inventory.of_ledger(
                session, Ledgers(session, tables), seen=seen, warn=screen.warn
            )
        by_instance: dict[tuple[str, str], set[str]] = {}
        for row in found.rows:
            if not row.instance_id:
                continue
            place = row.instance_id, row.region or session.region
            by_instance.setdefault(place, set()).update({row.user_id, row.with_user_id} - {""})
        for (instance_id, region), wanted in by_instance.items():
            names.load(instance_id=instance_id, region=region, wanted=wanted, seen=seen)
    return found, names


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
                f"{outcome.change.group}: {outcome.failed[user_id]}"
            )
    failed = sum(len(outcome.failed) for outcome in outcomes)
    done = sum(len(outcome.done) for outcome in outcomes)
    if failed:
        raise CommandError(
            f"{failed:,} of {done + failed:,} memberships could not be repaired; the reasons are "
            "above"
        )
    screen.warn(f"repaired {done:,} memberships")


def _as_data(found: Inventory, names: Names) -> dict[str, object]:
    def one(row: Row) -> dict[str, object]:
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

    return {
        "stack_id": found.stack_id or None,
        "stack_status": found.statuses.get(found.stack_id),
        "ledgers": found.ledgers.names,
        "stacks": [
            {"stack_id": stack_id, "status": status or None}
            for stack_id, status in sorted(found.statuses.items())
        ],
        "drift": bool(found.drift),
        "associations": [one(row) for row in found.rows],
    }
