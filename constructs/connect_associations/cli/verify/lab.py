"""What experiments work with: an instance, what may be changed in it, and how."""

from __future__ import annotations

import secrets
import string
import uuid
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from connect_associations.cli.verify import listing, restoring
from connect_associations.cli.verify.calls import SUCCEEDS, CannotTellError, NotAllowedError
from connect_associations.cli.verify.staging import Stage
from connect_provider.connect.client import ASSOCIATE_USER, DISASSOCIATE_USER
from connect_provider.identifiers import last_segment

if TYPE_CHECKING:
    from collections.abc import Callable

    from connect_associations.cli.verify.calls import Caller, Callers, Reply
    from connect_associations.cli.verify.journal import Journal, Note

PREFIX = "connect-associations-verify"
"""What the name of everything that is made begins with."""

_LOOKS = 30
_PAUSE = 2.0


class Group(NamedTuple):
    """A traffic distribution group by its ARN."""

    arn: str

    @property
    def id(self) -> str:
        """Its ID."""
        return last_segment(self.arn)

    @property
    def region(self) -> str:
        """Its home Region."""
        return self.arn.split(":")[3]


@dataclass(kw_only=True)
class Lab:
    """An instance, and what in it may be changed.

    :ivar callers: returns what calls a service in a Region.
    :ivar journal: is told what is to be put back.
    :ivar sleep: waits for as many seconds.
    :ivar now: the time in seconds; only differences matter.
    :ivar instance_id: the instance.
    :ivar identity: how its users are managed (IdentityManagementType).
    :ivar home: the source Region.
    :ivar replica: the other Region; None: the instance is not replicated.
    :ivar group: the group to work with; None: none.
    :ivar second: another group of the instance to work with; None: none.
    :ivar scratch: a group that was made, whose users do not matter; None: none.
    :ivar users: the IDs of up to two users who may be moved.
    :ivar contact_flow_id: a flow that puts tasks into a queue; None: no tasks are made.
    :ivar queue_id: a queue that tasks may be transferred to; None: none are transferred.
    :ivar create: whether groups and users may be made.
    :ivar read_only: whether nothing may be changed.
    :ivar cloudformation: whether a stack may be made.
    :ivar census: the users of each group of the instance before anything was changed, as Connect
        spells them.
    """

    callers: Callers
    journal: Journal
    sleep: Callable[[float], None]
    now: Callable[[], float]
    instance_id: str
    identity: str
    home: str
    replica: str | None
    group: Group | None
    second: Group | None
    users: list[str]
    contact_flow_id: str | None
    queue_id: str | None
    create: bool
    read_only: bool
    cloudformation: bool = False
    census: dict[str, list[str]] = field(default_factory=dict)
    scratch: Group | None = None
    _members: Note | None = None

    @property
    def connect(self) -> Caller:
        """Connect in the source Region."""
        return self.callers(self.home)

    @property
    def in_replica(self) -> Caller:
        """Connect in the other Region."""
        if self.replica is None:
            raise CannotTellError("the instance is not replicated")
        return self.callers(self.replica)

    def chosen(self) -> Group:
        """Return the group to work with."""
        if self.group is None:
            raise CannotTellError("there is no traffic distribution group to work with")
        return self.group

    def elsewhere(self, group: Group) -> Caller:
        """Return what calls Connect outside of a group's home Region."""
        return self.in_replica if group.region == self.home else self.connect

    # Groups -----------------------------------------------------------------------------------

    def take_census(self) -> None:
        """List the users of every group of the instance.

        :raises CannotTellError: Connect would not list them.
        """
        for summary in listing.groups(self.connect, self.instance_id):
            group = Group(summary["Arn"])
            spelled = listing.spelled_users(self.callers(group.region), group.arn)
            if spelled is not None:
                self.census[group.arn] = spelled

    def note_members(self) -> None:
        """Note where the users are, and where they are not, before anybody is moved."""
        groups = {
            arn: sorted(set(map(last_segment, spelled)) & set(self.users))
            for arn, spelled in self.census.items()
        }
        if self._members is None:
            self._members = self.journal.note(
                restoring.MEMBERS,
                instance_id=self.instance_id,
                users=list(self.users),
                groups=groups,
            )
        else:
            self.journal.amend(self._members, users=list(self.users), groups=groups)

    @property
    def members_note(self) -> Note | None:
        """Where the users were; None if nobody was moved."""
        return self._members

    def is_member(self, group: Group, user_id: str) -> bool:
        """Return whether a user is in a group."""
        return user_id in (listing.group_users(self.callers(group.region), group.arn) or ())

    def associate(self, group: Group, user_id: str, *, caller: Caller | None = None) -> Reply:
        """Associate a user with a group, and return how that ended."""
        return self._move(ASSOCIATE_USER, group, user_id, caller)

    def disassociate(self, group: Group, user_id: str) -> Reply:
        """Disassociate a user from a group, and return how that ended."""
        return self._move(DISASSOCIATE_USER, group, user_id, None)

    def bring(self, user_id: str, group: Group, *, inside: bool) -> None:
        """Make sure that a user is in a group, or not in it.

        :raises CannotTellError: it does not come about.
        """
        move, code = self.associate if inside else self.disassociate, ""
        for _ in range(_LOOKS):
            if self.is_member(group, user_id) is inside:
                return
            code = move(group, user_id).code
            if code != SUCCEEDS:
                self.sleep(_PAUSE)
        raise CannotTellError(
            f"a user could not be {'associated' if inside else 'disassociated'}: {code}"
        )

    def _move(self, operation: str, group: Group, user_id: str, caller: Caller | None) -> Reply:
        return (caller or self.callers(group.region)).ask(
            operation,
            InstanceId=self.instance_id,
            TrafficDistributionGroupId=group.arn,
            UserId=user_id,
        )

    # Making -----------------------------------------------------------------------------------

    def make_group(self) -> tuple[Group, Note]:
        """Make a group in the source Region, which may not be ACTIVE yet."""
        name = _new_name()
        note = self.journal.note(
            restoring.GROUP, region=self.home, instance_id=self.instance_id, name=name
        )
        answer = self._make(
            note, "CreateTrafficDistributionGroup", Name=name, InstanceId=self.instance_id
        )
        self.journal.amend(note, group_id=answer["Id"])
        group = Group(answer["Arn"])
        self.census[group.arn] = []
        if self._members is not None:
            self.note_members()
        return group, note

    def make_user(self) -> tuple[str, Note]:
        """Make a user who may do what one of the instance's users may.

        :raises CannotTellError: users of this instance cannot be made.
        """
        if self.identity == "EXISTING_DIRECTORY":
            raise CannotTellError("the instance takes its users from a directory")
        like = self._somebody()
        name = _new_name()
        note = self.journal.note(
            restoring.USER, region=self.home, instance_id=self.instance_id, username=name
        )
        managed = self.identity == "CONNECT_MANAGED"
        answer = self._make(
            note,
            "CreateUser",
            InstanceId=self.instance_id,
            Username=name,
            PhoneConfig={"PhoneType": "SOFT_PHONE"},
            IdentityInfo={"FirstName": "Verify", "LastName": "Associations"},
            RoutingProfileId=like["RoutingProfileId"],
            SecurityProfileIds=like["SecurityProfileIds"],
            **({"Password": _password()} if managed else {}),
        )
        self.journal.amend(note, user_id=answer["UserId"])
        return answer["UserId"], note

    def _somebody(self) -> dict[str, Any]:
        user_ids = self.users or [
            user["Id"]
            for user in self.connect.must("ListUsers", InstanceId=self.instance_id, MaxResults=1)[
                "UserSummaryList"
            ]
        ]
        if not user_ids:
            raise CannotTellError("the instance has no user to make another one like it")
        user: dict[str, Any] = self.connect.must(
            "DescribeUser", InstanceId=self.instance_id, UserId=user_ids[0]
        )["User"]
        return user

    def make_stage(self) -> Stage:
        """Return a stack of its own, which is yet to be created."""
        name = _new_name()
        stage = Stage(self.callers, region=self.home, name=name, sleep=self.sleep, now=self.now)
        stage.status()  # who may not look could not delete it either
        self.journal.note(restoring.STACK, region=self.home, stack_name=name)
        return stage

    def make_task(self) -> str:
        """Make a task, wait until it is in a queue, and return its contact ID.

        :raises CannotTellError: its flow puts it into none.
        """
        request = {
            "InstanceId": self.instance_id,
            "Name": PREFIX,
            "ContactFlowId": self.contact_flow_id,
            "ClientToken": str(uuid.uuid4()),
        }
        note = self.journal.note(restoring.TASK, region=self.home, request=request)
        contact_id: str = self._make(note, "StartTaskContact", **request)["ContactId"]
        self.journal.amend(note, contact_id=contact_id)
        for _ in range(_LOOKS):
            if "QueueInfo" in self.describe_contact(contact_id):
                return contact_id
            self.sleep(_PAUSE)
        raise CannotTellError("the flow puts a task into no queue within a minute")

    def describe_contact(self, contact_id: str) -> dict[str, Any]:
        """Return a contact's description; empty if Connect does not find it."""
        reply = self.connect.ask(
            "DescribeContact", InstanceId=self.instance_id, ContactId=contact_id
        )
        contact: dict[str, Any] = reply.answer.get("Contact", {})
        return contact

    def offer(self, contact_id: str, user_id: str, *, caller: Caller | None = None) -> Reply:
        """Offer a contact to a user, and return how that ended."""
        return (caller or self.connect).ask(
            "AssociateContactWithUser",
            InstanceId=self.instance_id,
            ContactId=contact_id,
            UserId=user_id,
        )

    def stop(self, contact_id: str, *, caller: Caller | None = None) -> Reply:
        """End a contact, and return how that ended."""
        return (caller or self.connect).ask(
            "StopContact", InstanceId=self.instance_id, ContactId=contact_id
        )

    def transfer(self, contact_id: str, *, queue_id: str | None) -> Reply:
        """Send a contact to the flow and a queue, and return how that ended."""
        request: dict[str, Any] = {
            "InstanceId": self.instance_id,
            "ContactId": contact_id,
            "ContactFlowId": self.contact_flow_id,
            "ClientToken": str(uuid.uuid4()),
            **({"QueueId": queue_id} if queue_id else {}),
        }
        note = self.journal.note(restoring.TRANSFER, region=self.home, request=request)
        reply = self._ask_noted(note, "TransferContact", **request)
        if reply.succeeded:
            self.journal.amend(note, contact_id=reply.answer["ContactId"])
        return reply

    def _make(self, note: Note, operation: str, **request: object) -> dict[str, Any]:
        reply = self._ask_noted(note, operation, **request)
        if not reply.succeeded:
            raise CannotTellError(f"{operation} answered {reply.code}")
        return reply.answer

    def _ask_noted(self, note: Note, operation: str, **request: object) -> Reply:
        """Make a call whose effect is noted; if it is refused, there is nothing to put back."""
        try:
            reply = self.connect.ask(operation, **request)
        except NotAllowedError:
            self.journal.done(note)
            raise
        if not reply.succeeded:
            self.journal.done(note)
        return reply


def _new_name() -> str:
    return f"{PREFIX}-{uuid.uuid4().hex[:12]}"


def _password() -> str:
    """Return a password that nobody knows, with what Connect asks of one."""
    return "Aa1" + "".join(secrets.choice(string.ascii_letters + string.digits) for _ in range(40))
