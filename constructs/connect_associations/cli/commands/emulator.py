"""``connect-associations emulator``: AWS and Amazon Connect on this machine."""

from __future__ import annotations

from typing import Annotated

import typer

from connect_associations.cli.errors import CommandError, Interrupted

_Port = Annotated[
    int | None,
    typer.Option("--port", min=1, max=65535, help="Where AWS listens. Default: any free port."),
]
_ConnectPort = Annotated[
    int | None,
    typer.Option(
        "--connect-port",
        min=1,
        max=65535,
        help="Where Amazon Connect listens. Default: any free port.",
    ),
]


def start_emulator(*, port: _Port = None, connect_port: _ConnectPort = None) -> None:
    """Start AWS and Amazon Connect on this machine, to deploy to with the CDK CLI.

    It runs until Ctrl-C. Needs the extra testing, Node and the CDK CLI; the first run downloads
    the AWS emulator.
    """
    try:
        # The other commands do without the extra.
        from connect_associations.testing.emulator import command, tools  # noqa: PLC0415 - see above
        from connect_associations.testing.emulator.environment import Emulator  # noqa: PLC0415 - see above
        from connect_associations.testing.emulator.errors import EmulatorError  # noqa: PLC0415 - see above
        from connect_associations.testing.throttle import ThrottleSettings  # noqa: PLC0415 - see above
    except ModuleNotFoundError as error:
        raise CommandError(
            f"the emulator needs {error.name}: pip install 'cdk-connect-associations[testing]'"
        ) from None
    try:
        command.serve(
            Emulator(
                tools=tools.installed,
                port=port,
                connect_port=connect_port,
                throttle=ThrottleSettings(),
            )
        )
    except EmulatorError as error:
        raise CommandError(str(error)) from None
    except KeyboardInterrupt:
        raise Interrupted("the emulator has stopped") from None
