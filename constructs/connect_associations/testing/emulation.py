"""An emulated Amazon Connect: one account, all Regions, with what tests need around it."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from connect_associations.testing.behaviour import ConnectBehaviour
from connect_associations.testing.entities import (
    Channel,
    ConnectInstance,
    Contact,
    ContactFlow,
    GroupStatus,
    Queue,
    ReplicationFinding,
    TrafficDistributionGroup,
    User,
)
from connect_associations.testing.faults import Faults
from connect_associations.testing.recorder import Call, Recorder
from connect_associations.testing.responses import Wire
from connect_associations.testing.throttle import Throttle, ThrottleSettings
from connect_associations.testing.world import World

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from connect_associations.testing.models import EmulatedConnectBackend
    from connect_associations.testing.responses import Request, Response

_ROUTING_PROFILE_ID = "77777777-7777-4777-8777-777777777777"
_SECURITY_PROFILE_ID = "88888888-8888-4888-8888-888888888888"
"""What every user that is added here has."""


class ConnectEmulation:
    """Amazon Connect for tests.

    :param account_id: the account. Default: 123456789012.
    :param behaviour: how undocumented behaviour turns out. Default: see the class.
    :param throttle: the quotas. Default: off; ``ThrottleSettings()`` are Connect's.
    :param clock: the time in seconds since the epoch. Default: the machine's.
    :param seed: what fills it, now and after each reset; ``seed.seed`` is a small contact centre.
        Default: nothing.
    """

    world: World

    def __init__(
        self,
        *,
        account_id: str = "123456789012",
        behaviour: ConnectBehaviour | None = None,
        throttle: ThrottleSettings | None = None,
        clock: Callable[[], float] = time.time,
        seed: Callable[[ConnectEmulation], object] | None = None,
    ) -> None:
        self.account_id = account_id
        self.recorder = Recorder()
        self.faults = Faults()
        self._first_throttle = throttle or ThrottleSettings.off()
        self.throttle = Throttle(settings=self._first_throttle, clock=clock)
        self._first_behaviour = behaviour or ConnectBehaviour()
        self._clock = clock
        self._seed = seed
        self._lock = threading.Lock()
        self._start()

    def _start(self) -> None:
        self.world = World(
            account_id=self.account_id,
            behaviour=self._first_behaviour,
            clock=self._clock,
            id_seed=1,
        )
        self._wire = Wire(
            account_id=self.account_id,
            world=self.world,
            recorder=self.recorder,
            faults=self.faults,
            throttle=self.throttle,
        )
        if self._seed is not None:
            self._seed(self)

    def reset(self) -> None:
        """Go back to the start: its seed, switches and quotas, without calls and faults."""
        with self._lock:
            self.recorder.clear()
            self.faults.clear()
            self.throttle.settings = self._first_throttle
            self._start()

    # Answering --------------------------------------------------------------------------------

    def respond(self, request: Request) -> Response:
        """Answer one HTTP request; requests of several threads are answered one by one.

        :raises ConnectionLostError: a fault wants the connection to be closed without an answer.
        """
        with self._lock:
            return self._wire.respond(request)

    def backend(self, region: str) -> EmulatedConnectBackend:
        """Return the Region's backend."""
        return self._wire.backend(region)

    def limit(self, settings: ThrottleSettings) -> None:
        """Change the quotas, and fill every bucket."""
        self.throttle.settings = settings

    def behave(self, **switches: Any) -> None:  # noqa: ANN401 - the fields of ConnectBehaviour
        """Change switches of the behaviour; the others stay as they are."""
        self.world.behaviour = replace(self.world.behaviour, **switches)

    # Making -----------------------------------------------------------------------------------
    #
    # What something is made for is named by its ID or by the object that made it. An ID that is
    # not given is generated, the same one in every run; an ID that is taken raises ValueError, as
    # an unknown one does.

    def add_instance(
        self,
        *,
        instance_id: str | None = None,
        region: str = "us-east-1",
        replica_region: str | None = None,
    ) -> ConnectInstance:
        """Create an instance, and a replica with the same ID if a Region is given for it."""
        return self.world.instances.add(
            ConnectInstance(
                id=instance_id or self.world.new_id(),
                region=region,
                replica_region=replica_region,
                account_id=self.account_id,
            ),
        )

    def add_user(
        self,
        instance: ConnectInstance | str,
        *,
        username: str,
        user_id: str | None = None,
        age: float = 86_400.0,
    ) -> User:
        """Create a user.

        :param age: seconds since the user was last changed. Default: a day.
        """
        return self.world.users.add(
            User(
                id=user_id or self.world.new_id(),
                instance=self.world.instances.known(instance),
                username=username,
                last_modified=self.world.now() - age,
                routing_profile_id=_ROUTING_PROFILE_ID,
                security_profile_ids=[_SECURITY_PROFILE_ID],
            ),
        )

    def add_users(
        self, instance: ConnectInstance | str, users: Iterable[str] | Mapping[str, str]
    ) -> list[User]:
        """Create any number of users.

        :param users: their user names; or a mapping of user names to the IDs that they get.
        """
        ids = users if isinstance(users, Mapping) else dict.fromkeys(users)
        return [self.add_user(instance, username=name, user_id=ids[name]) for name in ids]

    def add_group(  # noqa: PLR0913 - what a group has
        self,
        instance: ConnectInstance | str,
        *,
        group_id: str | None = None,
        region: str | None = None,
        name: str = "Group",
        status: GroupStatus | str = GroupStatus.ACTIVE,
        user_ids: Iterable[str] = (),
    ) -> TrafficDistributionGroup:
        """Create a traffic distribution group; a Region may be the home of any number of them.

        :param region: its home Region. Default: the instance's source Region.
        :param user_ids: the users who are in it from the start. Default: none.
        """
        owner = self.world.instances.known(instance)
        members = [self.world.users.known(user_id).id for user_id in user_ids]
        return self.world.groups.add(
            TrafficDistributionGroup(
                id=group_id or self.world.new_id(),
                name=name,
                instance=owner,
                region=region or owner.region,
                status=GroupStatus(status),
                members=dict.fromkeys(members),
            ),
        )

    def add_queue(
        self,
        instance: ConnectInstance | str,
        *,
        queue_id: str | None = None,
        name: str = "Queue",
    ) -> Queue:
        """Create a queue."""
        return self.world.queues.add(
            Queue(
                id=queue_id or self.world.new_id(),
                instance=self.world.instances.known(instance),
                name=name,
            ),
        )

    def add_contact_flow(
        self,
        instance: ConnectInstance | str,
        *,
        contact_flow_id: str | None = None,
        name: str = "Flow",
    ) -> ContactFlow:
        """Create a published flow."""
        return self.world.contact_flows.add(
            ContactFlow(
                id=contact_flow_id or self.world.new_id(),
                instance=self.world.instances.known(instance),
                name=name,
            ),
        )

    def add_contact(
        self,
        instance: ConnectInstance | str,
        *,
        channel: Channel | str,
        queue: Queue | str | None = None,
        contact_id: str | None = None,
        active_region: str | None = None,
    ) -> Contact:
        """Create a contact, which waits in *queue* if there is one.

        :param active_region: where it must be handled. Default: the instance's source Region.
        """
        owner = self.world.instances.known(instance)
        waits_in = None if queue is None else self.world.queues.known(queue).id
        now = self.world.now()
        return self.world.contacts.add(
            Contact(
                id=contact_id or self.world.new_id(),
                instance=owner,
                channel=Channel(channel),
                queue_id=waits_in,
                queued_at=now if waits_in else None,
                started_at=now,
                updated_at=now,
                active_region=active_region or owner.region,
            ),
        )

    # Looking and meddling -----------------------------------------------------------------------
    #
    # An ID that is not there raises ValueError.

    def members(self, group_id: str) -> frozenset[str]:
        """Return the IDs of a group's users."""
        return frozenset(self.world.groups.known(group_id).members)

    def set_group_status(self, group_id: str, status: str) -> None:
        """Give a group a status."""
        self.world.groups.known(group_id).status = GroupStatus(status)

    def put_member(self, group_id: str, user_id: str) -> None:
        """Associate a user with a group behind everybody's back."""
        group = self.world.groups.known(group_id)
        group.members[self.world.users.known(user_id).id] = None

    def remove_member(self, group_id: str, user_id: str) -> None:
        """Take a user out of a group behind everybody's back; a user who is not in it stays out."""
        members = self.world.groups.known(group_id).members
        if user_id not in members:
            self.world.users.known(user_id)
        members.pop(user_id, None)

    def add_finding(self, user_id: str, *, reference_code: str, message: str) -> None:
        """Let a user's replication fail until somebody helps: ListReplicationFindings tells why."""
        self.world.users.known(user_id).finding = ReplicationFinding(
            reference_code=reference_code, message=message
        )

    @property
    def calls(self) -> list[Call]:
        """Every call since the last reset."""
        return list(self.recorder)

    @property
    def writes(self) -> list[Call]:
        """Every call that could change something."""
        return [call for call in self.recorder if call.write]

    def state(self) -> dict[str, Any]:
        """Return what Connect holds, as JSON can carry it."""
        world = self.world
        return {
            "groups": {
                group.id: {
                    "name": group.name,
                    "region": group.region,
                    "status": group.status.value,
                    "members": sorted(group.members),
                }
                for group in world.groups.values()
            },
            "users": {user.id: user.username for user in world.users.values()},
            "contacts": {
                contact.id: {
                    "channel": contact.channel.value,
                    "queue": contact.queue_id,
                    "offered_to": contact.offered_to,
                    "agent": contact.agent_id,
                    "ended": contact.ended_at is not None,
                    "transferred_to": contact.transferred_to,
                }
                for contact in world.contacts.values()
            },
        }
