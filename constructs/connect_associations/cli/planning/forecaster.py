"""Finds out what a deployment would do: compares declarations, claims and members."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

from connect_associations.cli import replication, stacks
from connect_associations.cli.planning import contacts
from connect_associations.cli.planning.declared import ASSOCIATIONS
from connect_associations.cli.planning.forecast import (
    Change,
    Forecast,
    GroupForecast,
    Person,
    Remark,
)
from connect_associations.cli.planning.moves import moves
from connect_provider.errors import ProviderError
from connect_provider.groups import claims as rules
from connect_provider.groups.declaration import GROUP_USER, GROUP_USERS
from connect_provider.ledger.claim import OPEN, ContactClaim, GroupClaim, Phase

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from connect_associations.cli.ledgers import Ledgers
    from connect_associations.cli.names import Names
    from connect_associations.cli.planning.contacts import ContactForecast
    from connect_associations.cli.planning.declared import Declaration, PlannedStack
    from connect_associations.cli.session import Session
    from connect_provider.connect.client import Group

_NEW_VERSION = "000000000000"
_TAKES_USERS = ("ACTIVE", "CREATION_IN_PROGRESS", "UPDATE_IN_PROGRESS")


class Forecaster:
    """Finds out what a deployment of stacks would do.

    :param planned: the stacks, and their nested stacks.
    :param ledgers: who claims what.
    :param seen: receives what is being looked at, for a progress bar.
    :param warn: receives what is not known.
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
        self._gone = {removed.id for stack in planned for removed in stack.removed}
        self._listed = {
            deployed.id: frozenset(each.physical_id for each in deployed.resources)
            for stack in planned
            for deployed in (*stack.removed, *([stack.deployed] if stack.deployed else ()))
        }
        self._claims: dict[Group, list[GroupClaim]] = {}
        self._contacts: list[ContactClaim] = []
        self._findings: dict[tuple[str, str], Mapping[str, str]] = {}

    def run(self) -> Forecast:
        """Return the forecast.

        :raises CommandError: a table is no ledger.
        :raises CallError: AWS refuses to answer.
        """
        known = self._ledgers.claims(seen=self._seen, of=self._listed.keys())
        self._claims, self._contacts = known.groups, known.contacts
        concerned = [stack for stack in self._stacks if stack.concerns_connect]
        forecast = Forecast(
            roots=list(dict.fromkeys(stack.root for stack in concerned)),
            stacks=[stack.name for stack in concerned],
        )
        planned: list[GroupClaim] = []
        ending = list(self._removed())
        for stack in self._stacks:
            for declaration in stack.declarations:
                self._remark(stack, declaration, forecast)
                made, ended = self._version(stack, declaration)
                planned += made
                ending += ended
                self._assign(stack, declaration, forecast)
            self._release(stack, forecast)
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

    def _assign(self, stack: PlannedStack, declaration: Declaration, forecast: Forecast) -> None:
        """Add what happens to the contact that a declaration assigns."""
        declared = declaration.contact
        if declared is None:
            return
        current = next(
            (
                claim
                for claim in self._contacts
                if claim.owner == declaration.owner and self._is_current(claim)
            ),
            None,
        )
        resource = f"{stack.name}/{declaration.owner.logical_id}"
        connect = self._session.connect(stack.region)
        self._seen(f"contact {declared.contact_id}")
        try:
            found = contacts.of_declaration(connect, declared, current, resource=resource)
        except ProviderError as error:
            forecast.refused.append(Remark(resource, str(error)))
            return
        self._add(found, declared.instance_id, stack, forecast)
        if current and current.contact_id != declared.contact_id:
            self._lose(stack, current, forecast)

    def _release(self, stack: PlannedStack, forecast: Forecast) -> None:
        """Add what happens to the contacts whose resources the stack loses."""
        for claim in self._contacts:
            stack_id, logical_id = claim.owner
            if stack_id == stack.stack_id and self._is_current(claim) and not stack.has(logical_id):
                self._lose(stack, claim, forecast)

    def _lose(self, stack: PlannedStack, claim: ContactClaim, forecast: Forecast) -> None:
        if stack.keeps(claim.owner.logical_id):
            return
        self._seen(f"contact {claim.contact_id}")
        found = contacts.of_lost(
            self._session.connect(stack.region),
            claim,
            stack.before(claim.owner.logical_id).get("Properties", {}),
            resource=f"{stack.name}/{claim.owner.logical_id}",
        )
        self._add(found, claim.instance_id, stack, forecast)

    def _add(
        self,
        found: ContactForecast | None,
        instance_id: str,
        stack: PlannedStack,
        forecast: Forecast,
    ) -> None:
        if found is None:
            return
        self._names.load(
            instance_id=instance_id, region=stack.region, wanted={found.user_id}, seen=self._seen
        )
        forecast.contacts.append(found)

    def _is_current(self, claim: GroupClaim | ContactClaim) -> bool:
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
            # An unknown user may be anybody who is declared now.
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
        if declaration.unknown and declaration.type in ASSOCIATIONS:
            forecast.may_change |= stack.is_changed(declaration.owner.logical_id)

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
