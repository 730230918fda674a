"""Switches for what Amazon Connect's documentation leaves open.

Code that uses Connect must be right whichever way the service behaves, so tests run against every
value of every switch. :meth:`ConnectBehaviour.choices` lists them, ready for
``hypothesis.strategies.sampled_from`` or ``pytest.mark.parametrize``.
"""

from __future__ import annotations

import enum
from dataclasses import asdict, dataclass, field, fields
from typing import Any


class Answer(enum.StrEnum):
    """How an operation answers where the documentation does not say."""

    SUCCEEDS = "Succeeds"
    RESOURCE_NOT_FOUND = "ResourceNotFoundException"
    RESOURCE_CONFLICT = "ResourceConflictException"
    INVALID_REQUEST = "InvalidRequestException"
    CONTACT_NOT_FOUND = "ContactNotFoundException"


class IdentifierForm(enum.StrEnum):
    """How an identifier is spelled in an answer."""

    ID = "Id"
    ARN = "Arn"


class ThrottlingError(enum.StrEnum):
    """The error code of a request above the quota; both come with HTTP status 429."""

    THROTTLING = "ThrottlingException"
    TOO_MANY_REQUESTS = "TooManyRequestsException"


class TransferredContact(enum.StrEnum):
    """Which contact TransferContact answers with, and what becomes of the one it was given."""

    NEW_AND_OLD_ENDS = "NewAndOldEnds"
    NEW_AND_OLD_STAYS = "NewAndOldStays"
    SAME = "Same"


_ERRORS = (Answer.RESOURCE_CONFLICT, Answer.INVALID_REQUEST)


def _switch(default: object, *others: object) -> Any:  # noqa: ANN401 - dataclasses.field is typed as the default's type
    """Declare a switch: its default, and what else it can be."""
    return field(default=default, metadata={"choices": (default, *others)})


