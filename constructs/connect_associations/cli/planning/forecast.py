"""Who joins and leaves which group: declarations beside the claims and the members.

What a claim wants, keeps and removes is asked of the provider's own rules.
"""

from __future__ import annotations

import itertools
import time
from dataclasses import dataclass, field
from enum import Enum
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from connect_associations.cli import replication, stacks
from connect_associations.cli.planning.assembly import NESTED
from connect_provider.groups import claims as rules
from connect_provider.groups.declaration import GROUP_USER, GROUP_USERS
from connect_provider.ledger.claim import OPEN, GroupClaim, Phase

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from connect_associations.cli.ledgers import Ledgers
    from connect_associations.cli.names import Names
    from connect_associations.cli.planning.declared import Declaration, PlannedStack
    from connect_associations.cli.session import Session
    from connect_provider.connect.client import Group

CALLS_A_SECOND = 2.0
"""What Connect allows by default of each operation, for the whole account and Region."""
BURST = 5
_NEW_VERSION = "000000000000"
_TAKES_USERS = ("ACTIVE", "CREATION_IN_PROGRESS", "UPDATE_IN_PROGRESS")


class Change(Enum):
    """What becomes of a user in a group."""

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
    """What there is to say of a resource."""

    resource: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupForecast:
    """What becomes of one group.

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

    :ivar stacks: the names of the stacks.
    :ivar refused: what the provider would refuse.
    :ivar unknown: what is known only when it is deployed.
    :ivar may_change: some of that is new, or spelled in another way than before.
    """

    stacks: list[str]
    groups: list[GroupForecast] = field(default_factory=list)
    refused: list[Remark] = field(default_factory=list)
    unknown: list[Remark] = field(default_factory=list)
    may_change: bool = False

    def count(self, change: Change) -> int:
        """Return how many users a change happens to."""
        return sum(group.count(change) for group in self.groups)

    @property
    def changes(self) -> bool:
        """Whether a user joins, leaves or is adopted, or perhaps does."""
        return self.may_change or any(group.people for group in self.groups)

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


class Moves(NamedTuple):
    """Who moves in one group, each with the claim because of which."""

    joins: dict[str, GroupClaim]
    adopted: dict[str, GroupClaim]
    leaves: dict[str, GroupClaim]
    stays: int


def moves(
    members: frozenset[str],
    claims: Sequence[GroupClaim],
    *,
    planned: Sequence[GroupClaim],
    ending: Sequence[GroupClaim],
    listed: Callable[[str], frozenset[str]],
) -> Moves:
    """Return who moves, by the provider's rules.

    :param claims: all claims on the group, as they are.
    :param planned: the claims that the deployment makes.
    :param ending: which of *claims* it ends.
    :param listed: the physical IDs that a stack has when it is cleaned up.
    """
    after = [*(claim for claim in claims if claim not in ending), *planned]
    wanted_before, wanted = rules.wanted(claims), rules.wanted(after)
    named = {user_id: claim for claim in planned for user_id in claim.users}
    leaves: dict[str, GroupClaim] = {}
    live = [claim._replace(phase=Phase.LIVE) if claim in planned else claim for claim in after]
    for claim in ending:
        heirs = rules.heirs(claim, after, partial(listed, claim.owner.stack_id))
        stay = rules.kept(claim) | frozenset().union(*(heir.users for heir in heirs))
        leaves |= dict.fromkeys((claim.users & members) - stay, claim)
        if rules.removes_strangers(claim, live):
            leaves |= dict.fromkeys(members - wanted - wanted_before, claim)
    for claim in planned:
        noted = rules.noted(claim, members, [*claims, *planned], now=time.time())
        leaves |= dict.fromkeys(noted.expelled & members if noted else (), claim)
    present = named.keys() & members
    return Moves(
        joins={user_id: named[user_id] for user_id in named.keys() - members},
        adopted={user_id: named[user_id] for user_id in present - wanted_before},
        leaves=leaves,
        stays=len(members & wanted_before & wanted),
    )


