"""Notes what ``connect-associations verify`` observed, and writes the page of assumptions.

``python -m tools.assume REPORT…`` adds the observations of reports (JSON) to the list, says what
they contradict and writes ``docs/assumptions.md``. Without a report it only writes the page.
"""

# ruff: noqa: INP001 - a program that people run

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
# In a checkout the library needs no installation.
sys.path.insert(0, str(ROOT / "constructs"))

from connect_associations.testing import observed  # noqa: E402 - see above
from connect_associations.testing.assumptions import (  # noqa: E402 - see above
    ASSUMPTIONS,
    Assumption,
    Subject,
    contradictions,
)
from connect_associations.testing.observed import Observation  # noqa: E402 - see above

PAGE = ROOT / "docs" / "assumptions.md"
OBSERVED = ROOT / "constructs" / "connect_associations" / "testing" / observed.FILE

Observations = Mapping[str, Sequence[Observation]]

_INTRODUCTION = """\
<!-- Written by `make assume` from testing/assumptions.py and testing/observed.json. -->

# What is assumed

Much of Amazon Connect is undocumented. Where it is, the library is right whichever way the service
behaves, and its tests run against every way. This page lists what is open, what Amazon documents,
and what somebody has observed. The names are those of the switches of
[ConnectBehaviour](reference/testing.md), where the emulation can turn a thing either way.

You can settle what is open on an instance of your own in ten minutes, and share the report:
[Try out what is assumed](guides/verify.md).
"""


class ReportError(Exception):
    """A report cannot be read; the text says why."""


def merged(seen: Observations, report: str) -> dict[str, tuple[Observation, ...]]:
    """Return the observations with those of a report; the same one twice counts once.

    :param report: the JSON that ``verify`` wrote.
    :raises ReportError: it is no such report, or is about what is not on the list.
    """
    try:
        new = observed.read(json.dumps(json.loads(report)["observed"]))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ReportError(f"this is no JSON report of `verify`: {error!r}") from error
    names = {each.name for each in ASSUMPTIONS}
    unknown = sorted(new.keys() - names)
    if unknown:
        raise ReportError(
            f"{', '.join(unknown)}: no such assumption; the report is of another version"
        )
    result = {name: tuple(each) for name, each in seen.items()}
    for name, observations in new.items():
        before = result.get(name, ())
        after = before + tuple(each for each in observations if each not in before)
        result[name] = tuple(sorted(after, key=lambda each: each.date))
    return result


def page(seen: Observations) -> str:
    """Return the page of assumptions, as Markdown."""
    return "\n".join([_INTRODUCTION, *_overview(seen), *_sections(seen)])


def _overview(seen: Observations) -> Iterator[str]:
    yield "| assumption | expected | sureness | observed |"
    yield "|---|---|---|---|"
    for each in ASSUMPTIONS:
        latest = seen.get(each.name, ())[-1:]
        found = ", ".join(f"{_code(one.value)} in {one.region}" for one in latest) or "-"
        yield (
            f"| [{each.name}](#{each.name}) | {_code(each.expected)} | {each.sureness.value} "
            f"| {found} |"
        )


def _sections(seen: Observations) -> Iterator[str]:
    for subject in Subject:
        yield f"\n## {subject.value}"
        for each in ASSUMPTIONS:
            if each.subject is subject:
                yield from _section(each, seen.get(each.name, ()))


def _section(assumption: Assumption[Any], seen: Iterable[Observation]) -> Iterator[str]:
    yield f"\n### {assumption.name}\n\n{assumption.question}\n"
    yield f"- Documented: {assumption.documented} [Source]({assumption.source})"
    others = " or ".join(map(_code, assumption.choices[1:]))
    yield (
        f"- Expected: {_code(assumption.expected)} (sureness: {assumption.sureness.value})"
        f"{f'; it may also be {others}' if others else ''}."
    )
    if not assumption.binding:
        yield "- Accounts differ in it, or tests shorten it: the emulation need not do the same."
    observations = [
        f"{_code(each.value)} in {each.region} on {each.date}"
        f"{f' ({each.note})' if each.note else ''}"
        for each in seen
    ]
    yield f"- Observed: {'; '.join(observations) or 'nobody has reported it yet'}."


def _code(value: object) -> str:
    return f"`{value}`"


def main(reports: Sequence[str]) -> int:
    """Note what reports observed, and write the page.

    :param reports: the files.
    :returns: the exit code; 1 if an observation contradicts a default, 2 if a report is unreadable.
    """
    seen: Observations = observed.observations()
    try:
        for report in reports:
            seen = merged(seen, Path(report).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, ReportError) as error:
        sys.stderr.write(f"assume: {report}: {error}\n")
        return 2
    OBSERVED.write_text(observed.write(seen), encoding="utf-8")
    PAGE.write_text(page(seen), encoding="utf-8")
    found = list(contradictions(ASSUMPTIONS, seen))
    for each in found:
        sys.stderr.write(f"assume: {each}\n")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
