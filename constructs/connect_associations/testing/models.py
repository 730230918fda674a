"""Amazon Connect in one Region: moto's backend, with users, groups and contacts added.

What an operation does is here; what it does it to is the account's :class:`World`.
"""

from __future__ import annotations

import base64
import binascii
import json
from typing import TYPE_CHECKING, Any

from moto.connect.models import ConnectBackend

from connect_associations.testing import user_search
from connect_associations.testing.assumptions import Answer, IdentifierForm, TransferredContact
from connect_associations.testing.entities import (
    Channel,
    ConnectInstance,
    Contact,
    Countdown,
    GroupStatus,
    TrafficDistributionGroup,
    User,
)
from connect_associations.testing.exceptions import (
    ConnectError,
    InvalidRequestError,
    ResourceNotFoundError,
)
from connect_associations.testing.identifiers import Identifier

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from connect_associations.testing.world import World

_MAX_TRANSFERS = 11
_AGENT = "AGENT"
"""The type of users in ListReplicationFindings."""

_TRANSFERABLE = frozenset({Channel.TASK, Channel.EMAIL})


class EmulatedConnectBackend(ConnectBackend):
    """Connect in one Region of the emulated account.

    :param region_name: the Region.
    :param account_id: the account.
    :param world: the state that all Regions share.
    """

    def __init__(self, region_name: str, account_id: str, *, world: World) -> None:
        super().__init__(region_name, account_id)
        self.world = world
        self._answered: dict[str, tuple[dict[str, str | None], dict[str, str]]] = {}

    # Instances: moto's, with a replica Region -------------------------------------------------

    def create_instance(
        self,
        identity_management_type: str,
        inbound_calls_enabled: bool,  # noqa: FBT001 - as above
        outbound_calls_enabled: bool,  # noqa: FBT001 - as above
        instance_alias: str | None = None,
        tags: dict[str, str] | None = None,
        **_not_kept: object,
    ) -> dict[str, str]:
        """Create an instance in this Region, as moto does."""
        answer: dict[str, str] = super().create_instance(
            identity_management_type,
            inbound_calls_enabled,
            outbound_calls_enabled,
            instance_alias,
            tags,
        )
        self.world.instances[answer["Id"]] = ConnectInstance(
            id=answer["Id"],
            region=self.region_name,
            replica_region=None,
            account_id=self.account_id,
        )
        return answer

    def describe_instance(self, instance_id: str) -> dict[str, Any]:
        """Return an instance, with the Regions that it is replicated to."""
        instance = self.world.instance(instance_id, region=self.region_name)
        made = self.instances.get(instance.id)
        described: dict[str, Any] = {
            "Id": instance.id,
            "Arn": instance.arn_in(self.region_name),
            "IdentityManagementType": "CONNECT_MANAGED",
            "InstanceStatus": "ACTIVE",
            "InboundCallsEnabled": True,
            "OutboundCallsEnabled": True,
            **(made.to_dict() if made else {}),
        }
        answer: dict[str, Any] = {"Instance": described}
        if instance.replica_region is not None:
            answer["ReplicationConfiguration"] = {
                "SourceRegion": instance.region,
                "ReplicationStatusSummaryList": [
                    {
                        "Region": instance.replica_region,
                        "ReplicationStatus": "INSTANCE_REPLICATION_COMPLETE",
                    }
                ],
            }
        return answer

    def delete_instance(self, instance_id: str, **_not_kept: object) -> None:
        """Delete an instance from this Region, and all it has if this is its source Region."""
        instance = self.world.instance(instance_id, region=self.region_name)
        if instance.id in self.instances:
            super().delete_instance(instance.id)
        if self.region_name == instance.region:
            self.world.remove_instance(instance)
        else:
            instance.replica_region = None

    # Global resiliency ------------------------------------------------------------------------

    def list_replication_findings(
        self,
        *,
        instance_id: str,
        resource_type: str,
        max_results: int | None = None,
        next_token: str | None = None,
    ) -> dict[str, Any]:
        """List which agents of a replicated instance cannot be replicated."""
        instance = self.world.instance(instance_id, region=self.region_name)
        if instance.replica_region is None:
            _refuse(
                self.world.behaviour.replication_findings_without_replica,
                f"Instance {instance.id} is not set up for Global Resiliency.",
            )
        found = {
            user.id: user.finding
            for user in self._users(instance)
            if user.finding and resource_type == _AGENT
        }
        page, token = _page(
            found, scope=f"findings/{instance.id}", size=max_results or 100, token=next_token
        )
        return {
            "ReplicationFindingsList": [
                {
                    "Arn": self.world.users[user_id].arn,
                    "Id": user_id,
                    "Region": instance.replica_region,
                    "ResourceType": _AGENT,
                    "Name": self.world.users[user_id].username,
                    "ReferenceCode": found[user_id].reference_code,
                    "Message": found[user_id].message,
                }
                for user_id in page
            ],
            "NextToken": token,
        }

    def get_cross_region_routing(self, *, instance_id: str) -> dict[str, Any]:
        """Return the Regions whose contacts stay there."""
        instance = self._globally_routed(instance_id)
        return {"IsolatedRegions": list(instance.regions) if instance.isolated else []}

    def update_cross_region_routing(
        self,
        *,
        instance_id: str,
        isolated_all: bool,
    ) -> None:
        """Keep contacts in their Regions, or let them go to agents in the other one."""
        self._globally_routed(instance_id).isolated = isolated_all

    def _globally_routed(self, instance_id: str) -> ConnectInstance:
        instance = self.world.instance(instance_id, region=self.region_name)
        if instance.replica_region is None or not instance.global_routing:
            _refuse(
                self.world.behaviour.cross_region_routing_without_global_routing,
                f"Instance {instance.id} is not enabled for global routing.",
            )
        return instance

    # Users ------------------------------------------------------------------------------------

    def create_user(  # noqa: PLR0913 - the API's members
        self,
        *,
        instance_id: str,
        username: str,
        identity_info: Mapping[str, str] | None = None,
        routing_profile_id: str | None = None,
        security_profile_ids: Iterable[str] = (),
        tags: Mapping[str, str] | None = None,
        **_not_kept: object,
    ) -> dict[str, str]:
        """Create a user; in an instance with a replica it is replicated as the behaviour says."""
        world = self.world
        instance = world.instance(instance_id, region=self.region_name)
        if any(
            user.username.lower() == username.lower() and user.instance is instance
            for user in world.users.values()
        ):
            raise ConnectError(
                "DuplicateResourceException", f"A user named {username} exists already."
            )
        calls = world.behaviour.user_replicated_after_calls
        identity = identity_info or {}
        user = User(
            id=world.new_id(),
            instance=instance,
            username=username,
            last_modified=world.now(),
            replication=Countdown(calls=calls) if calls and instance.replica_region else None,
            visibility=self._visibility(),
            first_name=identity.get("FirstName"),
            last_name=identity.get("LastName"),
            routing_profile_id=routing_profile_id,
            security_profile_ids=list(security_profile_ids),
            tags=dict(tags or {}),
        )
        world.users[user.id] = user
        return {"UserId": user.id, "UserArn": user.arn_in(self.region_name)}

    def describe_user(self, *, instance_id: str, user_id: str) -> dict[str, Any]:
        """Return a user."""
        instance = self.world.instance(instance_id, region=self.region_name)
        user = self._user(user_id, instance)
        described = self._searched_user(user)
        described["LastModifiedTime"] = user.last_modified
        described["LastModifiedRegion"] = instance.region
        return {"User": described}

    def list_users(
        self, *, instance_id: str, next_token: str | None = None, max_results: int | None = None
    ) -> dict[str, Any]:
        """List the users of an instance."""
        instance = self.world.instance(instance_id, region=self.region_name)
        page, token = _page(
            [user.id for user in self._users(instance)],
            scope=f"users/{instance.id}",
            size=max_results or 100,
            token=next_token,
        )
        return {
            "UserSummaryList": [
                {
                    "Id": user.id,
                    "Arn": user.arn_in(self.region_name),
                    "Username": user.username,
                    "LastModifiedTime": user.last_modified,
                    "LastModifiedRegion": instance.region,
                }
                for user in map(self.world.users.__getitem__, page)
            ],
            "NextToken": token,
        }

    def search_users(
        self,
        *,
        instance_id: str,
        next_token: str | None = None,
        max_results: int | None = None,
        search_criteria: Mapping[str, Any] | None = None,
        search_filter: Mapping[str, Any] | None = None,
        **_not_kept: object,
    ) -> dict[str, Any]:
        """Search the users of an instance."""
        instance = self.world.instance(instance_id, region=self.region_name)
        found = [
            user.id
            for user in self._users(instance)
            if user_search.meets_criteria(user, search_criteria or {})
            and user_search.passes_filter(user, search_filter or {})
        ]
        page, token = _page(
            found, scope=f"search/{instance.id}", size=max_results or 100, token=next_token
        )
        return {
            "Users": [self._searched_user(self.world.users[user_id]) for user_id in page],
            "NextToken": token,
            "ApproximateTotalCount": len(found),
        }

    def delete_user(self, *, instance_id: str, user_id: str) -> None:
        """Delete a user."""
        instance = self.world.instance(instance_id, region=self.region_name)
        self.world.remove_user(self._user(user_id, instance))

    def _visibility(self) -> Countdown | None:
        calls = self.world.behaviour.visible_after_calls
        return Countdown(calls=calls) if calls else None

    def _seen(self, made: User | TrafficDistributionGroup) -> bool:
        """Return whether a request finds what was made, and count the request if it does not."""
        if made.visibility is not None:
            if not made.visibility.due(self.world.now()):
                made.visibility.count()
                return False
            made.visibility = None
        return True

    def _user(self, user_id: str, instance: ConnectInstance) -> User:
        """Return the user that a request names, if Connect finds it by now."""
        user = self.world.user(user_id, instance=instance)
        if not self._seen(user):
            raise ResourceNotFoundError(f"User {user_id} not found in instance {instance.id}.")
        return user

    def _group(self, group_id: str, *, at_home_only: bool) -> TrafficDistributionGroup:
        """Return the group that a request names, if Connect finds it by now."""
        made = self.world.groups.get(Identifier.parse(group_id).id)
        if made is not None and not self._seen(made):
            raise ResourceNotFoundError(
                f"Traffic distribution group {group_id} not found in {self.region_name}."
            )
        return self.world.group(group_id, region=self.region_name, at_home_only=at_home_only)

    def _users(self, instance: ConnectInstance) -> list[User]:
        return [user for user in self.world.users.values() if user.instance is instance]

    def _searched_user(self, user: User) -> dict[str, Any]:
        return {
            "Id": user.id,
            "Arn": user.arn_in(self.region_name),
            "Username": user.username,
            "IdentityInfo": {"FirstName": user.first_name, "LastName": user.last_name},
            "PhoneConfig": {"PhoneType": "SOFT_PHONE", "AutoAccept": False},
            "HierarchyGroupId": user.hierarchy_path[-1] if user.hierarchy_path else None,
            "RoutingProfileId": user.routing_profile_id,
            "SecurityProfileIds": user.security_profile_ids or None,
            "Tags": user.tags or None,
        }

    # Traffic distribution groups --------------------------------------------------------------

    def create_traffic_distribution_group(
        self,
        *,
        name: str,
        instance_id: str,
        description: str | None = None,
        tags: Mapping[str, str] | None = None,
        **_not_kept: object,
    ) -> dict[str, str]:
        """Create a group whose home is this Region."""
        world = self.world
        instance = world.instance(instance_id, region=self.region_name)
        if any(group.name == name and group.instance is instance for group in self._groups(None)):
            raise ConnectError(
                "ResourceConflictException",
                f"A traffic distribution group named {name} exists already.",
            )
        calls = world.behaviour.group_active_after_calls
        group = TrafficDistributionGroup(
            id=world.new_id(),
            name=name,
            instance=instance,
            region=self.region_name,
            description=description,
            tags=dict(tags or {}),
            visibility=self._visibility(),
        )
        if calls:
            world.set_group_status(
                group,
                GroupStatus.CREATION_IN_PROGRESS,
                then=GroupStatus.ACTIVE,
                countdown=Countdown(calls=calls),
            )
        world.groups[group.id] = group
        return {"Id": group.id, "Arn": group.arn}

    def describe_traffic_distribution_group(
        self, *, traffic_distribution_group_id: str
    ) -> dict[str, Any]:
        """Return a group, from the home Region or the replica's."""
        group = self._group(traffic_distribution_group_id, at_home_only=False)
        return {
            "TrafficDistributionGroup": {
                **_group_summary(group),
                "Description": group.description,
                "Tags": group.tags or None,
            }
        }

    def list_traffic_distribution_groups(
        self,
        *,
        max_results: int | None = None,
        next_token: str | None = None,
        instance_id: str | None = None,
    ) -> dict[str, Any]:
        """List the groups that can be seen from this Region."""
        instance = (
            self.world.instance(instance_id, region=self.region_name) if instance_id else None
        )
        page, token = _page(
            [group.id for group in self._groups(instance)],
            scope=f"groups/{instance.id if instance else ''}",
            size=max_results or 10,
            token=next_token,
        )
        return {
            "TrafficDistributionGroupSummaryList": [
                _group_summary(self.world.groups[group_id]) for group_id in page
            ],
            "NextToken": token,
        }

    def delete_traffic_distribution_group(self, *, traffic_distribution_group_id: str) -> None:
        """Delete a group, in its home Region; one that is gone already is no error."""
        try:
            group = self._group(traffic_distribution_group_id, at_home_only=True)
        except ResourceNotFoundError:
            return  # the operation's model has no ResourceNotFoundException
        if group.is_default:
            raise InvalidRequestError(f"{group.name} is the default group: it cannot be deleted.")
        del self.world.groups[group.id]

    def associate_traffic_distribution_group_user(
        self, *, traffic_distribution_group_id: str, user_id: str, instance_id: str
    ) -> None:
        """Associate a user with a group."""
        world = self.world
        group, instance = self._active_group(traffic_distribution_group_id, instance_id)
        user = self._user(user_id, instance)
        if instance.replica_region and (
            user.finding or not world.is_replicated(user, counting=True)
        ):
            raise InvalidRequestError(
                f"User {user.id} has not been replicated to {instance.replica_region} yet."
            )
        if user.id in group.members:
            _refuse(
                world.behaviour.associate_member,
                f"User {user.id} is associated with traffic distribution group {group.id} already.",
            )
            return
        for other in world.groups.values():
            if user.id in other.members and other.instance is instance:
                _refuse(
                    world.behaviour.user_in_several_groups,
                    f"User {user.id} is associated with traffic distribution group {other.id}.",
                )
        group.members[user.id] = None

    def disassociate_traffic_distribution_group_user(
        self, *, traffic_distribution_group_id: str, user_id: str, instance_id: str
    ) -> None:
        """Disassociate a user from a group."""
        group, instance = self._active_group(traffic_distribution_group_id, instance_id)
        user = self._user(user_id, instance)
        if user.id not in group.members:
            _refuse(
                self.world.behaviour.disassociate_non_member,
                f"User {user.id} is not associated with traffic distribution group {group.id}.",
            )
            return
        del group.members[user.id]

    def list_traffic_distribution_group_users(
        self,
        *,
        traffic_distribution_group_id: str,
        max_results: int | None = None,
        next_token: str | None = None,
    ) -> dict[str, Any]:
        """List the users of a group, from the home Region or the replica's."""
        world = self.world
        group = self._group(traffic_distribution_group_id, at_home_only=False)
        if group.status is not GroupStatus.ACTIVE:
            _refuse(
                world.behaviour.list_inactive_group,
                f"Traffic distribution group {group.id} is {group.status}.",
            )
        most = world.behaviour.group_users_max_results
        if max_results is not None and max_results > most:
            raise InvalidRequestError(f"MaxResults is {max_results}; the most is {most}.")
        cap = world.behaviour.group_users_page_size
        page, token = _page(
            group.members,
            scope=f"group-users/{group.id}",
            size=min(max_results or cap, cap),
            token=next_token,
        )
        spelled = page
        if world.behaviour.group_user_id is IdentifierForm.ARN:
            instance_arn = group.instance.arn_in(self.region_name)
            spelled = [f"{instance_arn}/agent/{user_id}" for user_id in page]
        return {
            "TrafficDistributionGroupUserSummaryList": [{"UserId": user_id} for user_id in spelled],
            "NextToken": token,
        }

    def _groups(self, instance: ConnectInstance | None) -> list[TrafficDistributionGroup]:
        return [
            group
            for group in self.world.groups.values()
            if self.region_name in (group.region, *group.instance.regions)
            and (instance is None or group.instance is instance)
        ]

    def _active_group(
        self, group_id: str, instance_id: str
    ) -> tuple[TrafficDistributionGroup, ConnectInstance]:
        group = self._group(group_id, at_home_only=True)
        if group.status is not GroupStatus.ACTIVE:
            raise ResourceNotFoundError(
                f"Traffic distribution group {group.id} not found among the active groups."
            )
        instance = self.world.instance(instance_id, region=self.region_name)
        if group.instance is not instance:
            raise ResourceNotFoundError(
                f"Traffic distribution group {group.id} not found in instance {instance.id}."
            )
        return group, instance

    # Contacts ---------------------------------------------------------------------------------

    def describe_contact(self, *, instance_id: str, contact_id: str) -> dict[str, Any]:
        """Return a contact."""
        world = self.world
        instance = world.instance(instance_id, region=self.region_name)
        contact = world.contact(contact_id, instance=instance)
        if contact.active_region != self.region_name:
            _refuse(
                world.behaviour.describe_in_other_region,
                f"Contact {contact.id} not found in {self.region_name}.",
            )
        world.settle_contact(contact, counting=True)
        return {"Contact": self._contact_description(contact)}

    def associate_contact_with_user(
        self, *, instance_id: str, contact_id: str, user_id: str
    ) -> None:
        """Offer a queued contact to a user."""
        behaviour = self.world.behaviour
        contact = self._contact_to_change(instance_id, contact_id)
        user = self._user(user_id, contact.instance)
        if contact.ended_at is not None:
            _refuse(behaviour.associate_ended_contact, f"Contact {contact.id} has ended.")
        if contact.channel is Channel.VOICE:
            if contact.customer_first_callback:
                raise InvalidRequestError(f"Contact {contact.id} is a customer-first callback.")
            _refuse(behaviour.associate_voice_contact, f"Contact {contact.id} is a voice contact.")
        if contact.agent_id is not None:
            _refuse(
                behaviour.associate_connected_contact,
                f"Contact {contact.id} is connected to user {contact.agent_id}.",
            )
        elif contact.offered_to is not None:
            _refuse(
                behaviour.associate_offered_contact,
                f"Contact {contact.id} is offered to user {contact.offered_to}.",
            )
        elif contact.queue_id is None:
            raise InvalidRequestError(f"Contact {contact.id} is not in a queue.")
        self.world.offer(contact, user)

    def start_task_contact(
        self,
        *,
        instance_id: str,
        name: str,
        contact_flow_id: str | None = None,
        client_token: str | None = None,
        **_not_kept: object,
    ) -> dict[str, str]:
        """Start a task, which its flow puts into the instance's first queue."""
        world = self.world
        request = {"instance": instance_id, "name": name, "flow": contact_flow_id}

        def start() -> dict[str, str]:
            instance = world.instance(instance_id, region=self.region_name)
            if contact_flow_id is None:
                raise InvalidRequestError("The emulation starts tasks with a ContactFlowId only.")
            flow = world.contact_flow(contact_flow_id, instance=instance)
            queues = [queue for queue in world.queues.values() if queue.instance is instance]
            now = world.now()
            contact = Contact(
                id=world.new_id(),
                instance=instance,
                channel=Channel.TASK,
                queue_id=queues[0].id if queues else None,
                queued_at=now if queues else None,
                started_at=now,
                updated_at=now,
                active_region=self.region_name,
                contact_flow_id=flow.id,
                name=name,
            )
            world.contacts[contact.id] = contact
            return {"ContactId": contact.id}

        return self._once(client_token, request, start)

    def transfer_contact(  # noqa: PLR0913 - the API's members
        self,
        *,
        instance_id: str,
        contact_id: str,
        contact_flow_id: str,
        queue_id: str | None = None,
        user_id: str | None = None,
        client_token: str | None = None,
    ) -> dict[str, str]:
        """Transfer a task or an e-mail to a queue or to a user."""
        request = {
            "instance": instance_id,
            "contact": contact_id,
            "flow": contact_flow_id,
            "queue": queue_id,
            "user": user_id,
        }

        def transfer() -> dict[str, str]:
            contact = self._transfer(request)
            return {"ContactId": contact.id, "ContactArn": contact.arn}

        return self._once(client_token, request, transfer)

    def _once(
        self,
        client_token: str | None,
        request: dict[str, str | None],
        carry_out: Callable[[], dict[str, str]],
    ) -> dict[str, str]:
        """Carry a request out, or answer again what was answered to its token."""
        if client_token is None:
            return carry_out()
        if client_token not in self._answered:
            self._answered[client_token] = request, carry_out()
        earlier, answer = self._answered[client_token]
        if earlier != request:
            raise ConnectError(
                "IdempotencyException", f"ClientToken {client_token} was used for another request."
            )
        return answer

    def _transfer(self, request: Mapping[str, str | None]) -> Contact:
        world = self.world
        contact = self._contact_to_change(str(request["instance"]), str(request["contact"]))
        instance = contact.instance
        flow = world.contact_flow(str(request["flow"]), instance=instance)
        queue = world.queue(request["queue"], instance=instance) if request["queue"] else None
        user = self._user(request["user"], instance) if request["user"] else None
        if queue and user:
            raise InvalidRequestError("QueueId and UserId cannot be used in the same call.")
        if not queue and not user:
            _refuse(world.behaviour.transfer_without_target, "Neither QueueId nor UserId is given.")
        if contact.channel not in _TRANSFERABLE:
            raise InvalidRequestError(
                f"Contact {contact.id} is a {contact.channel} contact; "
                "only TASK and EMAIL contacts can be transferred."
            )
        if contact.ended_at is not None or contact.transferred_to is not None:
            raise InvalidRequestError(f"Contact {contact.id} is not active.")
        if contact.transfers >= _MAX_TRANSFERS:
            raise ConnectError(
                "ServiceQuotaExceededException",
                f"Contact {contact.id} has been transferred {_MAX_TRANSFERS} times.",
            )
        target = self._transfer_target(contact)
        target.transfers += 1
        target.contact_flow_id = flow.id
        target.queue_id = queue.id if queue else None
        target.queued_at = world.now() if queue else None
        target.updated_at = world.now()
        if user:
            world.offer(target, user)
        return target

    def _transfer_target(self, contact: Contact) -> Contact:
        world = self.world
        kind = world.behaviour.transferred_contact
        if kind is TransferredContact.SAME:
            contact.agent_id = contact.accepted_at = None
            contact.offered_to = contact.acceptance = None
            return contact
        target = Contact(
            id=world.new_id(),
            instance=contact.instance,
            channel=contact.channel,
            queue_id=None,
            started_at=world.now(),
            active_region=contact.active_region,
            initial_contact_id=contact.initial_contact_id or contact.id,
            previous_contact_id=contact.id,
            name=contact.name,
            transfers=contact.transfers,
        )
        world.contacts[target.id] = target
        contact.transferred_to = target.id
        if kind is TransferredContact.NEW_AND_OLD_ENDS:
            world.end(contact)
        return target

    def stop_contact(self, *, instance_id: str, contact_id: str, **_not_kept: object) -> None:
        """End a contact."""
        world = self.world
        instance = world.instance(instance_id, region=self.region_name)
        contact = world.contact(contact_id, instance=instance)
        if contact.active_region != self.region_name:
            raise ConnectError(
                "InvalidActiveRegionException",
                f"Contact {contact.id} is active in {contact.active_region}.",
            )
        if contact.ended_at is not None:
            _refuse(world.behaviour.stop_ended_contact, f"Contact {contact.id} has ended.")
        world.end(contact)

    def _contact_description(self, contact: Contact) -> dict[str, Any]:
        description: dict[str, Any] = {
            "Id": contact.id,
            "Arn": contact.arn,
            "Channel": contact.channel.value,
            "InitiationMethod": "TRANSFER" if contact.previous_contact_id else "API",
            "InitialContactId": contact.initial_contact_id,
            "PreviousContactId": contact.previous_contact_id,
            "Name": contact.name,
            "InitiationTimestamp": contact.started_at,
            "LastUpdateTimestamp": contact.updated_at,
            "DisconnectTimestamp": contact.ended_at,
            "GlobalResiliencyMetadata": {
                "ActiveRegion": contact.active_region,
                "OriginRegion": contact.instance.region,
            },
        }
        if contact.queue_id is not None:
            description["QueueInfo"] = {
                "Id": contact.queue_id,
                "EnqueueTimestamp": contact.queued_at,
            }
        if contact.agent_id is not None:
            description["AgentInfo"] = {
                "Id": contact.agent_id,
                "AcceptedByAgentTimestamp": contact.accepted_at,
                "ConnectedToAgentTimestamp": contact.accepted_at,
                "ActiveRegion": self._agent_region(contact),
            }
        return description

    def _agent_region(self, contact: Contact) -> str | None:
        """Return where the agent was signed in; only global routing tells it."""
        instance = contact.instance
        if instance.replica_region is None or not instance.global_routing:
            return None
        agent = self.world.users.get(contact.agent_id or "")
        return (agent and agent.active_region) or contact.active_region

    def _contact_to_change(self, instance_id: str, contact_id: str) -> Contact:
        world = self.world
        instance = world.instance(instance_id, region=self.region_name)
        contact = world.contact(contact_id, instance=instance)
        if contact.active_region != self.region_name:
            _refuse(
                world.behaviour.associate_in_other_region,
                f"Contact {contact.id} is active in {contact.active_region}.",
            )
        world.settle_contact(contact, counting=False)
        return contact


