"""An emulated Amazon Connect: one account, all Regions, with what tests need around it."""

from __future__ import annotations

import threading
import time
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
    TrafficDistributionGroup,
    User,
)
from connect_associations.testing.faults import Faults
from connect_associations.testing.models import EmulatedConnectBackend
from connect_associations.testing.recorder import Call, Recorder
from connect_associations.testing.responses import Request, Response, respond
from connect_associations.testing.throttle import Throttle, ThrottleSettings
from connect_associations.testing.world import World

if TYPE_CHECKING:
    from collections.abc import Callable


class ConnectEmulation:
    """Amazon Connect for tests.

    :param account_id: the account. Default: 123456789012.
    :param behaviour: how undocumented behaviour turns out. Default: see the class.
    :param throttle: the quotas. Default: off; ``ThrottleSettings()`` are Connect's.
    :param clock: the time in seconds since the epoch. Default: the machine's.
    """

    def __init__(
        self,
        *,
        account_id: str = "123456789012",
        behaviour: ConnectBehaviour | None = None,
        throttle: ThrottleSettings | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.account_id = account_id
        self.recorder = Recorder()
        self.faults = Faults()
        self.throttle = Throttle(settings=throttle or ThrottleSettings.off(), clock=clock)
        self.world = World(
            account_id=account_id,
            behaviour=behaviour or ConnectBehaviour(),
            clock=clock,
            id_seed=1,
        )
        self._backends: dict[str, EmulatedConnectBackend] = {}
        self._lock = threading.Lock()

    # Answering --------------------------------------------------------------------------------

    def respond(self, request: Request) -> Response:
        """Answer one HTTP request; requests of several threads are answered one by one.

        :raises ConnectionLostError: a fault wants the connection to be closed without an answer.
        """
        with self._lock:
            return respond(self, request)

    def backend(self, region: str) -> EmulatedConnectBackend:
        """Return the Region's backend."""
        if region not in self._backends:
            self._backends[region] = EmulatedConnectBackend(
                region, self.account_id, world=self.world
            )
        return self._backends[region]

    def limit(self, settings: ThrottleSettings) -> None:
        """Change the quotas, and fill every bucket."""
        self.throttle.settings = settings

    def behave(self, **switches: Any) -> None:  # noqa: ANN401 - the fields of ConnectBehaviour
        """Change switches of the behaviour; the others stay as they are."""
        self.world.behaviour = replace(self.world.behaviour, **switches)

    # Making -----------------------------------------------------------------------------------

    def add_instance(
        self, *, instance_id: str, region: str, replica_region: str | None = None
    ) -> ConnectInstance:
        """Make an instance, with a replica that shares its ID if a Region is given for it."""
        instance = ConnectInstance(
            id=instance_id,
            region=region,
            replica_region=replica_region,
            account_id=self.account_id,
        )
        self.world.instances[instance_id] = instance
        return instance

    def add_user(
        self, instance: ConnectInstance, *, user_id: str, username: str, age: float = 86_400.0
    ) -> User:
        """Make a user.

        :param age: seconds since the user was last changed. Default: a day.
        """
        user = User(
            id=user_id,
            instance=instance,
            username=username,
            last_modified=self.world.now() - age,
        )
        self.world.users[user_id] = user
        return user

    def add_group(
        self,
        instance: ConnectInstance,
        *,
        group_id: str,
        region: str,
        name: str = "Group",
        status: GroupStatus = GroupStatus.ACTIVE,
    ) -> TrafficDistributionGroup:
        """Make a traffic distribution group with its home in *region*."""
        group = TrafficDistributionGroup(
            id=group_id, name=name, instance=instance, region=region, status=status
        )
        self.world.groups[group_id] = group
        return group

    def add_queue(self, instance: ConnectInstance, *, queue_id: str, name: str = "Queue") -> Queue:
        """Make a queue."""
        queue = Queue(id=queue_id, instance=instance, name=name)
        self.world.queues[queue_id] = queue
        return queue

    def add_contact_flow(
        self, instance: ConnectInstance, *, contact_flow_id: str, name: str = "Flow"
    ) -> ContactFlow:
        """Make a published flow."""
        flow = ContactFlow(id=contact_flow_id, instance=instance, name=name)
        self.world.contact_flows[contact_flow_id] = flow
        return flow

    def add_contact(
        self,
        instance: ConnectInstance,
        *,
        contact_id: str,
        channel: Channel,
        queue: Queue | None,
        active_region: str | None = None,
    ) -> Contact:
        """Make a contact, waiting in *queue* if there is one."""
        now = self.world.now()
        contact = Contact(
            id=contact_id,
            instance=instance,
            channel=channel,
            queue_id=queue.id if queue else None,
            queued_at=now if queue else None,
            started_at=now,
            updated_at=now,
            active_region=active_region or instance.region,
        )
        self.world.contacts[contact_id] = contact
        return contact

    # Looking and meddling -----------------------------------------------------------------------

    def members(self, group_id: str) -> frozenset[str]:
        """Return the IDs of a group's users."""
        return frozenset(self.world.groups[group_id].members)

    def set_group_status(self, group_id: str, status: str) -> None:
        """Give a group a status."""
        self.world.groups[group_id].status = GroupStatus(status)

    def put_member(self, group_id: str, user_id: str) -> None:
        """Associate a user with a group behind everybody's back."""
        self.world.groups[group_id].members[user_id] = None

    def remove_member(self, group_id: str, user_id: str) -> None:
        """Take a user out of a group behind everybody's back."""
        self.world.groups[group_id].members.pop(user_id, None)

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