class Forecaster:
    """Finds out what a deployment of stacks would do.

    :param planned: the stacks, and their nested stacks.
    :param ledgers: who claims what.
    :param seen: is told what is looked at, for a progress bar.
    :param warn: is told what is not known.
    """

    def __init__(  # noqa: PLR0913 - all that a forecast rests on
        self,
        session: Session,
        planned: Sequence[PlannedStack],
        ledgers: Ledgers,
        names: Names,
        *,
        seen: Callable[[str], None],
        warn: Callable[[str], None],
    ) -> None:
        self._session = session
        self._stacks = planned
        self._ledgers = ledgers
        self._names = names
        self._seen = seen
        self._warn = warn
        self._listed = {
            stack.deployed.id: frozenset(each.physical_id for each in stack.deployed.resources)
            for stack in planned
            if stack.deployed
        }
        self._gone: set[str] = set()
        self._claims: dict[Group, list[GroupClaim]] = {}
        self._findings: dict[tuple[str, str], Mapping[str, str]] = {}

    def run(self) -> Forecast:
        """Return the forecast.

        :raises CommandError: a table is no ledger.
        :raises CallError: AWS refuses to answer.
        """
        for stack in self._stacks:
            self._read_removed(stack)
        ids = self._listed.keys() | self._gone
        self._claims = self._ledgers.claims(seen=self._seen, of=ids).groups
        forecast = Forecast(stacks=[stack.name for stack in self._stacks if stack.concerns_connect])
        planned: list[GroupClaim] = []
        ending = list(self._removed())
        for stack in self._stacks:
            for declaration in stack.declarations:
                self._remark(stack, declaration, forecast)
                made, ended = self._version(stack, declaration)
                planned += made
                ending += ended
        groups = {claim.group for claim in (*planned, *ending)}
        for group in sorted(groups):
            forecast.groups += self._of_group(
                group,
                [claim for claim in planned if claim.group == group],
                [claim for claim in ending if claim.group == group],
                forecast,
            )
        return forecast

    # -- from declarations to claims -------------------------------------------------------------

    def _read_removed(self, stack: PlannedStack) -> None:
        """Read the nested stacks that the stack loses."""
        for resource in stack.resources:
            if resource.type == NESTED and not stack.has(resource.logical_id):
                for below in stacks.tree(self._session, resource.physical_id, seen=self._seen):
                    self._gone.add(below.id)
                    self._listed[below.id] = frozenset(each.physical_id for each in below.resources)

    def _removed(self) -> Iterator[GroupClaim]:
        """Return the claims of resources that the stacks lose."""
        by_id = {stack.stack_id: stack for stack in self._stacks}
        for claim in itertools.chain(*self._claims.values()):
            stack_id, logical_id = claim.owner
            if not self._is_current(claim):
                continue
            if stack_id in self._gone:
                yield claim
                continue
            stack = by_id.get(stack_id)
            if stack and not stack.has(logical_id):
                yield from self._lost(stack, claim)

    def _is_current(self, claim: GroupClaim) -> bool:
        """Whether a claim is that of the version that its stack has."""
        return claim.phase is Phase.LIVE and claim.physical_id in self._ids(claim.owner.stack_id)

    def _ids(self, stack_id: str) -> frozenset[str]:
        """Return the physical IDs that a stack has, without those that it loses."""
        return self._listed.get(stack_id, frozenset())

    def _version(
        self, stack: PlannedStack, declaration: Declaration
    ) -> tuple[list[GroupClaim], list[GroupClaim]]:
        """Return the claim that a declaration makes, if it does, and the one that it ends."""
        wanted = declaration.wanted
        if declaration.problem or wanted is None:
            return [], []
        current = next(
            (
                claim
                for claim in itertools.chain(*self._claims.values())
                if claim.owner == declaration.owner and self._is_current(claim)
            ),
            None,
        )
        if declaration.unknown and current:
            # Who is not known may be anybody who is declared now.
            wanted = wanted._replace(users=wanted.users | current.users)
        if current and rules.is_same(current, wanted):
            return [], []
        replaces = next(
            (
                resource.physical_id
                for resource in stack.resources
                if resource.logical_id == declaration.owner.logical_id
                and resource.type in (GROUP_USER, GROUP_USERS)
            ),
            "",
        )
        if replaces and not current and not stack.is_changed(declaration.owner.logical_id):
            return [], []  # The ledger has lost it, but CloudFormation has nothing to send.
        made = GroupClaim(
            owner=declaration.owner,
            version=_NEW_VERSION,
            **wanted._asdict(),
            began="",
            since=0.0,
            replaces=replaces,
        )
        return [made], list(self._lost(stack, current)) if current else []

    def _lost(self, stack: PlannedStack, claim: GroupClaim) -> Iterator[GroupClaim]:
        """Return the claim of a version that the stack loses, unless it is retained.

        CloudFormation lists neither, so that what was retained keeps nobody from being removed.
        """
        self._listed[stack.stack_id] -= {claim.physical_id}
        if not stack.keeps(claim.owner.logical_id):
            yield claim

    def _remark(self, stack: PlannedStack, declaration: Declaration, forecast: Forecast) -> None:
        name = f"{stack.name}/{declaration.owner.logical_id}"
        if declaration.problem:
            forecast.refused.append(Remark(name, declaration.problem))
        forecast.unknown += [Remark(name, what) for what in declaration.unknown]
        if declaration.unknown and stack.is_changed(declaration.owner.logical_id):
            forecast.may_change = True

    # -- from claims to users --------------------------------------------------------------------

    def _of_group(
        self,
        group: Group,
        planned: list[GroupClaim],
        ending: list[GroupClaim],
        forecast: Forecast,
    ) -> Iterator[GroupForecast]:
        self._seen(str(group))
        instance_id = (planned or ending)[0].instance_id
        self._names.load_group(group, seen=self._seen)
        problem = self._problem(group)
        if problem and planned:
            forecast.refused += [Remark(_resource(claim), problem) for claim in planned]
            return
        connect = self._session.connect(group.region)
        members = connect.list_group_users(group) or frozenset()
        claims = self._claims.get(group) or self._ledgers.of_group(group)
        found = moves(
            members,
            [claim for claim in claims if claim.phase in OPEN],
            planned=planned,
            ending=ending,
            listed=self._ids,
        )
        self._names.load(
            instance_id=instance_id,
            region=group.region,
            wanted=found.joins.keys() | found.adopted.keys() | found.leaves.keys(),
            seen=self._seen,
        )
        people = [
            *_people(Change.ADOPT, found.adopted),
            *_people(Change.LEAVE, found.leaves),
            *self._joining(found.joins),
        ]
        yield GroupForecast(
            group=group, instance_id=instance_id, people=tuple(people), stays=found.stays
        )

    def _problem(self, group: Group) -> str:
        """Return why a group takes no users; empty if it does."""
        found = self._session.connect(group.region).describe_group(group)
        if found is None:
            return (
                f"there is no {group}: check the ID, and that the Region is the group's home "
                "Region (give the group's ARN, or the prop region)"
            )
        if found.home_region != group.region:
            return (
                f"the home Region of {group} is {found.home_region}, and only there users can be "
                "associated: give the group's ARN, or the prop region"
            )
        if found.status not in _TAKES_USERS:
            return f"{group} is {found.status} and takes no users: repair or replace it"
        return ""

    def _joining(self, joins: Mapping[str, GroupClaim]) -> Iterator[Person]:
        for user_id, claim in joins.items():
            place = claim.instance_id, claim.group.region
            if place not in self._findings:
                self._findings[place] = replication.findings(
                    self._session, *place, seen=self._seen, warn=self._warn
                )
            if self._names.is_missing(user_id):
                note = f"instance {claim.instance_id} in {claim.group.region} has no such user"
            else:
                note = self._findings[place].get(user_id, "")
            yield Person(Change.REFUSED if note else Change.JOIN, user_id, _resource(claim), note)


def _people(change: Change, users: Mapping[str, GroupClaim]) -> Iterable[Person]:
    return (Person(change, user_id, _resource(claim)) for user_id, claim in users.items())


def _resource(claim: GroupClaim) -> str:
    return f"{stacks.name_of(claim.owner.stack_id)}/{claim.owner.logical_id}"
