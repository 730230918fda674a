"""The entry point: ``connect-associations`` and ``python -m connect_associations.cli``."""

from __future__ import annotations

import sys


def main() -> None:
    """Run the command line, or say what it needs."""
    try:
        from connect_associations.cli.commands import run  # noqa: PLC0415 - may be missing
    except ModuleNotFoundError as error:
        sys.stderr.write(
            f"connect-associations needs {error.name}: "
            "pip install 'cdk-connect-associations[cli]'\n"
        )
        sys.exit(2)
    sys.exit(run())


if __name__ == "__main__":
    main()
