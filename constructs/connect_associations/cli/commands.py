"""The commands, their options and exit codes.

0: all is as declared. 1: something is not. 2: the command could not do its work.
"""

# Typer reads annotations when it runs, so that the types must be there.

from __future__ import annotations

import enum
import json
import sys
from typing import TYPE_CHECKING, Annotated

import typer

from connect_associations._version import __version__
from connect_associations.cli import export as exporting
from connect_associations.cli import inventory, repair, screen
from connect_associations.cli.errors import CommandError, explain
from connect_associations.cli.names import Names
from connect_associations.cli.session import Session
from connect_provider.calls import CallError

if TYPE_CHECKING:
    from connect_associations.cli.inventory import Inventory, Row

DRIFT = 1
FAILURE = 2

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
    except CallError as error:
        return _fail(str(explain(error)))
    except CommandError as error:
        return _fail(str(error))
    except SystemExit as stop:
        return stop.code if isinstance(stop.code, int) else 0
    return 0


def _fail(text: str) -> int:
    sys.stderr.write(f"connect-associations: {' '.join(text.split())}\n")
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
    session = Session(profile=profile, region=region)
    found, names = _look(session, stack)
    if as_json:
        typer.echo(json.dumps(_as_data(found, names), indent=2))
    else:
        console = screen.output()
        console.print(screen.inventory_table(found, names))
        console.print(screen.counts(found))
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
) -> None:
    """Put missing members of groups back; contacts are left alone.

    Exit code 0: nothing was missing, or all is repaired; 1: there is something to do (dry run).
    """
    session = Session(profile=profile, region=region)
    found, names = _look(session, stack)
    changes = repair.plan(found, exclusive=exclusive)
    messages = screen.messages()
    _say_what_is_left(found, exclusive=exclusive)
    if not changes:
        messages.print("nothing to repair")
        return
    screen.output().print(screen.plan_table(changes, names))
    if dry_run:
        raise typer.Exit(DRIFT)
    if not yes:
        _confirm("Carry this out?")
    total = sum(len(change.users) for change in changes)
    with screen.progress() as bar:
        task = bar.add_task("Repairing", total=total)
        failures = repair.carry_out(session, changes, done=lambda count: bar.advance(task, count))
    if failures:
        raise CommandError(f"not everything could be repaired: {'; '.join(failures)}")
    messages.print(f"repaired {total:,} memberships")


@app.command("export")
def export_group(
    *,
    traffic_distribution_group_id: Annotated[str, typer.Option(help="The group's ID or ARN.")],
    region: Region = None,
    profile: Profile = None,
    format_: Annotated[Format, typer.Option("--format", help="What to print.")] = Format.PYTHON,
) -> None:
    """Print code that declares the users who are in a group now."""
    session = Session(profile=profile, region=region)
    membership = exporting.read(session, traffic_distribution_group_id)
    names = Names(session, warn=_warn)
    with screen.progress() as bar:
        task = bar.add_task("Reading", total=None)
        names.load(
            instance_id=membership.instance_id,
            region=membership.arn.split(":")[3],
            wanted=membership.users,
            seen=lambda what: bar.update(task, description=f"Reading {what}"),
        )
    write = exporting.as_python if format_ is Format.PYTHON else exporting.as_json
    typer.echo(write(membership, names).rstrip("\n"))


def _confirm(question: str) -> None:
    try:
        agreed = typer.confirm(question, err=True)
    except typer.Abort:
        agreed = False
    if not agreed:
        raise CommandError("nothing was changed; --yes answers the question")


def _look(session: Session, name: str) -> tuple[Inventory, Names]:
    stack = session.stack(name)
    names = Names(session, warn=_warn)
    with screen.progress() as bar:
        task = bar.add_task("Reading", total=None)

        def seen(what: str) -> None:
            bar.update(task, description=f"Reading {what}")

        found = inventory.take(session, stack, seen=seen)
        by_instance: dict[tuple[str, str], set[str]] = {}
        for row in found.rows:
            if row.user_id:
                place = row.instance_id, row.region or session.region
                by_instance.setdefault(place, set()).add(row.user_id)
        for (instance_id, region), wanted in by_instance.items():
            names.load(instance_id=instance_id, region=region, wanted=wanted, seen=seen)
    return found, names


def _say_what_is_left(found: Inventory, *, exclusive: bool) -> None:
    contacts = sum(row.kind == inventory.CONTACT for row in found.drift)
    if contacts:
        _warn(f"{contacts:,} contacts are with somebody else; contacts are left alone")
    extra = sum(row.state is inventory.State.EXTRA for row in found.drift)
    if extra and not exclusive:
        _warn(f"{extra:,} undeclared users of exclusive groups stay; --exclusive removes them")
    if exclusive and not found.exclusive:
        _warn("no group of the stack is declared as exclusive; nobody is removed")


def _warn(text: str) -> None:
    sys.stderr.write(f"connect-associations: {text}\n")


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
            "state": row.state.value,
            "note": row.note or None,
        }

    return {
        "stack_id": found.stack_id,
        "drift": bool(found.drift),
        "associations": [one(row) for row in found.rows],
    }
