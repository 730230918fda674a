"""What the ledger says, compared with what Connect holds: a row for each association.

CloudFormation's drift detection does not cover custom resources, so that nobody else looks.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import TYPE_CHECKING

from connect_associations.cli import stacks
from connect_associations.cli.errors import CommandError, explain
from connect_provider.connect.client import Group
from connect_provider.contacts.declaration import CONTACT_USER
from connect_provider.failures import CallError, Failure
from connect_provider.groups import claims as rules
from connect_provider.groups.declaration import GROUP_USER, GROUP_USERS
from connect_provider.ledger.claim import GroupClaim, Phase

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from connect_associations.cli.ledgers import Claims, Ledgers
    from connect_associations.cli.session import Session
    from connect_associations.cli.stacks import Resource, Stack
    from connect_provider.connect.client import Contact
    from connect_provider.ledger.claim import ContactClaim


class State(Enum):
    """The state of an association."""

    IN_SYNC = "in sync"
    MISSING = "missing"
    EXTRA = "extra"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One association.

    :ivar stack_id: the stack that declares it; empty for an extra member.
    :ivar logical_id: the resource that declares it; empty for an extra member.
    :ivar phase: how far its claim has come; None where there is no claim.
    :ivar target: the group or the contact, by its canonical ID.
    :ivar region: the group's home Region; empty for a contact.
    :ivar user_id: the user; empty where the ledger does not tell.
    :ivar with_user_id: another user, who has the contact.
    :ivar note: why the state is what it is, where that is not plain.
    """

    kind: str
    state: State
    stack_id: str = ""
    logical_id: str = ""
    phase: Phase | None = None
    instance_id: str = ""
    target: str = ""
    region: str = ""
    user_id: str = ""
    with_user_id: str = ""
    note: str = ""


GROUP, CONTACT = "traffic distribution group", "contact"


@dataclass(slots=True, kw_only=True)
class Inventory:
    """All rows of stacks and their nested stacks, or of all stacks that share a ledger.

    :ivar title: what the rows are of.
    :ivar statuses: the stacks' statuses, as CloudFormation names them: empty for a stack that is
        gone, None where that is not known.
    :ivar busy: the stacks whose deployment, or that of the stack around them, is under way or has
        yet to be finished; with words that say so.
    :ivar exclusive: the IDs of the groups that a membership wants for itself.
    """

    title: str
    ledgers: Ledgers
    statuses: dict[str, str | None] = field(default_factory=dict)
    busy: dict[str, str] = field(default_factory=dict)
    rows: list[Row] = field(default_factory=list)
    exclusive: set[str] = field(default_factory=set)

    @property
    def drift(self) -> list[Row]:
        """What is not as declared: missing ones, and extra members of exclusive groups."""
        return [row for row in self.rows if self._is_drift(row)]

    @property
    def differences(self) -> list[Row]:
        """What somebody should look at: the drift, and what is not known."""
        return [row for row in self.rows if self._is_drift(row) or row.state is State.UNKNOWN]

    def _is_drift(self, row: Row) -> bool:
        return row.state is State.MISSING or (
            row.state is State.EXTRA and row.target in self.exclusive
        )

    @property
    def groups(self) -> list[Group]:
        """The groups that the rows are about, where Region and ID are known."""
        found = {Group(id=row.target, region=row.region) for row in self.rows if row.region}
        return sorted(found)


def of_stacks(
    session: Session, trees: Sequence[list[Stack]], ledgers: Ledgers, *, seen: Callable[[str], None]
) -> Inventory:
    """Compare stacks and their nested stacks with Connect.

    :param trees: each a stack, and its nested stacks.
    :param seen: receives what is being looked at, for a progress bar.
    :raises CommandError: one of them declares no associations.
    :raises CallError: AWS refuses to answer.
    """
    names = [tree[0].name for tree in trees]
    title = f"{'Stack' if len(names) == 1 else 'Stacks'} {' and '.join(names)}"
    inventory = Inventory(title=title, ledgers=ledgers)
    known: dict[str, Stack | None] = {stack.id: stack for tree in trees for stack in tree}
    claims = ledgers.claims(seen=seen, of=known.keys())
    _Look(session, inventory, known, claims, seen).take()
    declaring = {row.stack_id for row in inventory.rows}
    for tree in trees:
        if declaring.isdisjoint(stack.id for stack in tree):
            raise CommandError(
                f"stack {tree[0].name} declares no associations, as its ledger "
                f"{' and '.join(ledgers.names)} says; check the name"
            )
    return inventory


