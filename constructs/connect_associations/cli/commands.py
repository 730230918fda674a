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
from connect_associations.cli import inventory, repair, screen
from connect_associations.cli.errors import CommandError, explain
from connect_associations.cli.names import Names
from connect_associations.cli.session import Session
from connect_provider.calls import CallError
from connect_provider.errors import ProviderError
from connect_provider.identifiers import Owner

if TYPE_CHECKING:
    from collections.abc import Iterator

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

StackName = Annotated[str, typer.Option("--stack", help="The stack's name or ID.")]
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
    except (CommandError, ProviderError) as error:
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
    stack: StackName,
    region: Region = None,
    profile: Profile = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Show every association of a stack: in sync, missing, extra or unknown.

    Exit code 0: all is as declared; 1: something is missing, or an exclusive group has extra users.
    """
    session = _session(stack, region=region, profile=profile)
    found, names = _look(session, stack)
    if not found.steady:
        screen.warn(f"the stack is {found.status}: what it declares may be about to change")
    if as_json:
        typer.echo(json.dumps(_as_data(found, names), indent=2))
    else:
        console = screen.output()
        console.print(screen.inventory_view(found, names, width=console.width))
    raise typer.Exit(DRIFT if found.drift else 0)


@app.command("repair")
def repair_stack(  # noqa: PLR0913 - a command's options
    *,
    stack: StackName,
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
    session = _session(stack, region=region, profile=profile)
    found, names = _look(session, stack)
    if not found.steady:
        raise CommandError(
            f"the stack is {found.status}, and its deployment may be making these changes: wait "
            "until it is over, or finish it"
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
            wait=60 * wait,
            reached=activity.reached,
            waits_for=activity.says,
        ).carry_out(changes)
    _say_what_became(outcomes, names)


@app.command("export")
def export_group(
    *,
    traffic_distribution_group_id: Annotated[str, typer.Option(help="The group's ID or ARN.")],
    instance_id: Annotated[
        str | None,
        typer.Option(help="The instance's ID or ARN. Default: the one that the group names."),
    ] = None,
    region: Region = None,
    profile: Profile = None,
    format_: Annotated[Format, typer.Option("--format", help="What to print.")] = Format.PYTHON,
) -> None:
    """Print code that declares the users who are in a group now."""
    session = Session(profile=profile, region=region)
    names = Names(session, warn=screen.warn)
    with _reading(session) as activity:
        membership = exporting.read(
            session, traffic_distribution_group_id, instance_id=instance_id, warn=screen.warn
        )
        names.load(
            instance_id=membership.instance_id,
            region=membership.arn.split(":")[3],
            wanted=membership.users,
            seen=lambda what: activity.says(f"Reading {what}"),
        )
    write = exporting.as_python if format_ is Format.PYTHON else exporting.as_json
    typer.echo(write(membership, names).rstrip("\n"))


def _session(stack: str, *, region: str | None, profile: str | None) -> Session:
    """Return the session for a stack, whose ID names its Region."""
    return Session(profile=profile, region=region or Owner.of_stack(stack).region or None)


@contextlib.contextmanager
def _reading(session: Session) -> Iterator[screen.Activity]:
    """Show the calls that are made meanwhile."""
    with screen.Activity("Reading") as activity:
        session.caller.after_call = activity.called
        try:
            yield activity
        finally:
            session.caller.after_call = None


def _confirm(question: str) -> None:
    try:
        agreed = typer.confirm(question, err=True)
    except typer.Abort:
        agreed = False
    if not agreed:
        raise CommandError("nothing was changed; --yes answers the question")


def _look(session: Session, name: str) -> tuple[Inventory, Names]:
    names = Names(session, warn=screen.warn)
    with _reading(session) as activity:

        def seen(what: str) -> None:
            activity.says(f"Reading {what}")

        found = inventory.take(session, session.stack(name), seen=seen)
        by_instance: dict[tuple[str, str], set[str]] = {}
        for row in found.rows:
            place = row.instance_id, row.region or session.region
            by_instance.setdefault(place, set()).update({row.user_id, row.with_user_id} - {""})
        for (instance_id, region), wanted in by_instance.items():
            names.load(instance_id=instance_id, region=region, wanted=wanted, seen=seen)
    return found, names


def _say_what_is_left(found: Inventory, *, exclusive: bool) -> None:
    contacts = sum(row.kind == inventory.CONTACT for row in found.rows)
    if contacts:
        screen.warn(f"contacts are left alone: {contacts:,} in this stack")
    unknown = sum(
        row.kind == inventory.GROUP and row.state is inventory.State.UNKNOWN for row in found.rows
    )
    if unknown:
        screen.warn(f"what is unknown is left alone: {unknown:,} in this stack's groups")
    extra = sum(row.state is inventory.State.EXTRA for row in found.drift)
    if extra and not exclusive:
        screen.warn(
            f"{extra:,} undeclared users of exclusive groups stay; --exclusive removes them"
        )
    if exclusive and not found.exclusive:
        screen.warn("no group of the stack is declared as exclusive; nobody is removed")


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
            "logical_id": row.logical_id or None,
            "kind": row.kind,
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
        "stack_id": found.stack_id,
        "stack_status": found.status,
        "drift": bool(found.drift),
        "associations": [one(row) for row in found.rows],
    }
