"""Options that several commands share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from connect_associations.cli.errors import CommandError
from connect_associations.cli.session import Session

if TYPE_CHECKING:
    from collections.abc import Sequence

StackNames = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="STACK",
        help="Names or IDs of stacks; their nested stacks are included.",
    ),
]
StackOption = Annotated[list[str] | None, typer.Option("--stack", hidden=True)]
LedgerName = Annotated[
    str | None,
    typer.Option(
        "--ledger",
        help="The name or ARN of the table that holds the claims. Without a stack: all stacks that "
        "share it. Default: the table that the stacks' functions name.",
    ),
]
Region = Annotated[
    str | None, typer.Option(help="The stacks' Region. Default: your configured one.")
]
Profile = Annotated[str | None, typer.Option(help="The profile of your AWS configuration.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def require(stacks: Sequence[str], ledger: str | None) -> None:
    """Make sure that the user has said what a command is about.

    :raises CommandError: neither stack nor ledger is named.
    """
    if not stacks and not ledger:
        raise CommandError("name a stack, or a ledger's table with --ledger")


def session(*names: str | None, region: str | None, profile: str | None) -> Session:
    """Return the session for what is named: an ARN among it names the Region."""
    arns = [name.split(":") for name in names if name and name.startswith("arn:")]
    known = [arn[3] for arn in arns if len(arn) > 3 and arn[3]]  # noqa: PLR2004 - the fourth part is the Region
    return Session(profile=profile, region=region or next(iter(known), None))
