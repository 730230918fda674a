"""``python -m benchmarks``: measure, show a table, and write ``docs/benchmarks.md``."""

from __future__ import annotations

import argparse
import importlib
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console

ROOT = Path(__file__).resolve().parent.parent
# In a checkout the library, the handlers and the simulator need no installation.
sys.path[:0] = [str(ROOT / folder) for folder in ("constructs", "lambda", "tests/support")]

if TYPE_CHECKING:
    from benchmarks.deployments import Case
    from benchmarks.figures import Section

_PARTS = (
    "template",
    "synthesis",
    "footprint",
    "code-size",
    "walk",
    "own-code",
    "simulated",
    "audit",
    "deployments",
)
_PAGE = ROOT / "docs" / "benchmarks.md"
_PLOT = "images/benchmarks.svg"


def main(arguments: list[str] | None = None) -> int:
    """Measure, and return the exit status: 0 even if a target is missed."""
    from benchmarks import report  # noqa: PLC0415 - needs the paths above
    from benchmarks.node_packages import InstallationError  # noqa: PLC0415 - as above
    from connect_associations.testing.emulator.errors import (  # noqa: PLC0415 - as above
        EmulatorError,
    )

    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument(
        "--only",
        default=",".join(_PARTS),
        help=f"parts to measure, of {','.join(_PARTS)}; nothing is written then (default: all)",
    )
    wanted = parser.parse_args(arguments).only.split(",")
    if unknown := set(wanted) - set(_PARTS):
        parser.error(f"there is no {', '.join(sorted(unknown))}; choose from {', '.join(_PARTS)}")
    started = time.monotonic()
    try:
        sections, cases = _measured(wanted)
    except (EmulatorError, InstallationError) as error:
        sys.stderr.write(f"benchmarks: {error}\n")
        return 1
    except KeyboardInterrupt:
        sys.stderr.write("\nbenchmarks: stopped\n")
        return 130
    Console(width=None if sys.stdout.isatty() else 120).print(report.table(sections))
    sys.stderr.write(f"That took {time.monotonic() - started:,.0f} s.\n")
    if set(wanted) == set(_PARTS):
        _write(sections, cases)
    return 0


def _measured(wanted: list[str]) -> tuple[list[Section], dict[tuple[str, int], Case]]:
    sections: list[Section] = []
    cases: dict[tuple[str, int], Case] = {}
    for part in _PARTS:
        if part not in wanted:
            continue
        sys.stderr.write(f"Measuring {part} …\n")
        # Only what a part needs is loaded.
        measuring = importlib.import_module(f"benchmarks.{part.replace('-', '_')}")
        if part == "deployments":
            cases = measuring.run()
            sections += measuring.measure(cases)
        else:
            sections += measuring.measure()
    return sections, cases


def _write(sections: list[Section], cases: dict[tuple[str, int], Case]) -> None:
    from benchmarks import deployments, machine, plot, report  # noqa: PLC0415 - as above

    plot.draw(_PAGE.parent / _PLOT, deployments.plotted(cases))
    _PAGE.write_text(
        report.page(sections, machine=machine.describe(), plot=_PLOT), encoding="utf-8"
    )
    sys.stderr.write(f"Written: {_PAGE.relative_to(ROOT)}\n")


if __name__ == "__main__":
    raise SystemExit(main())
