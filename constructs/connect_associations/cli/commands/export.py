"""`export`: code that declares who is in a group now."""

from __future__ import annotations

import enum
from typing import Annotated

import typer

from connect_associations.cli import export, options, screen, stacks
from connect_associations.cli.ledgers import Ledgers
from connect_associations.cli.looking import reading
from connect_associations.cli.names import Names


class Format(enum.StrEnum):
    """What `export` prints."""

    PYTHON = "python"
    JSON = "json"


def export_group(  # noqa: PLR0913 - a command's options
    *,
    traffic_distribution_group_id: Annotated[str, typer.Option(help="The group's ID or ARN.")],
    instance_id: Annotated[
        str | None,
        typer.Option(help="The instance's ID or ARN. Default: the one that the group names."),
    ] = None,
    stack: Annotated[
        str | None,
        typer.Option(help="Leave out users whom this stack already declares."),
    ] = None,
    ledger: Annotated[
        str | None,
        typer.Option(
            help="Leave out users whom this ledger shows as declared: the table's name or ARN."
        ),
    ] = None,
    region: options.Region = None,
    profile: options.Profile = None,
    format_: Annotated[Format, typer.Option("--format", help="What to print.")] = Format.PYTHON,
) -> None:
    """Print code that declares the users who are in a group now."""
    session = options.session(region=region, profile=profile)
    names = Names(session, warn=screen.warn)
    with reading(session) as seen:
        known = None
        if ledger:
            known = Ledgers(session, [session.table(ledger)])
        elif stack:
            tree = stacks.tree(session, stack, seen=seen)
            known = Ledgers(session, stacks.ledgers(session, tree, seen=seen))
        membership = export.read(
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
    write = export.as_python if format_ is Format.PYTHON else export.as_json
    typer.echo(write(membership, names).rstrip("\n"))