@dataclass(frozen=True, kw_only=True, slots=True)
class ConnectBehaviour:
    """How this Connect behaves where Amazon's documentation leaves it open.

    :ivar associate_member: associating a user who is in the group already. Default: it succeeds.
    :ivar disassociate_non_member: disassociating a user who is not in the group.
        Default: ResourceNotFoundException.
    :ivar user_in_several_groups: associating a user who is in another group of the same instance.
        Default: it succeeds.
    :ivar group_users_page_size: the most summaries on a page of
        ListTrafficDistributionGroupUsers, however large MaxResults is (1 to 1000). Default: 10,
        the length that the service model gives the list.
    :ivar group_user_id: how a summary of that list spells its UserId. Default: the ID.
    :ivar list_inactive_group: listing the users of a group that is not ACTIVE.
        Default: it succeeds.
    :ivar plain_group_id_in_replica: describing or listing a group by its plain ID outside of its
        home Region, where the documentation promises it for the ARN only.
        Default: ResourceNotFoundException.
    :ivar group_active_after_calls: a group that CreateTrafficDistributionGroup made is
        CREATION_IN_PROGRESS for as many calls on it. Default: 0, ACTIVE at once.
    :ivar user_replicated_after_calls: a user that CreateUser made in an instance with a replica
        cannot be associated for as many attempts. Default: 0, replicated at once.
    :ivar deleted_user_stays_member: a deleted user stays in the lists of its groups.
        Default: False.
    :ivar accept_after_calls: the agent accepts an offered contact when DescribeContact has been
        called as many times since. 0: at once; None: never by itself. Default: 0.
    :ivar associate_offered_contact: offering a contact that is offered to a user and not yet
        accepted. Default: it succeeds, and is offered again.
    :ivar associate_connected_contact: offering a contact that a user has accepted.
        Default: InvalidRequestException.
    :ivar associate_ended_contact: offering an ended contact. Default: InvalidRequestException.
    :ivar associate_voice_contact: offering a voice contact, which the documentation refused at
        first and names as supported since botocore 1.43.58; customer-first callbacks are refused
        either way. Default: it succeeds.
    :ivar describe_in_other_region: DescribeContact outside of the contact's active Region.
        Default: it succeeds.
    :ivar associate_in_other_region: AssociateContactWithUser and TransferContact outside of the
        contact's active Region. Default: ResourceNotFoundException.
    :ivar transferred_contact: what TransferContact answers. Default: a new contact, and the old
        one ends.
    :ivar transfer_without_target: TransferContact with neither QueueId nor UserId.
        Default: InvalidRequestException.
    :ivar stop_ended_contact: stopping an ended contact. Default: ContactNotFoundException.
    :ivar ended_contact_vanishes_after: seconds after which DescribeContact answers
        ResourceNotFoundException for an ended contact; None: never. Default: None.
    :ivar throttling_error: the error code above the quota. Default: ThrottlingException.
    """

    associate_member: Answer = _switch(Answer.SUCCEEDS, *_ERRORS)
    disassociate_non_member: Answer = _switch(Answer.RESOURCE_NOT_FOUND, Answer.SUCCEEDS, *_ERRORS)
    user_in_several_groups: Answer = _switch(Answer.SUCCEEDS, Answer.RESOURCE_CONFLICT)
    group_users_page_size: int = _switch(10, 100, 1000)
    group_user_id: IdentifierForm = _switch(IdentifierForm.ID, IdentifierForm.ARN)
    list_inactive_group: Answer = _switch(Answer.SUCCEEDS, Answer.RESOURCE_NOT_FOUND)
    plain_group_id_in_replica: Answer = _switch(Answer.RESOURCE_NOT_FOUND, Answer.SUCCEEDS)
    group_active_after_calls: int = _switch(0, 2)
    user_replicated_after_calls: int = _switch(0, 2)
    deleted_user_stays_member: bool = _switch(False, True)  # noqa: FBT003 - the switch's two values
    accept_after_calls: int | None = _switch(0, 2, None)
    associate_offered_contact: Answer = _switch(Answer.SUCCEEDS, Answer.INVALID_REQUEST)
    associate_connected_contact: Answer = _switch(Answer.INVALID_REQUEST, Answer.SUCCEEDS)
    associate_ended_contact: Answer = _switch(Answer.INVALID_REQUEST, Answer.RESOURCE_NOT_FOUND)
    associate_voice_contact: Answer = _switch(Answer.SUCCEEDS, Answer.INVALID_REQUEST)
    describe_in_other_region: Answer = _switch(Answer.SUCCEEDS, Answer.RESOURCE_NOT_FOUND)
    associate_in_other_region: Answer = _switch(Answer.RESOURCE_NOT_FOUND, Answer.INVALID_REQUEST)
    transferred_contact: TransferredContact = _switch(
        TransferredContact.NEW_AND_OLD_ENDS,
        TransferredContact.NEW_AND_OLD_STAYS,
        TransferredContact.SAME,
    )
    transfer_without_target: Answer = _switch(Answer.INVALID_REQUEST, Answer.SUCCEEDS)
    stop_ended_contact: Answer = _switch(
        Answer.CONTACT_NOT_FOUND, Answer.INVALID_REQUEST, Answer.SUCCEEDS
    )
    ended_contact_vanishes_after: float | None = _switch(None, 0.0)
    throttling_error: ThrottlingError = _switch(
        ThrottlingError.THROTTLING, ThrottlingError.TOO_MANY_REQUESTS
    )

    def __post_init__(self) -> None:
        """Refuse values that a switch does not have.

        :raises ValueError: naming the switch, the value and what is allowed.
        """
        for switch in fields(self):
            value = getattr(self, switch.name)
            choices: tuple[object, ...] = switch.metadata["choices"]
            if isinstance(choices[0], enum.Enum):
                allowed = ", ".join(map(str, choices))
                if value not in choices:
                    raise ValueError(f"{switch.name} cannot be {value!r}; allowed: {allowed}")
                # JSON brings plain strings; identity comparisons need the enumeration's member.
                object.__setattr__(self, switch.name, type(choices[0])(value))
            elif isinstance(value, (int, float)) and value < 0:
                raise ValueError(f"{switch.name} cannot be {value!r}; it must not be negative")
        if not 1 <= self.group_users_page_size <= 1000:  # noqa: PLR2004 - the service's MaxResults
            raise ValueError(
                f"group_users_page_size cannot be {self.group_users_page_size}; allowed: 1 to 1000"
            )

    @classmethod
    def choices(cls) -> dict[str, tuple[Any, ...]]:
        """Return what is worth testing for each switch, its default first."""
        return {switch.name: switch.metadata["choices"] for switch in fields(cls)}

    def as_dict(self) -> dict[str, Any]:
        """Return the switches as JSON can carry them; ``ConnectBehaviour(**d)`` reads them back."""
        return asdict(self)