def _refuse(answer: Answer, message: str) -> None:
    """Raise the error that a switch stands for; return if it stands for success."""
    if answer is not Answer.SUCCEEDS:
        raise ConnectError(answer.value, message)


def _page(
    keys: Iterable[str], *, scope: str, size: int, token: str | None
) -> tuple[list[str], str | None]:
    """Return a page of *keys* in sorted order, and the token of the next.

    The token names the last key of the page, so that what joins or leaves between two pages makes
    the listing neither skip nor repeat anything else.
    """
    ordered = sorted(keys)
    if token is not None:
        try:
            of, last = json.loads(base64.urlsafe_b64decode(token.encode()))
        except (binascii.Error, ValueError, TypeError):
            of, last = None, ""
        if of != scope:
            raise InvalidRequestError(f"NextToken {token} is not valid for this listing.")
        ordered = [key for key in ordered if key > last]
    page = ordered[:size]
    if len(ordered) <= size:
        return page, None
    return page, base64.urlsafe_b64encode(json.dumps([scope, page[-1]]).encode()).decode()


def _group_summary(group: TrafficDistributionGroup) -> dict[str, Any]:
    return {
        "Id": group.id,
        "Arn": group.arn,
        "Name": group.name,
        "InstanceArn": group.instance.arn,
        "Status": group.status.value,
        "IsDefault": group.is_default,
    }
