"""The invariants: how Connect must look after an operation, given how it looked before.

Each broken promise has a name, so that tests of broken handlers can say which one was caught.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from lifecycle import cast
from lifecycle.declared import ContactUser, GroupUsers, Spelling, pairs_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from lifecycle.cast import Thing
    from lifecycle.connect_world import ConnectState, ContactState
    from lifecycle.declared import Declared, Pair


class Promise(StrEnum):
    """What the project promises."""

    DECLARED_EXISTS = "after a successful deployment every declared association exists"
    NOTHING_LEFT = "what is no longer declared is gone after a successful deployment"
    RESTORED = "after a failed deployment Connect equals what it was before"
    UNDECLARED_UNTOUCHED = "undeclared associations never change unless exclusive"
    EXCLUSIVE = "exclusive removes who is not declared"
    NO_OP_WRITES_NOTHING = "a no-op deployment writes nothing"
    DELETE_IDEMPOTENT = "deletes are idempotent"
    REPEATED_EVENT = "an event that is delivered again changes nothing"
    HEALS = "a deployment without lasting faults succeeds"
    DELETABLE = "a stack can be deleted"
    NEVER_ASSIGNED = "a contact that was never assigned is not released"
    CONTACT_ASSIGNED = "after a successful deployment every declared contact is with its user"
    NOT_OFFERED_AGAIN = "a contact is not offered to a user who has it"
    CONTACT_UNTOUCHED = "contacts of others are left alone"
    CONTACT_RELEASED = "a contact is released as declared"
    ON_EVENT_READS_ONLY = "on_event changes nothing"


@dataclass(frozen=True, slots=True, kw_only=True)
class Excuses:
    """Why less than everything can be promised about one operation.

    :ivar unreadable: CloudFormation could not be read: what may be declared elsewhere is kept.
    :ivar abandoned: a request was given up while in flight, and killed after that; nobody is left
        who could undo what it added.
    :ivar left_behind: CloudFormation gave up deleting.
    :ivar one_group: the service allows one group a user.
    :ivar drifted: memberships that somebody removed out of band; nobody must bring them back.
    :ivar let_go: memberships of Deletes that were delivered again. They cannot be told from those
        of this operation; only what its template declares is sure to stay.
    """

    unreadable: bool = False
    abandoned: bool = False
    left_behind: bool = False
    one_group: bool = False
    drifted: frozenset[Pair] = frozenset()
    let_go: frozenset[Pair] = frozenset()

    @property
    def extras(self) -> bool:
        """Whether something may be left behind."""
        return self.unreadable or self.abandoned or self.left_behind


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """A deployment or a deletion, with Connect before and after."""

    old: Mapping[str, Declared]
    new: Mapping[str, Declared]
    before: ConnectState
    after: ConnectState
    excuses: Excuses = field(default_factory=Excuses)

    def violations_of_success(self) -> Iterator[str]:
        """Yield what is wrong after a deployment that succeeded."""
        before, after = self.before.pairs, self.after.pairs
        old, new = pairs_of(self.old), pairs_of(self.new)
        unchanged = self.excuses.drifted & old
        yield from _each(Promise.DECLARED_EXISTS, "missing", new - after - unchanged)
        expelling = self._exclusive_groups()
        dropped = old - new
        retained = self._retained_pairs()
        if not self.excuses.extras:
            yield from _each(Promise.NOTHING_LEFT, "left", (dropped & after) - retained)
        yield from _each(Promise.NOTHING_LEFT, "added", after - before - new)
        for pair in sorted(before - old - new - (self.excuses.let_go - after)):
            if pair[0] not in expelling and pair not in after:
                yield _said(Promise.UNDECLARED_UNTOUCHED, "removed", pair)
            elif expelling.get(pair[0]) and pair in after and not self.excuses.extras:
                yield _said(Promise.EXCLUSIVE, "kept", pair)
        yield from self._contacts_after_success()

    def violations_of_failure(self) -> Iterator[str]:
        """Yield what is wrong after a deployment that failed and was rolled back."""
        before, after = self.before.pairs, self.after.pairs
        old, new = pairs_of(self.old), pairs_of(self.new)
        lost, extra = before - after - (self.excuses.let_go - (old & new)), after - before
        # CloudFormation asks for nothing to be undone where it retains.
        retained = self._retained_pairs(self.new)
        if self.excuses.one_group:
            # Kept where it was moved to, the user cannot be back where it was.
            kept = {user_id for _, user_id in extra & (new if self.excuses.extras else retained)}
            lost = frozenset(pair for pair in lost if pair[1] not in kept)
        final = {
            one.group.id
            for one in self.new.values()
            if isinstance(one, GroupUsers) and one.retain and one.exclusive
        }
        yield from _each(
            Promise.RESTORED, "lost", frozenset(pair for pair in lost if pair[0] not in final)
        )
        allowed = self.excuses.drifted & (old | new)
        if self.excuses.extras:
            allowed |= new
        allowed |= retained
        yield from _each(Promise.RESTORED, "left behind", extra - allowed)
        yield from self._contacts_after_failure()

    def violations_of_standstill(self) -> Iterator[str]:
        """Yield what is wrong while a rollback has failed and waits to be continued."""
        old, new = pairs_of(self.old), pairs_of(self.new)
        groups = self._exclusive_groups()
        for pair in sorted(self.before.pairs - old - new - self.after.pairs - self.excuses.let_go):
            if pair[0] not in groups:
                yield _said(Promise.UNDECLARED_UNTOUCHED, "removed", pair)

    def violations_of_deletion(self, *, adopted_unknown: bool = False) -> Iterator[str]:
        """Yield what is wrong after the stack was deleted.

        :param adopted_unknown: the stack never was created successfully, and its rollback failed:
            whether members were there before is not told apart any more, and whom an exclusive
            membership had removed stays away.
        """
        before, after = self.before.pairs, self.after.pairs
        old = pairs_of(self.old)
        removed = before - old - after - self.excuses.let_go
        if adopted_unknown:
            expelling = {
                one.group.id
                for one in self.old.values()
                if isinstance(one, GroupUsers) and one.exclusive
            }
            removed = frozenset(pair for pair in removed if pair[0] not in expelling)
        yield from _each(Promise.UNDECLARED_UNTOUCHED, "removed", removed)
        yield from _each(Promise.NOTHING_LEFT, "added", after - before)
        if not (self.excuses.extras or adopted_unknown):
            yield from _each(Promise.NOTHING_LEFT, "left", (old & after) - self._retained_pairs())
        for one in self.old.values():
            if isinstance(one, GroupUsers) and one.retain:
                yield from _each(
                    Promise.UNDECLARED_UNTOUCHED, "not retained", (one.pairs & before) - after
                )
        if adopted_unknown:
            # Nor is an offer that nobody accepted told apart from none.
            yield from self._others()
        else:
            yield from self._contacts_after_deletion()

    def _retained_pairs(self, *stacks: Mapping[str, Declared]) -> frozenset[Pair]:
        return frozenset().union(
            *(
                one.pairs
                for declared in stacks or (self.old, self.new)
                for one in declared.values()
                if isinstance(one, GroupUsers) and one.retain
            )
        )

    def _exclusive_groups(self) -> dict[str, bool]:
        """Return the groups whose undeclared users may be removed; True: must be."""
        groups: dict[str, bool] = {}
        for key, one in self.new.items():
            if isinstance(one, GroupUsers) and one.exclusive:
                previous = self.old.get(key)
                must = not self._is_unreadable(one.group)
                if isinstance(previous, GroupUsers) and previous.group is one.group:
                    same = previous.exclusive and set(previous.users) == set(one.users)
                    # CloudFormation asks for no clean-up of what is retained.
                    must = must and not (same or previous.retain or one.retain)
                groups[one.group.id] = groups.get(one.group.id, False) or must
        return groups

    def _is_unreadable(self, group: Thing) -> bool:
        """Whether a resource that exists declares users of the group who do not exist yet."""
        exist = _declared_users(self.old)
        return any(
            isinstance(one, GroupUsers)
            and one.group is group
            and key in self.old
            and _declared_users({key: one}) - exist
            for key, one in self.new.items()
        )

    # Contacts

    def _contacts(self, declared: Mapping[str, Declared]) -> dict[str, ContactUser]:
        return {one.contact.id: one for one in declared.values() if isinstance(one, ContactUser)}

    def _changes(self) -> Iterator[tuple[str, ContactState, ContactState]]:
        for contact, after in self.after.contacts.items():
            yield contact, self.before.contacts[contact], after

    def _never_offered(self) -> Iterator[str]:
        new = self._contacts(self.new)
        for contact, before, after in self._changes():
            name = cast.NAMES[contact]
            if len(after.offers) > len(before.offers):
                continue
            wanted = new.get(contact)
            if wanted and before.agent != wanted.user.id == before.with_user:
                # An offer of before that is accepted meanwhile looks like the deployment's own.
                continue
            if (after.ended, after.transferred) != (before.ended, before.transferred):
                yield f"{Promise.NEVER_ASSIGNED}: {name} was released by a failed deployment"

    def _offered_again(self) -> Iterator[str]:
        for contact, before, after in self._changes():
            fresh = after.offers[len(before.offers) :]
            if before.agent == before.with_user and fresh[:1] == (before.agent,):
                yield f"{Promise.NOT_OFFERED_AGAIN}: {cast.NAMES[contact]}"

    def _others(self) -> Iterator[str]:
        declared = self._contacts(self.old).keys() | self._contacts(self.new).keys()
        for contact, before, after in self._changes():
            if contact not in declared and before != after:
                yield f"{Promise.CONTACT_UNTOUCHED}: {cast.NAMES[contact]}"

    def _contacts_after_success(self) -> Iterator[str]:
        yield from self._others()
        yield from self._offered_again()
        old, new = self._contacts(self.old), self._contacts(self.new)
        for contact, before, after in self._changes():
            if contact not in new:
                continue
            declared, name = new[contact], cast.NAMES[contact]
            same_before = contact in old and old[contact].user is declared.user
            if after.ended != before.ended or after.transferred != before.transferred:
                yield f"{Promise.CONTACT_ASSIGNED}: {name} is still declared, and was released"
            # Whoever has accepted it has it: that it is offered to somebody else cannot be seen.
            elif not same_before and declared.user.id not in (after.with_user, before.agent):
                yield f"{Promise.CONTACT_ASSIGNED}: {name}"
        for contact in old.keys() - new.keys():
            yield from self._released(old[contact])

    def _contacts_after_failure(self) -> Iterator[str]:
        yield from self._others()
        yield from self._offered_again()
        yield from self._never_offered()

    def _contacts_after_deletion(self) -> Iterator[str]:
        yield from self._others()
        for one in self._contacts(self.old).values():
            yield from self._released(one)

    def _released(self, declared: ContactUser) -> Iterator[str]:
        contact, name = declared.contact.id, declared.contact.name
        before, after = self.before.contacts[contact], self.after.contacts[contact]
        touched = (after.ended, after.transferred) != (before.ended, before.transferred)
        # A pending offer cannot be seen: nobody has the contact, or still who accepted it last. But
        # it may be accepted meanwhile.
        seen = before.agent in (None, declared.user.id) and not before.ended
        mine = before.with_user == declared.user.id and not before.ended
        releases = declared.release in ("STOP", "TRANSFER_TO_QUEUE")
        if touched and not ((seen or mine) and releases):
            yield f"{Promise.CONTACT_UNTOUCHED}: {name} was released, though not {declared}"
        must = mine and seen and not declared.retain and not self.excuses.extras
        if must and declared.release == "STOP" and not after.ended:
            yield f"{Promise.CONTACT_RELEASED}: {name} was not stopped"
        if must and declared.release == "TRANSFER_TO_QUEUE" and not after.transferred:
            yield f"{Promise.CONTACT_RELEASED}: {name} was not transferred"


def _declared_users(declared: Mapping[str, Declared]) -> set[Thing]:
    """Return the users who are resources of the stack themselves."""
    return {
        user
        for one in declared.values()
        if one.spelling is Spelling.RESOURCE
        for user in (one.users if isinstance(one, GroupUsers) else (one.user,))
    }


def _each(promise: Promise, what: str, pairs: frozenset[Pair]) -> Iterator[str]:
    for pair in sorted(pairs):
        yield _said(promise, what, pair)


def _said(promise: Promise, what: str, pair: Pair) -> str:
    group, user = (cast.NAMES.get(part, part) for part in pair)
    return f"{promise}: {user} in {group} ({what})"
