"""``python -m embedded up`` and ``python -m embedded demo``."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

# In a checkout the library needs no installation.
sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "constructs"))

from connect_associations.testing.emulator.errors import EmulatorError


def main(arguments: list[str] | None = None) -> int:
    """Run a command, and return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m embedded", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    up = commands.add_parser("up", help="start AWS and Amazon Connect here, until Ctrl-C")
    up.add_argument("--port", type=int, help="where AWS listens (default: any free port)")
    up.add_argument(
        "--connect-port", type=int, help="where Amazon Connect listens (default: any free port)"
    )
    commands.add_parser("demo", help="deploy, change and destroy the example, and check each step")
    given = parser.parse_args(arguments)
    try:
        if given.command == "demo":
            from embedded import demo  # noqa: PLC0415 - only what a command needs is loaded

            return demo.run()
        _up(port=given.port, connect_port=given.connect_port)
    except EmulatorError as error:
        sys.stderr.write(f"emulator: {error}\n")
        return 1
    except KeyboardInterrupt:
        sys.stderr.write("\nemulator: stopped\n")
        return 130
    return 0


def _up(*, port: int | None, connect_port: int | None) -> None:
    from connect_associations.testing.emulator import command  # noqa: PLC0415 - see above
    from connect_associations.testing.throttle import ThrottleSettings  # noqa: PLC0415 - see above
    from embedded.environment import EmbeddedEnvironment  # noqa: PLC0415 - see above

    emulator = EmbeddedEnvironment(
        port=port, connect_port=connect_port, throttle=ThrottleSettings()
    )
    command.serve(emulator, more=emulator.example)


if __name__ == "__main__":
    raise SystemExit(main())