def of_ledger(
    session: Session,
    ledgers: Ledgers,
    *,
    seen: Callable[[str], None],
    warn: Callable[[str], None],
) -> Inventory:
    """Compare all stacks that share a ledger with Connect.

    :param seen: receives what is being looked at, for a progress bar.
    :param warn: receives the stacks that cannot be read.
    :raises CommandError: nothing is claimed.
    :raises CallError: AWS refuses to answer.
    """
    title = f"Ledger {' and '.join(ledgers.names)}"
    inventory = Inventory(title=title, ledgers=ledgers)
    claims = ledgers.claims(seen=seen)
    known: dict[str, Stack | None] = {}
    for stack_id in sorted(claims.stack_ids):
        seen(f"stack {stacks.name_of(stack_id)}")
        try:
            known[stack_id] = stacks.read(session, stack_id)
        except CallError as error:
            if error.failure is not Failure.ACCESS_DENIED:
                raise
            inventory.statuses[stack_id] = None
            warn(
                f"whether stack {stacks.name_of(stack_id)} is being deployed, and still has all "
                f"of its associations, is not known: {explain(error)}"
            )
    _Look(session, inventory, known, claims, seen).take()
    if not inventory.rows:
        raise CommandError(f"{title[0].lower()}{title[1:]} holds no claims; check the name")
    return inventory


