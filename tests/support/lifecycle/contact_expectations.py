"""The invariants of contacts: who has them after an operation, given who had them before."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from lifecycle import cast
from lifecycle.promises import Excuse, Promise

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from lifecycle.connect_world import ContactState
    from lifecycle.declared import ContactUser
    from lifecycle.promises import Verdicts


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactOperation:
    """What an operation was about, by contact ID, and the contacts before and after it.

    The members are those of :class:`~lifecycle.expectations.Operation`.
    """

    old: Mapping[str, ContactUser]
    new: Mapping[str, ContactUser]
    tried: Mapping[str, ContactUser]
    others: Mapping[str, ContactUser]
    before: Mapping[str, ContactState]
    after: Mapping[str, ContactState]
    uncertain: bool
    retained: frozenset[str]

    def after_success(self, verdicts: Verdicts) -> None:
        """Judge a deployment that succeeded."""
        self._judge_undeclared(verdicts)
        self._judge_offers(verdicts)
        for contact, before, after in self._changes():
            if contact not in self.new:
                continue
            declared, name = self.new[contact], cast.NAMES[contact]
            same_before = contact in self.old and self.old[contact].user is declared.user
            verdicts.one(
                Promise.CONTACT_ASSIGNED,
                f"{name} is still declared, and was released",
                good=not _is_released(before, after) or contact in self.tried,
            )
            # Whoever has accepted it has it: that it is offered to somebody else cannot be seen.
            verdicts.one(
                Promise.CONTACT_ASSIGNED,
                name,
                good=same_before
                or _is_released(before, after)
                or declared.user.id in (after.with_user, before.agent),
            )
        for contact in self.old.keys() - self.new.keys():
            # A deployment that failed before this one may have changed how it is released.
            if self.tried.get(contact, self.old[contact]).release == self.old[contact].release:
                self._judge_release(verdicts, self.old[contact])

    def after_failure(self, verdicts: Verdicts) -> None:
        """Judge a deployment that failed and was rolled back."""
        self._judge_undeclared(verdicts)
        self._judge_offers(verdicts)
        for contact, before, after in self._changes():
            if len(after.offers) > len(before.offers):
                continue
            verdicts.one(
                Promise.NEVER_ASSIGNED,
                f"{cast.NAMES[contact]} was released by a failed deployment",
                good=not _is_released(before, after),
            )

    def after_deletion(self, verdicts: Verdicts, *, adopted_unknown: bool) -> None:
        """Judge a stack that was deleted."""
        self._judge_undeclared(verdicts)
        if not (adopted_unknown or self.tried):
            for one in self.old.values():
                self._judge_release(verdicts, one)

    def _changes(self) -> Iterator[tuple[str, ContactState, ContactState]]:
        for contact, after in self.after.items():
            yield contact, self.before[contact], after

    def _judge_offers(self, verdicts: Verdicts) -> None:
        for contact, before, after in self._changes():
            fresh = after.offers[len(before.offers) :]
            verdicts.one(
                Promise.NOT_OFFERED_AGAIN,
                cast.NAMES[contact],
                good=not (before.agent == before.with_user and fresh[:1] == (before.agent,)),
            )

    def _judge_undeclared(self, verdicts: Verdicts) -> None:
        declared = self.old.keys() | self.new.keys() | self.tried.keys()
        for contact, before, after in self._changes():
            if contact not in declared:
                verdicts.one(Promise.CONTACT_UNTOUCHED, cast.NAMES[contact], good=before == after)

    def _judge_release(self, verdicts: Verdicts, declared: ContactUser) -> None:
        contact, name = declared.contact.id, declared.contact.name
        before, after = self.before[contact], self.after[contact]
        # A pending offer cannot be seen: nobody has the contact, or still who accepted it last. But
        # it may be accepted meanwhile.
        seen = before.agent in (None, declared.user.id) and not before.ended
        mine = before.with_user == declared.user.id and not before.ended
        releases = declared.release in ("STOP", "TRANSFER_TO_QUEUE")
        shared = contact in self.others
        verdicts.one(
            Promise.CONTACT_UNTOUCHED,
            f"{name} was released, though not {declared}",
            good=not _is_released(before, after) or ((seen or mine) and releases and not shared),
        )
        # What another stack has retained is wanted for ever.
        wanted = shared or declared.retain or contact in self.retained
        if not (mine and seen) or wanted or not releases:
            return
        done = after.ended if declared.release == "STOP" else after.transferred
        pending = before.agent != declared.user.id and self.uncertain
        verdicts.one(
            Promise.CONTACT_RELEASED,
            f"{name} was not released: {declared.release}",
            good=done,
            excuse=Excuse.OFFER if pending else None,
        )


def _is_released(before: ContactState, after: ContactState) -> bool:
    return (after.ended, after.transferred) != (before.ended, before.transferred)
