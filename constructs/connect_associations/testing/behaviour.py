"""The emulation's switches: one for each assumption about Connect that it can turn either way.

Code that uses Connect must be right whichever way the service behaves, so tests run against every
value of every switch. :meth:`ConnectBehaviour.choices` lists them, ready for
``hypothesis.strategies.sampled_from`` or ``pytest.mark.parametrize``.
"""

from __future__ import annotations

import enum
from dataclasses import asdict, dataclass, field, fields
from typing import TYPE_CHECKING, Any

from connect_associations.testing import assumptions

if TYPE_CHECKING:
    from connect_associations.testing.assumptions import (
        Answer,
        Assumption,
        IdentifierForm,
        T,
        ThrottlingError,
        TransferredContact,
    )


def _switch(assumption: Assumption[T]) -> T:
    """Declare the switch of an assumption; its default is the likeliest choice."""
    return field(default=assumption.expected, metadata={"assumption": assumption})


@dataclass(frozen=True, kw_only=True, slots=True)
class ConnectBehaviour:
    """How this Connect behaves where Amazon's documentation leaves it open.

    Every switch has the name of an assumption in ``connect_associations.testing.assumptions``,
    which says what it is about, what it can be and what is documented; the default is the likeliest
    choice. The page *What is assumed* of the documentation lists them.
    """

    associate_member: Answer = _switch(assumptions.ASSOCIATE_MEMBER)
    disassociate_non_member: Answer = _switch(assumptions.DISASSOCIATE_NON_MEMBER)
    user_in_several_groups: Answer = _switch(assumptions.USER_IN_SEVERAL_GROUPS)
    group_users_page_size: int = _switch(assumptions.GROUP_USERS_PAGE_SIZE)
    group_users_max_results: int = _switch(assumptions.GROUP_USERS_MAX_RESULTS)
    group_user_id: IdentifierForm = _switch(assumptions.GROUP_USER_ID)
    list_inactive_group: Answer = _switch(assumptions.LIST_INACTIVE_GROUP)
    plain_group_id_in_replica: Answer = _switch(assumptions.PLAIN_GROUP_ID_IN_REPLICA)
    group_active_after_calls: int = _switch(assumptions.GROUP_ACTIVE_AFTER_CALLS)
    cross_region_routing_without_global_routing: Answer = _switch(
        assumptions.CROSS_REGION_ROUTING_WITHOUT_GLOBAL_ROUTING
    )
    visible_after_calls: int = _switch(assumptions.VISIBLE_AFTER_CALLS)
    user_replicated_after_calls: int = _switch(assumptions.USER_REPLICATED_AFTER_CALLS)
    deleted_user_stays_member: bool = _switch(assumptions.DELETED_USER_STAYS_MEMBER)
    replication_findings_without_replica: Answer = _switch(
        assumptions.REPLICATION_FINDINGS_WITHOUT_REPLICA
    )
    accept_after_calls: int | None = _switch(assumptions.ACCEPT_AFTER_CALLS)
    associate_offered_contact: Answer = _switch(assumptions.ASSOCIATE_OFFERED_CONTACT)
    associate_connected_contact: Answer = _switch(assumptions.ASSOCIATE_CONNECTED_CONTACT)
    associate_ended_contact: Answer = _switch(assumptions.ASSOCIATE_ENDED_CONTACT)
    associate_voice_contact: Answer = _switch(assumptions.ASSOCIATE_VOICE_CONTACT)
    describe_in_other_region: Answer = _switch(assumptions.DESCRIBE_IN_OTHER_REGION)
    associate_in_other_region: Answer = _switch(assumptions.ASSOCIATE_IN_OTHER_REGION)
    transferred_contact: TransferredContact = _switch(assumptions.TRANSFERRED_CONTACT)
    transfer_without_target: Answer = _switch(assumptions.TRANSFER_WITHOUT_TARGET)
    stop_ended_contact: Answer = _switch(assumptions.STOP_ENDED_CONTACT)
    ended_contact_vanishes_after: float | None = _switch(assumptions.ENDED_CONTACT_VANISHES_AFTER)
    throttling_error: ThrottlingError = _switch(assumptions.THROTTLING_ERROR)

    def __post_init__(self) -> None:
        """Refuse values that a switch does not have.

        :raises ValueError: naming the switch, the value and what is allowed.
        """
        for switch in fields(self):
            value = getattr(self, switch.name)
            choices: tuple[object, ...] = switch.metadata["assumption"].choices
            if isinstance(choices[0], enum.Enum):
                allowed = ", ".join(map(str, choices))
                if value not in choices:
                    raise ValueError(f"{switch.name} cannot be {value!r}; allowed: {allowed}")
                # JSON brings plain strings; identity comparisons need the enumeration's member.
                object.__setattr__(self, switch.name, type(choices[0])(value))
            elif isinstance(value, (int, float)) and value < 0:
                raise ValueError(f"{switch.name} cannot be {value!r}; it must not be negative")
        for name in ("group_users_page_size", "group_users_max_results"):
            if not 1 <= getattr(self, name) <= 1000:  # noqa: PLR2004 - the service's MaxResults
                raise ValueError(f"{name} cannot be {getattr(self, name)}; allowed: 1 to 1000")

    @classmethod
    def choices(cls) -> dict[str, tuple[Any, ...]]:
        """Return what is worth testing for each switch, its default first."""
        return {
            switch.name: assumption.choices
            for switch in fields(cls)
            for assumption in [switch.metadata["assumption"]]
        }

    def as_dict(self) -> dict[str, Any]:
        """Return the switches as JSON can carry them; ``ConnectBehaviour(**d)`` reads them back."""
        return asdict(self)
