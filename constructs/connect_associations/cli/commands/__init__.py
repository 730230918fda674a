"""The commands: one module each, registered here with one line each.

Exit codes: :mod:`connect_associations.cli.exits`.
"""

from __future__ import annotations

from typing import Annotated

import typer
from botocore.exceptions import BotoCoreError

from connect_associations._version import __version__
from connect_associations.cli import screen
from connect_associations.cli.commands import emulator, export, plan, repair, status
from connect_associations.cli.errors import CommandError, Interrupted, explain
from connect_associations.cli.exits import FAILURE, INTERRUPTED
from connect_associations.cli.verify import command as verify
from connect_provider.errors import ProviderError, StillWaiting
from connect_provider.failures import CallError

_NAME = "connect-associations"

app = typer.Typer(
    name=_NAME,
    help="Compare what a CDK stack declares in Amazon Connect with what Connect holds.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
app.command("status")(status.status_of_stacks)
app.command("repair")(repair.repair_stacks)
app.command("plan")(plan.plan_deployment)
app.command("export")(export.export_group)
app.command("emulator")(emulator.start_emulator)
app.command("verify")(verify.verify)


def run(arguments: list[str] | None = None) -> int:
    """Run the command line and return its exit code; errors are one line on standard error."""
    try:
        app(args=arguments, prog_name=_NAME)
    except (CallError, BotoCoreError) as error:
        return _fail(explain(error))
    except (CommandError, ProviderError, StillWaiting) as error:
        return _fail(error)
    except Interrupted as stop:
        screen.warn(str(stop))
        return INTERRUPTED
    except SystemExit as stop:
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
