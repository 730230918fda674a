"""What was observed, in a form that can be published: no account numbers, names or IDs in it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import botocore

from connect_associations._version import __version__
from connect_associations.testing import observed
from connect_associations.testing.assumptions import ASSUMPTIONS
from connect_associations.testing.observed import Observation

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping

    from connect_associations.cli.verify.experiment import Finding
    from connect_associations.testing.assumptions import Assumption

_NOT_TRIED = "no experiment tried it"


@dataclass(frozen=True, kw_only=True, slots=True)
class Report:
    """What a run observed.

    :ivar date: the day.
    :ivar region: the source Region of the instance.
    :ivar replica_region: the other Region; None: the instance is not replicated.
    :ivar observed: what was observed, by the names of the assumptions.
    :ivar unsettled: why the others were not, by name.
    """

    date: dt.date
    region: str
    replica_region: str | None
    observed: Mapping[str, Observation]
    unsettled: Mapping[str, str]

    @classmethod
    def of(
        cls,
        findings: Mapping[str, Finding],
        *,
        region: str,
        replica_region: str | None,
        date: dt.date,
    ) -> Report:
        """Return the report on findings."""
        seen = {
            name: Observation(value=each.value, date=date, region=region, note=each.note)
            for name, each in findings.items()
            if each.settled
        }
        unsettled = {
            each.name: findings[each.name].note if each.name in findings else _NOT_TRIED
            for each in ASSUMPTIONS
            if each.name not in seen
        }
        return cls(
            date=date,
            region=region,
            replica_region=replica_region,
            observed=seen,
            unsettled=unsettled,
        )

    def surprises(self) -> list[str]:
        """Return the names of what is otherwise than the emulation has it by default."""
        return [
            each.name
            for each in ASSUMPTIONS
            if each.name in self.observed
            and each.binding
            and self.observed[each.name].value != each.expected
        ]

    def as_json(self) -> str:
        """Return the report for ``make assume``."""
        seen = {name: (each,) for name, each in self.observed.items()}
        plain: dict[str, Any] = {
            "library": __version__,
            "botocore": botocore.__version__,
            "date": self.date.isoformat(),
            "region": self.region,
            "replica_region": self.replica_region,
            "observed": json.loads(observed.write(seen)),
            "unsettled": dict(self.unsettled),
        }
        return json.dumps(plain, indent=2) + "\n"

    def as_markdown(self) -> str:
        """Return the report for people."""
        other = f", replicated to {self.replica_region}" if self.replica_region else ""
        lines = [
            "# What Amazon Connect was seen to do",
            "",
            f"In {self.region}{other}, on {self.date}.",
            f"With cdk-connect-associations {__version__} and botocore {botocore.__version__}.",
            "",
            "| assumption | observed | verdict | how |",
            "|---|---|---|---|",
            *(
                f"| {each.name} | `{seen.value}` | {_verdict(each, seen)} | {seen.note or '-'} |"
                for each in ASSUMPTIONS
                if (seen := self.observed.get(each.name))
            ),
            "",
            "Not settled:",
            "",
            *(f"- {name}: {why}" for name, why in self.unsettled.items()),
        ]
        return "\n".join(lines) + "\n"


def _verdict(assumption: Assumption[Any], seen: Observation) -> str:
    if not assumption.binding:
        return "measured"
    if seen.value == assumption.expected:
        return "as expected"
    if seen.value in assumption.choices:
        return f"not as expected (`{assumption.expected}`); the library is right either way"
    return f"not as expected (`{assumption.expected}`), and new: please report it"
