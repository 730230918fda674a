"""What the project promises, and the verdicts on whether it was kept.

Each broken promise has a name, so that tests of broken handlers can say which one was caught.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from lifecycle import cast

if TYPE_CHECKING:
    from collections.abc import Iterable
    from collections.abc import Set as AbstractSet

    from lifecycle.declared import Pair


class Promise(StrEnum):
    """What the project promises."""

    DECLARED_EXISTS = "after a successful deployment every declared association exists"
    NOTHING_LEFT = "what is no longer declared is gone after a successful deployment"
    RESTORED = "after a failed deployment Connect equals what it was before"
    OTHERS_STAY = "what another stack declares stays"
    MAKE_BEFORE_BREAK = "nothing is removed before a deployment has succeeded"
    UNDECLARED_UNTOUCHED = "undeclared associations never change unless exclusive"
    EXCLUSIVE = "exclusive removes who is not declared"
    RETAINED = "what is retained stays"
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


class Excuse(StrEnum):
    """Why a promise could not be kept: nobody but Connect, or who meddles, is to blame."""

    DRIFT = "somebody removed the membership by hand"
    ONE_GROUP = "a user may be in only one group, and the user is retained in the other one"
    OFFER = "an offer that nobody has accepted cannot be seen, nor be taken back"


@dataclass(slots=True)
class Verdicts:
    """What was looked at, what was excused, and what was wrong."""

    made: int = 0
    excused: Counter[Excuse] = field(default_factory=Counter)
    violations: list[str] = field(default_factory=list)

    def pairs(
        self,
        promise: Promise,
        what: str,
        looked_at: AbstractSet[Pair],
        wrong: AbstractSet[Pair],
        excused: tuple[Excuse, AbstractSet[Pair]] | None = None,
    ) -> None:
        """Judge memberships.

        :param what: what is the case with the *wrong* ones.
        """
        self.made += len(looked_at | wrong)
        if excused:
            excuse, pairs = excused
            self.excused[excuse] += len(wrong & pairs)
            wrong = wrong - pairs
        self.violations += [f"{promise}: {_told(pair)} ({what})" for pair in sorted(wrong)]

    def one(self, promise: Promise, said: str, *, good: bool, excuse: Excuse | None = None) -> None:
        """Judge one thing; *said* tells it if it is not *good*."""
        self.made += 1
        if good:
            return
        if excuse:
            self.excused[excuse] += 1
        else:
            self.violations.append(f"{promise}: {said}")

    def all(self, promise: Promise, wrong: Iterable[str], *, looked_at: int = 1) -> None:
        """Judge things of which only the *wrong* ones are told."""
        found = [f"{promise}: {said}" for said in wrong]
        self.made += max(looked_at, len(found))
        self.violations += found


def _told(pair: Pair) -> str:
    group, user = (cast.NAMES.get(part, part) for part in pair)
    return f"{user} in {group}"
