"""The account's state, which every Region's backend shares, and how things are found in it."""

from __future__ import annotations

import random
import uuid
from typing import TYPE_CHECKING, Protocol, TypeVar

from connect_associations.testing.entities import (
    ConnectInstance,
    Contact,
    ContactFlow,
    Countdown,
    Queue,
    TrafficDistributionGroup,
    User,
)
from connect_associations.testing.exceptions import ResourceNotFoundError
from connect_associations.testing.identifiers import Identifier

if TYPE_CHECKING:
    from collections.abc import Callable

    from connect_associations.testing.behaviour import ConnectBehaviour
    from connect_associations.testing.entities import GroupStatus


class _Thing(Protocol):
    id: str


_ThingT = TypeVar("_ThingT", bound=_Thing)

_NAMED_IN_ERRORS = 5
"""How many of the existing things an error names."""


class Table(dict[str, _ThingT]):
    """Things of one kind by their IDs.

    :param kind: what people call one of them.
    """

    def __init__(self, kind: str) -> None:
        super().__init__()
        self._kind = kind

    def add(self, thing: _ThingT) -> _ThingT:
        """Keep *thing*, and return it.

        :raises ValueError: if another one has its ID.
        """
        if thing.id in self:
            raise ValueError(f"there is a {self._kind} {thing.id} already")
        self[thing.id] = thing
        return thing

    def known(self, named: _ThingT | str) -> _ThingT:
        """Return the thing that a test names, by its ID or as an object.

        :raises ValueError: if there is none; it names those that there are.
        """
        key = named if isinstance(named, str) else named.id
        if key not in self:
            some = ", ".join(list(self)[:_NAMED_IN_ERRORS]) or "none"
            left = len(self) - _NAMED_IN_ERRORS
            more = f" and {left:,} more" if left > 0 else ""
            raise ValueError(f"there is no {self._kind} {key}; there are: {some}{more}")
        return self[key]


