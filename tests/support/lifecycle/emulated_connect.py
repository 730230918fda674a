"""The Connect emulation as the Connect of a simulated world."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from hypothesis import strategies as st

from connect_associations.testing import ConnectBehaviour, ConnectEmulation, Fault
from connect_associations.testing.entities import Channel, GroupStatus
from connect_associations.testing.responses import Request
from lifecycle import cast
from lifecycle.clients import response
from lifecycle.connect_world import ContactState

if TYPE_CHECKING:
    from botocore.awsrequest import AWSPreparedRequest, AWSResponse

    from lifecycle.cast import Thing
    from lifecycle.clock import SimulatedClock

behaviour = ConnectBehaviour


def behaviours() -> st.SearchStrategy[ConnectBehaviour]:
    """Draw a variant of every undocumented behaviour."""
    return st.fixed_dictionaries(
        {name: st.sampled_from(choices) for name, choices in ConnectBehaviour.choices().items()}
    ).map(lambda switches: ConnectBehaviour(**switches))


def fill(emulation: ConnectEmulation) -> None:
    """Put the cast into an empty emulation."""
    instance = emulation.add_instance(
        instance_id=cast.INSTANCE.id, region=cast.HOME, replica_region=cast.REPLICA
    )
    for user in cast.USERS:
        emulation.add_user(instance, user_id=user.id, username=user.name)
    for group in cast.GROUPS:
        emulation.add_group(instance, group_id=group.id, region=cast.REGIONS[group.id])
    queue = emulation.add_queue(instance, queue_id=cast.QUEUE.id)
    emulation.add_contact_flow(instance, contact_flow_id=cast.FLOW.id)
    for contact in cast.CONTACTS:
        emulation.add_contact(
            instance,
            contact_id=contact.id,
            channel=Channel(cast.CHANNELS[contact.id]),
            queue=queue,
        )


class EmulatedConnect:
    """Answers a simulated world's calls from an emulation.

    :ivar emulation: the emulation, with the cast in it.
    """

    def __init__(self, clock: SimulatedClock, behaviour: ConnectBehaviour) -> None:
        self._clock = clock
        self.emulation = ConnectEmulation(behaviour=behaviour, clock=clock.time)
        fill(self.emulation)

    @property
    def one_group_per_user(self) -> bool:
        """Whether the service allows a user in only one group."""
        return self.emulation.world.behaviour.user_in_several_groups.value != "Succeeds"

    def answer(
        self,
        region: str,  # noqa: ARG002 - the request's own signature tells it
        operation: str,  # noqa: ARG002 - as above, by method and path
        request: AWSPreparedRequest,
    ) -> AWSResponse:
        """Answer one call, from the Region that it was signed for."""
        parts = urlsplit(request.url)
        body = request.body or b""
        if not isinstance(body, str | bytes | bytearray):
            raise TypeError("boto3 sends Connect's requests from memory")
        answer = self.emulation.respond(
            Request(
                method=request.method,
                target=f"{parts.path}?{parts.query}" if parts.query else parts.path,
                headers={
                    name: value.decode() if isinstance(value, bytes) else str(value)
                    for name, value in request.headers.items()
                },
                body=body.encode() if isinstance(body, str) else bytes(body),
            )
        )
        return response(request, answer.status, answer.body.decode(), answer.headers)

    def memberships(self) -> frozenset[tuple[str, str]]:
        """Return the pairs of group ID and user ID."""
        return frozenset(
            (group.id, user_id)
            for group in cast.GROUPS
            for user_id in self.emulation.members(group.id)
        )

    def join(self, group: Thing, user: Thing) -> None:
        """Associate a user with a group out of band."""
        self.emulation.put_member(group.id, user.id)

    def leave(self, group: Thing, user: Thing) -> None:
        """Take a user out of a group out of band."""
        self.emulation.remove_member(group.id, user.id)

    def group_becomes_active(self, group: Thing, *, after: float) -> None:
        """Let the group be new, or being updated if it has members, for some seconds."""
        world = self.emulation.world
        held = world.groups[group.id]
        world.set_group_status(
            held,
            GroupStatus.UPDATE_IN_PROGRESS if held.members else GroupStatus.CREATION_IN_PROGRESS,
            then=GroupStatus.ACTIVE,
            countdown=world.countdown(calls=None, seconds=after),
        )

    def answer_with(self, code: str, operation: str, *, times: int | None) -> None:
        """Answer calls of *operation* with an error, from now on; None: for ever."""
        self.emulation.faults.add(Fault(operations=frozenset((operation,)), code=code, count=times))

    def answer_normally(self) -> None:
        """Forget about all errors."""
        self.emulation.faults.clear()

    def add_user(self, user_id: str) -> None:
        """Make another user of the instance."""
        world = self.emulation.world
        self.emulation.add_user(
            world.instances[cast.INSTANCE.id], user_id=user_id, username=f"user-{user_id}"
        )

    def keep_offers(self) -> None:
        """Let offers of contacts stay offers: nobody accepts them by himself."""
        world = self.emulation.world
        world.behaviour = replace(world.behaviour, accept_after_calls=None)

    def rename(self, user: Thing, username: str) -> None:
        """Give the user another name out of band."""
        self.emulation.world.users[user.id].username = username

    def user_replicates(self, user: Thing, *, after: float) -> None:
        """Let the user not be in the replica Region yet for some seconds."""
        world = self.emulation.world
        world.users[user.id].last_modified = world.now()
        world.users[user.id].replication = world.countdown(calls=None, seconds=after)

    def contact(self, contact: Thing) -> ContactState:
        """Return a contact's state."""
        held = self.emulation.world.contacts[contact.id]
        return ContactState(
            with_user=held.offered_to or held.agent_id,
            agent=held.agent_id,
            offers=tuple(held.offers),
            ended=held.ended_at is not None,
            transferred=held.transfers > 0 or held.transferred_to is not None,
        )

    def end_transferred(self) -> None:
        """End the contacts that went on as another one when they were transferred."""
        world = self.emulation.world
        for contact in cast.CONTACTS:
            if world.contacts[contact.id].transferred_to is not None:
                world.end(world.contacts[contact.id])

    def serve(self, contact: Thing, user: Thing) -> None:
        """Let a user take a contact out of band."""
        world = self.emulation.world
        held = world.contacts[contact.id]
        world.offer(held, world.users[user.id])
        if held.offered_to:
            world.accept(held)
