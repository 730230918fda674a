"""`plan`: what a deployment would do, before it does."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from connect_associations.cli import options, screen, stacks
from connect_associations.cli.errors import CommandError
from connect_associations.cli.exits import DRIFT, REFUSED
from connect_associations.cli.ledgers import Ledgers
from connect_associations.cli.looking import reading
from connect_associations.cli.names import Names
from connect_associations.cli.planning import assembly, report
from connect_associations.cli.planning.declared import has_associations
from connect_associations.cli.planning.forecast import CALLS_A_SECOND
from connect_associations.cli.planning.forecaster import Forecaster
from connect_associations.cli.planning.reader import Reader

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from connect_associations.cli.planning.assembly import Synthesized
    from connect_associations.cli.planning.declared import PlannedStack
    from connect_associations.cli.planning.forecast import Forecast
    from connect_associations.cli.session import Session

_APP = Path("cdk.out")


def plan_deployment(  # noqa: PLR0913 - a command's options
    names: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="STACK",
            help="Names of stacks of the app, or the name of the template's stack. Default: all "
            "stacks, or the name of the file.",
        ),
    ] = None,
    *,
    app: Annotated[
        Path, typer.Option(help="The cloud assembly: the folder that cdk synth writes.")
    ] = _APP,
    template: Annotated[
        Path | None, typer.Option(help="A template as JSON, instead of an assembly.")
    ] = None,
    ledger: Annotated[
        str | None,
        typer.Option(
            "--ledger",
            help="The name or ARN of the table that holds the claims. Default: what the templates "
            "say.",
        ),
    ] = None,
    region: options.Region = None,
    profile: options.Profile = None,
    everything: Annotated[
        bool, typer.Option("--all", help="Also show users whom the deployment adopts.")
    ] = False,
    as_json: options.AsJson = False,
    as_markdown: Annotated[
        bool, typer.Option("--markdown", help="Print Markdown, for a pull request.")
    ] = False,
    rate: Annotated[
        float, typer.Option(min=0.1, help="Calls per second that Connect's quota allows.")
    ] = CALLS_A_SECOND,
) -> None:
    """Show what a deployment would do, and how long that would take.

    Lists the users who would join, leave, be adopted or be refused. Run cdk synth first. Nothing
    is changed. Exit code 0: nobody moves; 1: somebody moves, or may move; 2: the plan could not be
    made; 3: the deployment would fail.
    """
    session = options.session(ledger, region=region, profile=profile)
    people = Names(session, warn=screen.warn)
    with reading(session) as seen:
        reader = Reader(session, seen=seen, warn=screen.warn)
        planned = [
            stack
            for synthesized in _chosen(app, template, names or ())
            for stack in reader.read(synthesized)
        ]
        forecast = Forecaster(
            session,
            planned,
            _ledgers(session, planned, ledger, seen),
            people,
            seen=seen,
            warn=screen.warn,
        ).run()
    for stack in planned:
        if stack.deployed and stack.concerns_connect and not stack.deployed.steady:
            screen.warn(
                f"stack {stack.name} is {stack.deployed.status}: what it has may be about to change"
            )
    if not forecast.stacks:
        raise CommandError("no stack declares or has associations; check the names")
    if as_json:
        typer.echo(json.dumps(report.as_data(forecast, people, rate=rate), indent=2))
    elif as_markdown:
        typer.echo(report.as_markdown(forecast, people, rate=rate))
    else:
        console = screen.output()
        console.print(
            report.view(forecast, people, console, everything=everything, rate=rate),
        )
    raise typer.Exit(_exit_code(forecast))


def _exit_code(forecast: Forecast) -> int:
    if forecast.fails:
        return REFUSED
    return DRIFT if forecast.changes else 0


def _chosen(app: Path, template: Path | None, names: Sequence[str]) -> list[Synthesized]:
    """Return the stacks that are asked for.

    :raises CommandError: there are no such stacks.
    """
    if template:
        if len(names) > 1:
            raise CommandError("a template belongs to one stack: name one stack, or none")
        return [assembly.of_file(template, names[0] if names else None)]
    found = assembly.of_app(app)
    for name in names:
        if not any(name in stack.ids for stack in found):
            there = ", ".join(sorted(stack.name for stack in found)) or "none"
            raise CommandError(f"the app has no stack {name!r}; it has {there}")
    return [stack for stack in found if not names or not stack.ids.isdisjoint(names)]


def _ledgers(
    session: Session,
    planned: Sequence[PlannedStack],
    ledger: str | None,
    seen: Callable[[str], None],
) -> Ledgers:
    """Return the ledgers that the stacks use, or will; a new one holds nothing yet."""
    if ledger:
        return Ledgers(session, [session.table(ledger)])
    tables = {table for stack in planned for table in stack.tables}
    for stack in planned:
        if stack.deployed and has_associations(stack.deployed) and not tables:
            tables.update(stacks.ledgers(session, [stack.deployed], seen=seen))
    return Ledgers(session, sorted(tables))
