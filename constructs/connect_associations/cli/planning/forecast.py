"""What a deployment would do: values."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from connect_associations.cli.planning.contacts import ContactForecast
    from connect_provider.connect.client import Group

CALLS_A_SECOND = 2.0
"""What Connect allows by default for each operation, in the whole account and Region."""
BURST = 5
"""Calls that it accepts at once before that."""


class Change(Enum):
    """What happens to a user in a group."""

    ADOPT = "adopt"
    JOIN = "join"
    LEAVE = "leave"
    REFUSED = "refused"


class Person(NamedTuple):
    """A user whom a deployment is about.

    :ivar resource: because of which resource, as ``STACK/LOGICAL_ID``.
    """

    change: Change
    user_id: str
    resource: str
    note: str = ""


class Remark(NamedTuple):
    """A remark about a resource."""

    resource: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupForecast:
    """What happens to one group.

    :ivar stays: how many members of before stay because they are declared before and after.
    """

    group: Group
    instance_id: str
    people: tuple[Person, ...]
    stays: int

    def count(self, change: Change) -> int:
        """Return how many users a change happens to."""
        return sum(person.change is change for person in self.people)


@dataclass(slots=True, kw_only=True)
class Forecast:
    """What a deployment would do.

    :ivar roots: the names of the stacks that were asked for.
    :ivar stacks: the names of them and of their nested stacks, as far as they have associations.
    :ivar refused: what the provider would refuse.
    :ivar unknown: what is known only when it is deployed.
    :ivar may_change: some of that is new, or spelled in another way than before.
    """

    roots: list[str]
    stacks: list[str]
    groups: list[GroupForecast] = field(default_factory=list)
    contacts: list[ContactForecast] = field(default_factory=list)
    refused: list[Remark] = field(default_factory=list)
    unknown: list[Remark] = field(default_factory=list)
    may_change: bool = False

    def count(self, change: Change) -> int:
        """Return how many users a change happens to."""
        return sum(group.count(change) for group in self.groups)

    @property
    def changes(self) -> bool:
        """Whether a user joins, leaves or is adopted, a contact changes hands, or perhaps does."""
        moves = any(group.people for group in self.groups)
        return moves or bool(self.contacts) or self.may_change

    @property
    def fails(self) -> bool:
        """Whether the deployment would fail."""
        return bool(self.refused) or bool(self.count(Change.REFUSED))

    def seconds(self, calls_a_second: float = CALLS_A_SECOND) -> float:
        """Return how long the writes take at the quota: who joins first, then who leaves.

        Each operation has its quota in each Region; Regions do not wait for one another.
        """

        def longest(change: Change) -> float:
            calls: dict[str, int] = {}
            for each in self.groups:
                calls[each.group.region] = calls.get(each.group.region, 0) + each.count(change)
            return max(
                (max(0, count - BURST) / calls_a_second for count in calls.values()), default=0
            )

        return longest(Change.JOIN) + longest(Change.LEAVE)
