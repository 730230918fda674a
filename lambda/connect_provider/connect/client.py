"""The part of Amazon Connect's API that the provider uses, in canonical IDs.

Each method is one call, or one paginated listing, made when its turn comes. A missing resource is
None, any other failure is raised as it came; what it means is decided elsewhere. An operation whose
answer says nothing has no method: it is sent by its name. The operations
are described at ``https://docs.aws.amazon.com/connect/latest/APIReference/API_<operation>.html``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from connect_provider.connect.calls import Calls, overlapped
from connect_provider.failures import CallError, Failure
from connect_provider.identifiers import last_segment

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Iterator

    from connect_provider.errors import StillWaiting

ASSOCIATE_USER = "AssociateTrafficDistributionGroupUser"
DISASSOCIATE_USER = "DisassociateTrafficDistributionGroupUser"
_PAGE_SIZE = 1000  # the most that ListTrafficDistributionGroupUsers takes; a page may hold less
_SMALL_PAGE_SIZE = 10  # what older service models allow
SEARCH_PAGE_SIZE = 500  # the most that SearchUsers takes


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


class UserPage(NamedTuple):
    """A page of SearchUsers: user names by ID, and about how many users the search finds in all."""

    usernames: dict[str, str]
    total: int


class Contact(NamedTuple):
    """What DescribeContact says, without the customer's data.

    :ivar agent_id: the user who accepted the contact; None while it is queued or offered.
    :ivar queue_id: the queue it is or was in.
    """

    channel: str
    agent_id: str | None
    queue_id: str | None
    ended: bool
    active_region: str | None
    previous_contact_id: str | None


class Connect(Calls):
    """Amazon Connect in one Region."""

    # -- traffic distribution groups and users ---------------------------------------------------

    def list_group_users(self, group: Group) -> frozenset[str] | None:
        """Return the group's users; None if Connect does not find the group."""
        users: set[str] = set()
        request: dict[str, Any] = {"MaxResults": _PAGE_SIZE}
        # The paginator would lose the pages it has when one of them is throttled.
        while True:
            try:
                page = self.found(
                    "ListTrafficDistributionGroupUsers",
                    TrafficDistributionGroupId=group.id,
                    **request,
                )
            except CallError as error:
                if error.failure is Failure.INVALID and request["MaxResults"] == _PAGE_SIZE:
                    request["MaxResults"] = _SMALL_PAGE_SIZE
                    continue
                raise
            if page is None:
                return None
            summaries = page.get("TrafficDistributionGroupUserSummaryList", [])
            users.update(last_segment(user["UserId"]) for user in summaries if "UserId" in user)
            if not page.get("NextToken"):
                return frozenset(users)
            request["NextToken"] = page["NextToken"]

    def describe_group(self, group: Group) -> GroupDescription | None:
        """Return the group's description; None if there is no such group."""
        answer = self.found("DescribeTrafficDistributionGroup", TrafficDistributionGroupId=group.id)
        if answer is None:
            return None
        description = answer.get("TrafficDistributionGroup", {})
        arn = description.get("Arn", "").split(":")
        return GroupDescription(
            status=description.get("Status", "unknown"),
            home_region=arn[3] if len(arn) > 3 else group.region,  # noqa: PLR2004 - the fourth part is the Region
        )

    def describe_user(self, *, instance_id: str, user_id: str) -> User | None:
        """Return the user; None if the instance has no such user, or there is no such instance."""
        answer = self.found("DescribeUser", InstanceId=instance_id, UserId=user_id)
        if answer is None:
            return None
        modified = answer.get("User", {}).get("LastModifiedTime")
        return User(last_modified=modified.timestamp() if modified else None)

    def search(self, *, instance_id: str, **request: Any) -> Iterator[UserPage]:  # noqa: ANN401 - what SearchUsers takes
        """Yield the users whom a search finds, page by page.

        :param request: ``SearchCriteria`` and ``SearchFilter``; without them it finds everybody.
        """
        while True:
            page = self.send(
                "SearchUsers", InstanceId=instance_id, MaxResults=SEARCH_PAGE_SIZE, **request
            )
            users = page.get("Users", [])
            yield UserPage(
                usernames={
                    last_segment(user["Id"]): user.get("Username", "")
                    for user in users
                    if "Id" in user
                },
                total=page.get("ApproximateTotalCount", len(users)),
            )
            if not page.get("NextToken"):
                return
            request["NextToken"] = page["NextToken"]

    def replication_findings(self, *, instance_id: str) -> dict[str, str]:
        """Return why users of the instance could not be replicated, by their IDs.

        Only what needs somebody's action is listed: who is not in it may not be replicated either.
        """
        found: dict[str, str] = {}
        request: dict[str, Any] = {"ResourceType": "AGENT", "MaxResults": 100}
        while True:
            page = self.send("ListReplicationFindings", InstanceId=instance_id, **request)
            for finding in page.get("ReplicationFindingsList", []):
                told = (finding.get(name) for name in ("ReferenceCode", "Message", "Region"))
                found[last_segment(finding["Id"])] = ", ".join(filter(None, told))
            if not page.get("NextToken"):
                return found
            request["NextToken"] = page["NextToken"]

    def move_user(self, operation: str, *, instance_id: str, group: Group, user_id: str) -> None:
        """Associate a user with a group, or take the user out of it.

        :param operation: :data:`ASSOCIATE_USER` or :data:`DISASSOCIATE_USER`.
        """
        self.send(
            operation,
            InstanceId=instance_id,
            TrafficDistributionGroupId=group.id,
            UserId=user_id,
        )

    def move_users(
        self, operation: str, *, instance_id: str, group: Group, user_ids: Iterable[str]
    ) -> Generator[tuple[str, CallError | StillWaiting | None]]:
        """Move each user as :meth:`move_user` does, several at once where the quota is high.

        :param user_ids: taken one by one, when there is room for another call.
        :returns: the users with what went wrong, in the order of the answers.
        """
        return overlapped(
            user_ids,
            lambda user_id: self.move_user(
                operation, instance_id=instance_id, group=group, user_id=user_id
            ),
            width=lambda: self.paces[self.region, operation].width,
        )

    # -- contacts --------------------------------------------------------------------------------

    def describe_contact(self, *, instance_id: str, contact_id: str) -> Contact | None:
        """Return the contact; None if Connect does not know it, or no longer."""
        answer = self.found("DescribeContact", InstanceId=instance_id, ContactId=contact_id)
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
