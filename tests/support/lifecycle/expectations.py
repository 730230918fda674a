"""The invariants: how Connect must look after an operation, given how it looked before."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from lifecycle.contact_expectations import ContactOperation
from lifecycle.declared import ContactUser, GroupUsers, pairs_of
from lifecycle.promises import Excuse, Promise, Verdicts

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lifecycle.connect_world import ConnectState
    from lifecycle.declared import Declared, Pair

_NOBODY: frozenset[Pair] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """A deployment or a deletion, with Connect before and after.

    :ivar old: what the stack declared before.
    :ivar new: what it declares now, or tried to.
    :ivar others: what the other stacks declare, before and after.
    :ivar tried: what else was tried meanwhile, and has failed.
    :ivar retained: memberships that were retained at any time before.
    :ivar unfinished: memberships that were retained when their deployment had failed: they may go
        with the next one.
    :ivar retained_contacts: the IDs of contacts whose assignments were.
    :ivar drifted: declared memberships that somebody removed; nobody must bring them back.
    :ivar one_group: whether the service allows a user in only one group.
    :ivar uncertain: whether calls were lost at any time before, offers of contacts among them.
    """

    old: Mapping[str, Declared]
    new: Mapping[str, Declared]
    before: ConnectState
    after: ConnectState
    others: Mapping[str, Declared] = field(default_factory=dict)
    tried: Mapping[str, Declared] = field(default_factory=dict)
    retained: frozenset[Pair] = _NOBODY
    unfinished: frozenset[Pair] = _NOBODY
    retained_contacts: frozenset[str] = frozenset()
    drifted: frozenset[Pair] = _NOBODY
    one_group: bool = False
    uncertain: bool = False

    def after_success(self) -> Verdicts:
        """Judge a deployment that succeeded."""
        verdicts = Verdicts()
        before, after = self._members(pairs_of(self.new))
        old, new, others, tried = self._pairs
        drift = (Excuse.DRIFT, self.drifted & (old | others))
        verdicts.pairs(Promise.DECLARED_EXISTS, "missing", new, new - after, drift)
        self._judge_others(verdicts)
        dropped = (old - new - others) - self._may_stay
        verdicts.pairs(Promise.NOTHING_LEFT, "left", dropped, dropped & after)
        self._judge_added(verdicts, after - before - new)
        expelling = self._expelling()
        strangers = before - old - new - others - tried
        untouched = frozenset(pair for pair in strangers if pair[0] not in expelling)
        verdicts.pairs(Promise.UNDECLARED_UNTOUCHED, "removed", untouched, untouched - after)
        expelled = frozenset(pair for pair in strangers if expelling.get(pair[0]))
        verdicts.pairs(Promise.EXCLUSIVE, "kept", expelled, (expelled & after) - self._may_stay)
        kept = retained_pairs(self.old) & before - new
        kept = frozenset(pair for pair in kept if pair[0] not in expelling)
        declared = {user_id for _, user_id in new} if self.one_group else set()
        moved = frozenset(pair for pair in kept if pair[1] in declared)
        verdicts.pairs(Promise.RETAINED, "removed", kept, kept - after, (Excuse.ONE_GROUP, moved))
        self._contacts.after_success(verdicts)
        return verdicts

    def after_failure(self) -> Verdicts:
        """Judge a deployment that failed and was rolled back."""
        verdicts = Verdicts()
        before, after = self._members()
        old, new, others, tried = self._pairs
        lost, extra = before - after, after - before
        # CloudFormation asks for nothing to be undone where it retains.
        retained = retained_pairs(self.new) | retained_pairs(self.tried)
        stuck = {user_id for _, user_id in extra & retained} if self.one_group else set()
        final = {
            one.group.id
            for declared in (self.new, self.tried)
            for one in declared.values()
            if isinstance(one, GroupUsers) and one.retain and one.exclusive
        }
        verdicts.pairs(
            Promise.RESTORED,
            "lost",
            before,
            frozenset(pair for pair in lost if pair[0] not in final),
            (Excuse.ONE_GROUP, frozenset(pair for pair in lost if pair[1] in stuck)),
        )
        verdicts.pairs(
            Promise.RESTORED,
            "left behind",
            new | tried,
            # What another stack has retained is wanted for ever.
            extra - retained - self.retained,
            (Excuse.DRIFT, self.drifted & (old | new | others | tried)),
        )
        self._contacts.after_failure(verdicts)
        return verdicts

    def at_standstill(self) -> Verdicts:
        """Judge a deployment that has failed and waits: nothing has been cleaned up yet."""
        verdicts = Verdicts()
        before, after = self._members()
        old, new, others, tried = self._pairs
        groups = self._exclusive_groups()
        strangers = frozenset(
            pair for pair in before - old - new - others - tried if pair[0] not in groups
        )
        verdicts.pairs(Promise.UNDECLARED_UNTOUCHED, "removed", strangers, strangers - after)
        self._judge_others(verdicts)
        kept = old & before
        if self.one_group:
            # A move leaves the old group first.
            moved = {user_id for _, user_id in new | tried}
            kept = frozenset(pair for pair in kept if pair[1] not in moved)
        verdicts.pairs(Promise.MAKE_BEFORE_BREAK, "removed", kept, kept - after)
        return verdicts

    def after_deletion(self, *, adopted_unknown: bool = False) -> Verdicts:
        """Judge a stack that was deleted.

        :param adopted_unknown: the stack's last operation had failed, and was not rolled back to
            its end: adopted members may leave or stay, and whom an exclusive membership had
            removed may stay away.
        """
        verdicts = Verdicts()
        before, after = self._members()
        old, _, others, tried = self._pairs
        strangers = before - old - others - tried
        if adopted_unknown:
            groups = self._exclusive_groups()
            strangers = frozenset(pair for pair in strangers if pair[0] not in groups)
        verdicts.pairs(Promise.UNDECLARED_UNTOUCHED, "removed", strangers, strangers - after)
        self._judge_others(verdicts)
        self._judge_added(verdicts, after - before)
        gone = (old - others) - self._may_stay
        verdicts.pairs(Promise.NOTHING_LEFT, "left", gone, gone & after)
        # What was tried last may retain it no more, or be deleted with the same users.
        removed = pairs_of({key: one for key, one in self.tried.items() if not one.retain})
        kept = (retained_pairs(self.old) - removed) & before
        verdicts.pairs(Promise.RETAINED, "removed", kept, kept - after)
        self._contacts.after_deletion(verdicts, adopted_unknown=adopted_unknown)
        return verdicts

    @property
    def _pairs(self) -> tuple[frozenset[Pair], ...]:
        return tuple(pairs_of(one) for one in (self.old, self.new, self.others, self.tried))

    def _members(self, declared: frozenset[Pair] = _NOBODY) -> tuple[frozenset[Pair], ...]:
        """Return who was a member and who is; of the unfinished only those who are declared."""
        old, _, others, _ = self._pairs
        ignored = self.unfinished - old - others - declared
        return self.before.pairs - ignored, self.after.pairs - ignored

    @property
    def _may_stay(self) -> frozenset[Pair]:
        """Whom a claim that RETAIN has left behind may keep."""
        return self.retained.union(*map(retained_pairs, (self.old, self.new, self.tried)))

    @property
    def _contacts(self) -> ContactOperation:
        return ContactOperation(
            old=_contacts(self.old),
            new=_contacts(self.new),
            tried=_contacts(self.tried),
            others=_contacts(self.others),
            before=self.before.contacts,
            after=self.after.contacts,
            uncertain=self.uncertain,
            retained=self.retained_contacts,
        )

    def _judge_others(self, verdicts: Verdicts) -> None:
        others = pairs_of(self.others)
        lost = (others & self.before.pairs) - self.after.pairs
        verdicts.pairs(Promise.OTHERS_STAY, "removed", others, lost)

    def _judge_added(self, verdicts: Verdicts, added: frozenset[Pair]) -> None:
        retained = retained_pairs(self.tried)
        drift = (Excuse.DRIFT, self.drifted & pairs_of(self.others))
        verdicts.pairs(Promise.NOTHING_LEFT, "added", added, added - retained, drift)

    def _exclusive_groups(self) -> set[str]:
        return {
            one.group.id
            for declared in (self.old, self.new, self.tried)
            for one in declared.values()
            if isinstance(one, GroupUsers) and one.exclusive
        }

    def _expelling(self) -> dict[str, bool]:
        """Return the groups whose undeclared users may be removed; True: must be."""
        groups: dict[str, bool] = {}
        for key, one in self.new.items():
            if not (isinstance(one, GroupUsers) and one.exclusive):
                continue
            previous = self.old.get(key)
            must = True
            if isinstance(previous, GroupUsers) and previous.group is one.group:
                if previous.declares_the_same(one) and key not in self.tried:
                    continue  # it writes nothing
                # CloudFormation asks for no clean-up of what is retained.
                must = not (previous.retain or one.retain or previous.declares_the_same(one))
            groups[one.group.id] = groups.get(one.group.id, False) or must
        for one in self.tried.values():
            if isinstance(one, GroupUsers) and one.exclusive:
                groups.setdefault(one.group.id, False)
        return groups


def retained_pairs(declared: Mapping[str, Declared]) -> frozenset[Pair]:
    """Return the memberships that RETAIN leaves behind."""
    return _NOBODY.union(
        *(one.pairs for one in declared.values() if isinstance(one, GroupUsers) and one.retain)
    )


def _contacts(declared: Mapping[str, Declared]) -> dict[str, ContactUser]:
    return {one.contact.id: one for one in declared.values() if isinstance(one, ContactUser)}
