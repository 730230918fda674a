"""``python -m embedded up`` and ``python -m embedded demo``."""

from __future__ import annotations

import argparse
import shlex
import sys
import time
from pathlib import Path
from typing import NoReturn

from embedded.errors import EmbeddedError

# In a checkout the library needs no installation.
sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "constructs"))

_SIGNAL_SECONDS = 1.0
"""How long a signal may go unnoticed."""


def main(arguments: list[str] | None = None) -> int:
    """Run a command, and return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m embedded", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    up = commands.add_parser("up", help="start AWS and Amazon Connect here, until Ctrl-C")
    up.add_argument("--aws-port", type=int, help="where AWS listens (default: any free port)")
    up.add_argument(
        "--connect-port", type=int, help="where Amazon Connect listens (default: any free port)"
    )
    commands.add_parser("demo", help="deploy, change and destroy the example, and check each step")
    given = parser.parse_args(arguments)
    try:
        if given.command == "demo":
            from embedded import demo  # noqa: PLC0415 - only what a command needs is loaded

            return demo.run()
        _up(aws_port=given.aws_port, connect_port=given.connect_port)
    except EmbeddedError as error:
        sys.stderr.write(f"embedded: {error}\n")
        return 1
    except KeyboardInterrupt:
        sys.stderr.write("\nembedded: stopped\n")
        return 130


def _up(*, aws_port: int | None, connect_port: int | None) -> NoReturn:
    from connect_associations.testing.throttle import ThrottleSettings  # noqa: PLC0415 - see above
    from embedded.environment import EmbeddedEnvironment  # noqa: PLC0415 - see above

    sys.stderr.write("Starting AWS and Amazon Connect on this machine …\n")
    with EmbeddedEnvironment(
        aws_port=aws_port, connect_port=connect_port, throttle=ThrottleSettings()
    ) as environment:
        for name, value in environment.exports().items():
            sys.stdout.write(f"export {name}={shlex.quote(value)}\n")
        sys.stdout.flush()
        sys.stderr.write(
            "\nPaste these lines into another shell; there `cdk deploy` works in this folder.\n"
            "Ctrl-C stops everything.\n"
        )
        # A signal that comes just before an endless wait would not end it.
        while True:
            time.sleep(_SIGNAL_SECONDS)


if __name__ == "__main__":
    raise SystemExit(main())
