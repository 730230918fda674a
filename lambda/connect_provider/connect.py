"""The part of Amazon Connect's API that the provider uses, typed and in canonical IDs.

Each method is one call, or one paginated listing. What a failure means for an association is
decided elsewhere; here a missing resource is None, and any other failure is raised as it came.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, TypeVar

import boto3

from connect_provider.calls import CallError, Failure
from connect_provider.errors import UnsupportedRuntimeError
from connect_provider.identifiers import last_segment

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Sequence

    from mypy_boto3_connect.client import ConnectClient
    from mypy_boto3_connect.type_defs import (
        ListTrafficDistributionGroupUsersRequestTypeDef,
        SearchUsersRequestTypeDef,
        TransferContactRequestTypeDef,
    )

    from connect_provider.caller import Caller
    from connect_provider.errors import StillWaiting

_T = TypeVar("_T")

_PAGE_SIZE = 1000  # the most that ListTrafficDistributionGroupUsers takes; a page may hold less
_SEARCH_PAGE_SIZE = 500  # the most that SearchUsers takes
_NAMES_A_SEARCH = 10
"""Names in one call: few, because how many conditions SearchUsers takes is not documented."""
_FIRST_BOTO3 = {
    "associate_traffic_distribution_group_user": "1.28.24",
    "disassociate_traffic_distribution_group_user": "1.28.24",
    "associate_contact_with_user": "1.40.40",
}


class Group(NamedTuple):
    """A traffic distribution group and its home Region."""

    id: str
    region: str

    def __str__(self) -> str:
        return f"traffic distribution group {self.id} in {self.region}"


class GroupDescription(NamedTuple):
    """What DescribeTrafficDistributionGroup says: the status, and the Region in the ARN."""

    status: str
    home_region: str


class User(NamedTuple):
    """What DescribeUser says: when the user was last changed, in seconds since the epoch."""

    last_modified: float | None


class Contact(NamedTuple):
    """What DescribeContact says, without anything that is the customer's.

    :ivar agent_id: the user who accepted the contact; None while it is queued or offered.
    :ivar queue_id: the queue it is or was in.
    """

    channel: str
    agent_id: str | None
    queue_id: str | None
    ended: bool
    active_region: str | None
    previous_contact_id: str | None


class Connect:
    """Amazon Connect in one Region, called at the pace of the quota.

    :param client: boto3's client, with its own retries off.
    :param region: the Region of the client.
    :param caller: makes the calls of the current invocation.
    """

    def __init__(self, *, client: ConnectClient, region: str, caller: Caller) -> None:
        self._client = client
        self._region = region
        self._caller = caller

    def list_group_users(self, group: Group) -> frozenset[str] | None:
        """Return the group's users; None if Connect does not find the group.

        Source: `ListTrafficDistributionGroupUsers
        <https://docs.aws.amazon.com/connect/latest/APIReference/API_ListTrafficDistributionGroupUsers.html>`_.
        """
        users: set[str] = set()
        request: ListTrafficDistributionGroupUsersRequestTypeDef = {
            "TrafficDistributionGroupId": group.id,
            "MaxResults": _PAGE_SIZE,
        }
        # The paginator would lose the pages it has when one of them is throttled.
        while True:
            page = self._found(
                "ListTrafficDistributionGroupUsers",
                str(group),
                lambda: self._client.list_traffic_distribution_group_users(**request),
            )
            if page is None:
                return None
            users.update(
                last_segment(summary["UserId"])
                for summary in page.get("TrafficDistributionGroupUserSummaryList", [])
                if "UserId" in summary
            )
            token = page.get("NextToken")
            if not token:
                return frozenset(users)
            request["NextToken"] = token

    def describe_group(self, group: Group) -> GroupDescription | None:
        """Return the group's description; None if there is no such group.

        Source: `DescribeTrafficDistributionGroup
        <https://docs.aws.amazon.com/connect/latest/APIReference/API_DescribeTrafficDistributionGroup.html>`_.
        """
        answer = self._found(
            "DescribeTrafficDistributionGroup",
            str(group),
            lambda: self._client.describe_traffic_distribution_group(
                TrafficDistributionGroupId=group.id
            ),
        )
        if answer is None:
            return None
        description = answer.get("TrafficDistributionGroup", {})
        arn = description.get("Arn", "").split(":")
        return GroupDescription(
            status=description.get("Status", "unknown"),
            home_region=arn[3] if len(arn) > 3 else group.region,  # noqa: PLR2004 - the fourth part is the Region
        )

    def describe_user(self, *, instance_id: str, user_id: str) -> User | None:
        """Return the user; None if the instance has no such user, or there is no such instance.

        Source: `DescribeUser
        <https://docs.aws.amazon.com/connect/latest/APIReference/API_DescribeUser.html>`_.
        """
        answer = self._found(
            "DescribeUser",
            f"user {user_id} of instance {instance_id}",
            lambda: self._client.describe_user(InstanceId=instance_id, UserId=user_id),
        )
        if answer is None:
            return None
        modified = answer.get("User", {}).get("LastModifiedTime")
        return User(last_modified=modified.timestamp() if modified else None)

    def search_users(
        self, *, instance_id: str, usernames: Sequence[str]
    ) -> dict[str, frozenset[str]]:
        """Return the IDs of the users with each of the names, in whatever case.

        Source: `SearchUsers
        <https://docs.aws.amazon.com/connect/latest/APIReference/API_SearchUsers.html>`_.
        """
        found: dict[str, set[str]] = {name.lower(): set() for name in usernames}
        for start in range(0, len(usernames), _NAMES_A_SEARCH):
            names = usernames[start : start + _NAMES_A_SEARCH]
            request: SearchUsersRequestTypeDef = {
                "InstanceId": instance_id,
                "MaxResults": _SEARCH_PAGE_SIZE,
                "SearchCriteria": {
                    "OrConditions": [
                        {
                            "StringCondition": {
                                "FieldName": "Username",
                                "Value": name,
                                "ComparisonType": "EXACT",
                            }
                        }
                        for name in names
                    ]
                },
            }
            while True:
                page = self._caller.call(
                    self._region,
                    "SearchUsers",
                    f"{len(names)} names, instance {instance_id}",
                    lambda: self._client.search_users(**request),  # noqa: B023 - called at once
                )
                for user in page.get("Users", []):
                    name = user.get("Username", "").lower()
                    if name in found and "Id" in user:
                        found[name].add(user["Id"])
                token = page.get("NextToken")
                if not token:
                    break
                request["NextToken"] = token
        return {name: frozenset(found[name.lower()]) for name in usernames}

    def associate_group_user(self, *, instance_id: str, group: Group, user_id: str) -> None:
        """Associate a user with a group.

        Source: `AssociateTrafficDistributionGroupUser
        <https://docs.aws.amazon.com/connect/latest/APIReference/API_AssociateTrafficDistributionGroupUser.html>`_.
        """
        self._require("associate_traffic_distribution_group_user")
        self._caller.call(
            self._region,
            "AssociateTrafficDistributionGroupUser",
            f"user {user_id}, {group}",
            lambda: self._client.associate_traffic_distribution_group_user(
                InstanceId=instance_id, TrafficDistributionGroupId=group.id, UserId=user_id
            ),
        )

    def disassociate_group_user(self, *, instance_id: str, group: Group, user_id: str) -> None:
        """Take a user out of a group.

        Source: `DisassociateTrafficDistributionGroupUser
        <https://docs.aws.amazon.com/connect/latest/APIReference/API_DisassociateTrafficDistributionGroupUser.html>`_.
        """
        self._require("disassociate_traffic_distribution_group_user")
        self._caller.call(
            self._region,
            "DisassociateTrafficDistributionGroupUser",
            f"user {user_id}, {group}",
            lambda: self._client.disassociate_traffic_distribution_group_user(
                InstanceId=instance_id, TrafficDistributionGroupId=group.id, UserId=user_id
            ),
        )

    def associate_group_users(
        self, *, instance_id: str, group: Group, user_ids: Iterable[str]
    ) -> Generator[tuple[str, CallError | StillWaiting | None]]:
        """Associate each user with a group, several at once where the quota is high.

        :param user_ids: taken one by one, when there is room for another call.
        :returns: the users with what went wrong, in the order of the answers.
        """
        return self._caller.call_each(
            self._region,
            "AssociateTrafficDistributionGroupUser",
            user_ids,
            lambda user_id: self.associate_group_user(
                instance_id=instance_id, group=group, user_id=user_id
            ),
        )

    def disassociate_group_users(
        self, *, instance_id: str, group: Group, user_ids: Iterable[str]
    ) -> Generator[tuple[str, CallError | StillWaiting | None]]:
        """Take each user out of a group, several at once where the quota is high.

        :param user_ids: taken one by one, when there is room for another call.
        :returns: the users with what went wrong, in the order of the answers.
        """
        return self._caller.call_each(
            self._region,
            "DisassociateTrafficDistributionGroupUser",
            user_ids,
            lambda user_id: self.disassociate_group_user(
                instance_id=instance_id, group=group, user_id=user_id
            ),
        )

    def describe_contact(self, *, instance_id: str, contact_id: str) -> Contact | None:
        """Return the contact; None if Connect does not know it, or no longer.

        Source: `DescribeContact
        <https://docs.aws.amazon.com/connect/latest/APIReference/API_DescribeContact.html>`_.
        """
        answer = self._found(
            "DescribeContact",
            f"contact {contact_id} of instance {instance_id}",
            lambda: self._client.describe_contact(InstanceId=instance_id, ContactId=contact_id),
        )
        if answer is None:
            return None
        contact = answer["Contact"]
        agent = contact.get("AgentInfo", {}).get("Id")
        queue = contact.get("QueueInfo", {}).get("Id")
        return Contact(
            channel=contact.get("Channel", "unknown"),
            agent_id=last_segment(agent) if agent else None,
            queue_id=last_segment(queue) if queue else None,
            ended="DisconnectTimestamp" in contact,
            active_region=contact.get("GlobalResiliencyMetadata", {}).get("ActiveRegion"),
            previous_contact_id=contact.get("PreviousContactId"),
        )

    def associate_contact(self, *, instance_id: str, contact_id: str, user_id: str) -> None:
        """Offer a queued contact to a user.

        Source: `AssociateContactWithUser
        <https://docs.aws.amazon.com/connect/latest/APIReference/API_AssociateContactWithUser.html>`_.
        """
        self._require("associate_contact_with_user")
        self._caller.call(
            self._region,
            "AssociateContactWithUser",
            f"contact {contact_id}, user {user_id}",
            lambda: self._client.associate_contact_with_user(
                InstanceId=instance_id, ContactId=contact_id, UserId=user_id
            ),
        )

    def transfer_contact(
        self,
        *,
        instance_id: str,
        contact_id: str,
        contact_flow_id: str,
        queue_id: str | None,
        client_token: str,
    ) -> None:
        """Send a task or an e-mail to a flow and a queue.

        Source: `TransferContact
        <https://docs.aws.amazon.com/connect/latest/APIReference/API_TransferContact.html>`_.
        """
        request: TransferContactRequestTypeDef = {
            "InstanceId": instance_id,
            "ContactId": contact_id,
            "ContactFlowId": contact_flow_id,
            "ClientToken": client_token,
        }
        if queue_id:
            request["QueueId"] = queue_id
        self._caller.call(
            self._region,
            "TransferContact",
            f"contact {contact_id} to queue {queue_id}, contact flow {contact_flow_id}",
            lambda: self._client.transfer_contact(**request),
        )

    def stop_contact(self, *, instance_id: str, contact_id: str) -> None:
        """End a contact.

        Source: `StopContact
        <https://docs.aws.amazon.com/connect/latest/APIReference/API_StopContact.html>`_.
        """
        self._caller.call(
            self._region,
            "StopContact",
            f"contact {contact_id}",
            lambda: self._client.stop_contact(InstanceId=instance_id, ContactId=contact_id),
        )

    def _found(self, operation: str, subject: str, send: Callable[[], _T]) -> _T | None:
        try:
            return self._caller.call(self._region, operation, subject, send)
        except CallError as error:
            if error.failure is Failure.NOT_FOUND:
                return None
            raise

    def _require(self, method: str) -> None:
        if not hasattr(self._client, method):
            raise UnsupportedRuntimeError(
                f"boto3 {boto3.__version__} in this Lambda runtime has no {method}: it came with "
                f"boto3 {_FIRST_BOTO3[method]}. Pass ConnectAssociationProvider bundle_sdk=True, "
                "or a runtime or a layer with a newer boto3."
            )