class _Look:
    """Fills an inventory.

    :param known: the stacks to look at by ID; None for one that is gone.
    :param claims: all that is claimed, by other stacks as well.
    """

    def __init__(
        self,
        session: Session,
        inventory: Inventory,
        known: dict[str, Stack | None],
        claims: Claims,
        seen: Callable[[str], None],
    ) -> None:
        self._session = session
        self._inventory = inventory
        self._known = known
        self._groups = claims.groups
        self._contacts = [claim for claim in claims.contacts if self._is_shown(claim)]
        self._seen = seen
        self._roots: dict[str, Stack | None] = {}
        self._unclaimed = list(self._find_unclaimed())

    def take(self) -> None:
        inventory = self._inventory
        for stack_id, stack in self._known.items():
            inventory.statuses[stack_id] = stack.status if stack else ""
            around = self._root_of(stack) if stack else None
            for one in filter(None, (stack, around)):
                if not one.steady:
                    inventory.busy[stack_id] = f"stack {one.name} is {one.status}"
        shown = {
            group: [claim for claim in claims if self._is_shown(claim)]
            for group, claims in self._groups.items()
        }
        inventory.exclusive = {
            group.id
            for group, claims in shown.items()
            for claim in claims
            if claim.exclusive and claim.phase is Phase.LIVE and not self._is_retained(claim)
        }
        for group, claims in shown.items():
            if claims:
                self._seen(str(group))
                inventory.rows += self._group_rows(group, claims)
        for contact in self._contacts:
            self._seen(f"contact {contact.contact_id}")
            inventory.rows.append(self._contact_row(contact))
        inventory.rows += [row for _, row in self._unclaimed]
        inventory.rows.sort(
            key=lambda row: (row.kind, row.target, row.stack_id, row.logical_id, row.user_id)
        )

    def _root_of(self, stack: Stack) -> Stack | None:
        """Return the outermost stack around a nested one; its deployment is that one's, too."""
        if not stack.root_id:
            return None
        if stack.root_id not in self._roots:
            self._roots[stack.root_id] = self._known.get(stack.root_id) or stacks.read(
                self._session, stack.root_id
            )
        return self._roots[stack.root_id]

    def _is_shown(self, claim: GroupClaim | ContactClaim) -> bool:
        stack_id = claim.owner.stack_id
        return stack_id in self._known or stack_id in self._inventory.statuses

    def _group_rows(self, group: Group, claims: list[GroupClaim]) -> Iterator[Row]:
        members = self._session.connect(group.region).list_group_users(group)
        held = members or frozenset()
        row = Row(
            kind=GROUP,
            state=State.UNKNOWN,
            instance_id=claims[0].instance_id,
            target=group.id,
            region=group.region,
        )
        # One declaration may name the group in another Region, which cannot be right for both.
        everyone = [
            claim for other, some in self._groups.items() if other.id == group.id for claim in some
        ]
        wanted = rules.wanted(everyone)
        explained = set()
        for claim in claims:
            for user_id in sorted(claim.users):
                state, note = self._stands(claim, user_id, held, wanted)
                explained.add(user_id)
                yield replace(
                    row,
                    stack_id=claim.owner.stack_id,
                    logical_id=claim.owner.logical_id,
                    phase=claim.phase,
                    instance_id=claim.instance_id,
                    user_id=user_id,
                    state=state,
                    note=note if members is not None else f"Connect does not find {group}",
                )
        state, note = self._extra(group, "not declared in the ledger")
        if state is State.EXTRA and group.id in self._inventory.exclusive:
            note = f"{note}, and the group is exclusive"
        for user_id in sorted(held - wanted - explained):
            yield replace(row, user_id=user_id, state=state, note=note)

    def _extra(self, group: Group, note: str) -> tuple[State, str]:
        """Return the state of a member whom no claim wants, and why.

        Who may be declared must not look superfluous: `repair --exclusive` removes who does.
        """
        perhaps = [who.logical_id for of, who in self._unclaimed if of in (None, group.id)]
        if not perhaps:
            return State.EXTRA, note
        return (
            State.UNKNOWN,
            f"may be declared by {', '.join(sorted(perhaps))}, which the ledger does not know",
        )

    def _stands(
        self, claim: GroupClaim, user_id: str, held: frozenset[str], wanted: frozenset[str]
    ) -> tuple[State, str]:
        """Return the state of a claim's user, and why."""
        is_member = user_id in held
        if claim.phase is Phase.PENDING:
            note = f"PENDING: {claim.problem or 'not brought about yet'}"
            return State.IN_SYNC if is_member else State.MISSING, note
        if claim.phase is Phase.ENDING:
            if is_member and user_id not in wanted:
                return self._extra(claim.group, "ENDING: not declared any more")
            stays = "stays, as another resource declares the user" if is_member else "has left"
            return State.IN_SYNC, f"ENDING: {stays}"
        if self._is_retained(claim):
            note = "retained: the stack does not have the resource any more"
            return State.IN_SYNC if is_member else State.UNKNOWN, note
        return State.IN_SYNC if is_member else State.MISSING, ""

    def _contact_row(self, claim: ContactClaim) -> Row:
        region = claim.owner.stack_id.split(":")[3]
        contact = self._session.connect(region).describe_contact(
            instance_id=claim.instance_id, contact_id=claim.contact_id
        )
        state, note = _serves(claim, contact)
        if claim.phase is not Phase.LIVE:
            note = ": ".join(filter(None, (claim.phase.value, note)))
            state = State.IN_SYNC if state is State.IN_SYNC else State.UNKNOWN
        elif self._is_retained(claim):
            state = State.IN_SYNC if state is State.IN_SYNC else State.UNKNOWN
            note = "retained: the stack does not have the resource any more"
        other = contact.agent_id if contact and not contact.ended else None
        return Row(
            kind=CONTACT,
            state=state,
            stack_id=claim.owner.stack_id,
            logical_id=claim.owner.logical_id,
            phase=claim.phase,
            instance_id=claim.instance_id,
            target=claim.contact_id,
            user_id=claim.user_id,
            with_user_id=other if other and other != claim.user_id else "",
            note=note,
        )

    def _is_retained(self, claim: GroupClaim | ContactClaim) -> bool:
        """Whether a claim was left behind by a removal policy: nobody ends it any more."""
        if claim.phase is not Phase.LIVE or claim.owner.stack_id not in self._known:
            return False
        stack = self._known[claim.owner.stack_id]
        if stack is None:
            return True
        if not stack.steady:
            return False
        return not any(
            resource.is_there
            and (resource.physical_id == claim.physical_id or not resource.is_settled)
            for resource in stack.resources
            if resource.logical_id == claim.owner.logical_id
        )

    def _find_unclaimed(self) -> Iterator[tuple[str | None, Row]]:
        """Return what the stacks have although no claim mentions it, each with its group.

        The group is None where it may be any.
        """
        claims: Iterable[GroupClaim | ContactClaim] = itertools.chain(
            self._contacts, *self._groups.values()
        )
        claimed = {(claim.owner.stack_id, claim.physical_id) for claim in claims}
        for stack in self._known.values():
            if stack is None or not stack.steady:
                continue
            for resource in stack.resources:
                if (
                    resource.is_settled
                    and resource.type in (GROUP_USER, GROUP_USERS, CONTACT_USER)
                    and (stack.id, resource.physical_id) not in claimed
                ):
                    yield _unclaimed(stack.id, resource)


def _unclaimed(stack_id: str, resource: Resource) -> tuple[str | None, Row]:
    row = Row(
        kind=CONTACT,
        state=State.UNKNOWN,
        stack_id=stack_id,
        logical_id=resource.logical_id,
        note="the ledger does not know it: was it lost? The provider's resync claims it again",
    )
    if resource.type == CONTACT_USER:
        ids = resource.physical_id.partition("/")[0].split(":")
        return "", replace(row, target=ids[-1]) if ids[0] == "contact" else row
    known = rules.parse(resource.physical_id)
    if known is None:
        return None, replace(row, kind=GROUP)
    group = known[0]
    return group.id, replace(row, kind=GROUP, target=group.id, region=group.region)


def _serves(claim: ContactClaim, contact: Contact | None) -> tuple[State, str]:
    """Return the state of a contact, and why."""
    if contact is None:
        return State.UNKNOWN, "Connect does not know the contact, or no longer"
    if contact.ended:
        return State.UNKNOWN, "the contact has ended"
    if contact.agent_id == claim.user_id:
        return State.IN_SYNC, ""
    if contact.agent_id:
        return State.MISSING, "another user has accepted the contact"
    return State.UNKNOWN, "nobody has accepted it yet; Connect does not show who is offered it"
