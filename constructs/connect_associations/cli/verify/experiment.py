"""What an experiment is."""

from __future__ import annotations

import enum
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

if TYPE_CHECKING:
    from collections.abc import Iterable

    from connect_associations.cli.verify.lab import Lab
    from connect_associations.testing.assumptions import Assumption


class Need(enum.Enum):
    """What an experiment cannot do without; the value says how a person gets it."""

    WRITE = "nothing may be changed (--read-only)"
    CREATE = "nothing may be made; --create allows it"
    REPLICA = "the instance is not set up for Global Resiliency: it has no replica"
    NO_REPLICA = "the instance has a replica"
    GROUP = "no traffic distribution group is named; see --traffic-distribution-group-id"
    SECOND_GROUP = "no second group is named; see --second-traffic-distribution-group-id"
    USERS = "no two users are named who may be moved; see --user-id"
    FLOW = "no flow is named that puts tasks into a queue; see --contact-flow-id"
    CLOUDFORMATION = "no stack may be made; --cloudformation allows it"
    QUEUE = "no queue is named to transfer tasks to; see --queue-id"

    def met(self, lab: Lab) -> bool:
        """Return whether *lab* has it."""
        return {
            Need.WRITE: not lab.read_only,
            Need.CREATE: lab.create and not lab.read_only,
            Need.REPLICA: lab.replica is not None,
            Need.NO_REPLICA: lab.replica is None,
            Need.GROUP: lab.group is not None,
            Need.SECOND_GROUP: lab.second is not None,
            Need.USERS: len(lab.users) > 1,
            Need.FLOW: lab.contact_flow_id is not None,
            Need.CLOUDFORMATION: lab.cloudformation,
            Need.QUEUE: lab.queue_id is not None,
        }[self]


@dataclass(frozen=True, slots=True)
class Finding:
    """What became of an assumption.

    :ivar assumption: which one.
    :ivar value: what was seen, as JSON has it.
    :ivar note: how it was seen, if the value does not say it; no names, IDs or numbers of accounts.
    :ivar settled: whether anything was seen; if not, the note says why.
    """

    assumption: Assumption[Any]
    value: str | float | bool | None = None
    note: str = ""
    settled: bool = True

    @classmethod
    def unsettled(cls, assumption: Assumption[Any], why: str) -> Finding:
        """Return that nothing was seen, and why."""
        return cls(assumption, note=why, settled=False)


class Experiment(ABC):
    """Settles assumptions.

    What it changes is noted in the journal first, by the methods of :class:`Lab`; when it has run,
    all of it is put back, unless what it makes serves the experiments after it.

    :cvar plan: what it does, in a sentence for a person.
    :cvar settles: the assumptions.
    :cvar operations: the operations of Connect that it calls, or whose permission its calls need.
    :cvar needs: what it cannot do without.
    :cvar keeps: whether what it makes is left until the end.
    """

    plan: ClassVar[str]
    settles: ClassVar[tuple[Assumption[Any], ...]]
    operations: ClassVar[tuple[str, ...]]
    needs: ClassVar[tuple[Need, ...]] = ()
    keeps: ClassVar[bool] = False

    @property
    def name(self) -> str:
        """Its name."""
        return type(self).__name__

    def lacks(self, lab: Lab) -> str | None:
        """Return what it needs and *lab* does not have; None if nothing is missing."""
        return next((need.value for need in self.needs if not need.met(lab)), None)

    @abstractmethod
    def run(self, lab: Lab) -> Iterable[Finding]:
        """Try it out.

        :raises CannotTellError: it cannot settle what is not settled yet.
        :raises SessionOverError: the credentials have expired.
        """