class World:
    """One AWS account's Connect, over all Regions.

    :ivar account_id: the account.
    :ivar behaviour: the switches in force.
    :param clock: seconds since the epoch.
    :param id_seed: what generated IDs start from: the same seed gives the same IDs.
    """

    def __init__(
        self,
        *,
        account_id: str,
        behaviour: ConnectBehaviour,
        clock: Callable[[], float],
        id_seed: int,
    ) -> None:
        self.account_id = account_id
        self.behaviour = behaviour
        self._clock = clock
        self._random = random.Random(id_seed)  # noqa: S311 - identifiers, not secrets
        self.instances: Table[ConnectInstance] = Table("instance")
        self.users: Table[User] = Table("user")
        self.groups: Table[TrafficDistributionGroup] = Table("traffic distribution group")
        self.queues: Table[Queue] = Table("queue")
        self.contact_flows: Table[ContactFlow] = Table("flow")
        self.contacts: Table[Contact] = Table("contact")

    def now(self) -> float:
        """Return the time."""
        return self._clock()

    def new_id(self) -> str:
        """Return an ID that nothing has yet."""
        return str(uuid.UUID(int=self._random.getrandbits(128), version=4))

    def countdown(self, *, calls: int | None, seconds: float | None) -> Countdown:
        """Return a countdown that starts now."""
        return Countdown(calls=calls, at=None if seconds is None else self.now() + seconds)

    # What a request names -------------------------------------------------------------------

    def instance(self, text: str, *, region: str) -> ConnectInstance:
        """Return the instance that a request in *region* means.

        :raises ResourceNotFoundError: if there is none in that Region.
        """
        identifier = Identifier.parse(text)
        instance = self.instances.get(identifier.id)
        if (
            instance is None
            or region not in instance.regions
            or not self._arn_fits(identifier, instance.regions, f"instance/{identifier.id}")
        ):
            raise ResourceNotFoundError(f"Instance {text} not found in {region}.")
        return instance

    def user(self, text: str, *, instance: ConnectInstance) -> User:
        """Return the user of *instance* that a request means.

        :raises ResourceNotFoundError: if the instance has none.
        """
        identifier = Identifier.parse(text)
        user = self.users.get(identifier.id)
        if (
            user is None
            or user.instance is not instance
            or not self._arn_fits(
                identifier, instance.regions, f"instance/{instance.id}/agent/{identifier.id}"
            )
        ):
            raise ResourceNotFoundError(f"User {text} not found in instance {instance.id}.")
        return user

    def group(self, text: str, *, region: str, at_home_only: bool) -> TrafficDistributionGroup:
        """Return the group that a request in *region* means, and count the call for its status.

        :param at_home_only: whether the operation works in the home Region only.
        :raises ResourceNotFoundError: if there is none, or not for that Region.
        """
        identifier = Identifier.parse(text)
        group = self.groups.get(identifier.id)
        if group is None or not self._arn_fits(
            identifier, (group.region,), f"traffic-distribution-group/{identifier.id}"
        ):
            raise ResourceNotFoundError(f"Traffic distribution group {text} not found in {region}.")
        if region != group.region:
            seen_from_replica = not at_home_only and region in group.instance.regions
            named = identifier.region is not None
            plain_id_works = self.behaviour.plain_group_id_in_replica.value == "Succeeds"
            if not (seen_from_replica and (named or plain_id_works)):
                raise ResourceNotFoundError(
                    f"Traffic distribution group {text} not found in {region}."
                )
        self.settle_group(group, counting=True)
        if identifier.id not in self.groups:
            raise ResourceNotFoundError(f"Traffic distribution group {text} not found in {region}.")
        return group

    def queue(self, text: str, *, instance: ConnectInstance) -> Queue:
        """Return the queue of *instance* that a request means.

        :raises ResourceNotFoundError: if the instance has none.
        """
        queue = self.queues.get(Identifier.parse(text).id)
        if queue is None or queue.instance is not instance:
            raise ResourceNotFoundError(f"Queue {text} not found in instance {instance.id}.")
        return queue

    def contact_flow(self, text: str, *, instance: ConnectInstance) -> ContactFlow:
        """Return the flow of *instance* that a request means.

        :raises ResourceNotFoundError: if the instance has none.
        """
        flow = self.contact_flows.get(Identifier.parse(text).id)
        if flow is None or flow.instance is not instance:
            raise ResourceNotFoundError(f"Contact flow {text} not found in instance {instance.id}.")
        return flow

    def contact(self, text: str, *, instance: ConnectInstance) -> Contact:
        """Return the contact of *instance* that a request means.

        :raises ResourceNotFoundError: if the instance has none, or it ended too long ago.
        """
        contact = self.contacts.get(Identifier.parse(text).id)
        kept = self.behaviour.ended_contact_vanishes_after
        if (
            contact is None
            or contact.instance is not instance
            or (
                contact.ended_at is not None
                and kept is not None
                and self.now() - contact.ended_at >= kept
            )
        ):
            raise ResourceNotFoundError(f"Contact {text} not found in instance {instance.id}.")
        return contact

    def _arn_fits(self, identifier: Identifier, regions: tuple[str, ...], path: str) -> bool:
        return identifier.path is None or (
            identifier.path == path
            and identifier.region in regions
            and identifier.account_id == self.account_id
        )

    # What happens by itself -----------------------------------------------------------------

    def settle_group(self, group: TrafficDistributionGroup, *, counting: bool) -> None:
        """Let the group reach its next status if it is time.

        :param counting: whether this is a call that counts.
        """
        if group.next_status is None:
            return
        status, countdown = group.next_status
        if countdown.due(self.now()):
            group.status = status
            group.next_status = None
        elif counting:
            countdown.count()

    def is_replicated(self, user: User, *, counting: bool) -> bool:
        """Return whether the user is in the replica, and count the call if it is not.

        :param counting: whether this is a call that counts.
        """
        if user.replication is None:
            return True
        if user.replication.due(self.now()):
            user.replication = None
            return True
        if counting:
            user.replication.count()
        return False

    def settle_contact(self, contact: Contact, *, counting: bool) -> None:
        """Let the agent accept the contact if it is time.

        :param counting: whether this is a call that counts.
        """
        if contact.acceptance is None or contact.offered_to is None or contact.ended_at is not None:
            return
        if contact.acceptance.due(self.now()):
            self.accept(contact)
        elif counting:
            contact.acceptance.count()

    # What changes ---------------------------------------------------------------------------

    def set_group_status(
        self,
        group: TrafficDistributionGroup,
        status: GroupStatus,
        *,
        then: GroupStatus | None = None,
        countdown: Countdown | None = None,
    ) -> None:
        """Give the group a status, and another one after a countdown."""
        group.status = status
        group.next_status = (then, countdown) if then is not None and countdown else None

    def offer(self, contact: Contact, user: User) -> None:
        """Offer the contact to a user, who accepts as the behaviour says."""
        contact.offered_to = user.id
        contact.offers.append(user.id)
        contact.updated_at = self.now()
        calls = self.behaviour.accept_after_calls
        contact.acceptance = None if calls is None else Countdown(calls=calls)
        if calls == 0:
            self.accept(contact)

    def accept(self, contact: Contact) -> None:
        """Let the user whom the contact is offered to accept it."""
        contact.agent_id = contact.offered_to
        contact.offered_to = None
        contact.acceptance = None
        contact.accepted_at = contact.updated_at = self.now()

    def end(self, contact: Contact) -> None:
        """End the contact; an ended contact stays as it is."""
        if contact.ended_at is None:
            contact.ended_at = contact.updated_at = self.now()
            contact.offered_to = None
            contact.acceptance = None

    def remove_user(self, user: User) -> None:
        """Delete a user, and its memberships unless the behaviour keeps them."""
        del self.users[user.id]
        if not self.behaviour.deleted_user_stays_member:
            for group in self.groups.values():
                group.members.pop(user.id, None)

    def remove_instance(self, instance: ConnectInstance) -> None:
        """Delete an instance and all it has."""
        del self.instances[instance.id]
        for things in (
            self.users,
            self.groups,
            self.queues,
            self.contact_flows,
            self.contacts,
        ):
            for key in [key for key, thing in things.items() if thing.instance is instance]:
                del things[key]
