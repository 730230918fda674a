"""What an emulated Connect holds. Times are seconds since the epoch by the emulation's clock."""

from __future__ import annotations

import enum
from dataclasses import dataclass, field

from connect_associations.testing.identifiers import arn


class Channel(enum.StrEnum):
    """A contact's channel."""

    VOICE = "VOICE"
    CHAT = "CHAT"
    TASK = "TASK"
    EMAIL = "EMAIL"


class GroupStatus(enum.StrEnum):
    """A traffic distribution group's status."""

    CREATION_IN_PROGRESS = "CREATION_IN_PROGRESS"
    ACTIVE = "ACTIVE"
    CREATION_FAILED = "CREATION_FAILED"
    PENDING_DELETION = "PENDING_DELETION"
    DELETION_FAILED = "DELETION_FAILED"
    UPDATE_IN_PROGRESS = "UPDATE_IN_PROGRESS"


@dataclass(kw_only=True, slots=True)
class Countdown:
    """Something that happens after a number of calls, at a time, or at whichever comes first.

    :ivar calls: the calls still to come; None: calls do not count.
    :ivar at: the time; None: time does not count.
    """

    calls: int | None = None
    at: float | None = None

    def due(self, now: float) -> bool:
        """Return whether it has happened by *now*."""
        return (self.calls is not None and self.calls <= 0) or (
            self.at is not None and now >= self.at
        )

    def count(self) -> None:
        """Count a call."""
        if self.calls is not None:
            self.calls -= 1


@dataclass(kw_only=True, slots=True)
class ConnectInstance:
    """An instance, or a source instance and its replica, which share the ID.

    :ivar id: the instance's ID.
    :ivar region: the source Region.
    :ivar replica_region: the replica's Region; None: not replicated.
    :ivar account_id: the account.
    :ivar global_routing: whether a replicated instance has global routing, as those have that were
        made since September 2026. Default: True.
    :ivar isolated: whether contacts stay in their Region (cross-Region routing is off).
        Default: False.
    """

    id: str
    region: str
    replica_region: str | None
    account_id: str
    global_routing: bool = True
    isolated: bool = False

    @property
    def arn(self) -> str:
        """The ARN in the source Region."""
        return self.arn_in(self.region)

    @property
    def regions(self) -> tuple[str, ...]:
        """The source Region, and the replica's if there is one."""
        return (self.region, self.replica_region) if self.replica_region else (self.region,)

    def arn_in(self, region: str) -> str:
        """Return the ARN in *region*."""
        return arn(region=region, account_id=self.account_id, path=f"instance/{self.id}")


@dataclass(frozen=True, kw_only=True, slots=True)
class ReplicationFinding:
    """Why a resource cannot be replicated; see ListReplicationFindings."""

    reference_code: str
    message: str


@dataclass(kw_only=True, slots=True)
class User:
    """A user (agent) of an instance.

    :ivar id: the user's ID.
    :ivar instance: the instance.
    :ivar username: the name to sign in with.
    :ivar last_modified: when the user was created or last changed.
    :ivar replication: when replication to the other Region is done; None: it is.
    :ivar finding: why it cannot be replicated without somebody's help; None: it can.
    :ivar visibility: when requests begin to find it; None: they do.
    :ivar active_region: the Region in which the agent is signed in; None: wherever the contact is.
    :ivar hierarchy_path: the IDs of the user's hierarchy group and of those above it, from the top.
    """

    id: str
    instance: ConnectInstance
    username: str
    last_modified: float
    replication: Countdown | None = None
    finding: ReplicationFinding | None = None
    visibility: Countdown | None = None
    active_region: str | None = None
    first_name: str | None = None
    last_name: str | None = None
    routing_profile_id: str | None = None
    security_profile_ids: list[str] = field(default_factory=list)
    tags: dict[str, str] = field(default_factory=dict)
    hierarchy_path: tuple[str, ...] = ()

    @property
    def arn(self) -> str:
        """The ARN in the source Region."""
        return self.arn_in(self.instance.region)

    def arn_in(self, region: str) -> str:
        """Return the ARN in *region*."""
        return f"{self.instance.arn_in(region)}/agent/{self.id}"


@dataclass(kw_only=True, slots=True)
class TrafficDistributionGroup:
    """A traffic distribution group.

    :ivar id: the group's ID.
    :ivar name: its name.
    :ivar instance: the instance whose users it has.
    :ivar region: its home Region.
    :ivar status: the status now.
    :ivar next_status: the status it will have, with the countdown to it; None: it stays.
    :ivar members: the IDs of its users, in the order in which they joined.
    :ivar visibility: when requests begin to find it; None: they do.
    """

    id: str
    name: str
    instance: ConnectInstance
    region: str
    status: GroupStatus = GroupStatus.ACTIVE
    next_status: tuple[GroupStatus, Countdown] | None = None
    description: str | None = None
    is_default: bool = False
    tags: dict[str, str] = field(default_factory=dict)
    members: dict[str, None] = field(default_factory=dict)
    visibility: Countdown | None = None

    @property
    def arn(self) -> str:
        """The group's ARN; its Region is the home Region."""
        return arn(
            region=self.region,
            account_id=self.instance.account_id,
            path=f"traffic-distribution-group/{self.id}",
        )


@dataclass(kw_only=True, slots=True)
class Queue:
    """A queue of an instance."""

    id: str
    instance: ConnectInstance
    name: str

    @property
    def arn(self) -> str:
        """The ARN in the source Region."""
        return f"{self.instance.arn}/queue/{self.id}"


@dataclass(kw_only=True, slots=True)
class ContactFlow:
    """A published flow of an instance."""

    id: str
    instance: ConnectInstance
    name: str

    @property
    def arn(self) -> str:
        """The ARN in the source Region."""
        return f"{self.instance.arn}/contact-flow/{self.id}"


@dataclass(kw_only=True, slots=True)
class Contact:
    """A contact.

    :ivar id: the contact's ID.
    :ivar queue_id: the queue it is or was in; None: none yet.
    :ivar offered_to: the user it is offered to, who has not accepted; None: nobody.
    :ivar offers: every user it has been offered to, in order; a repeated ID is a repeated offer.
    :ivar agent_id: the user who accepted it; None: nobody.
    :ivar ended_at: when it ended; None: it is active.
    :ivar active_region: the Region in which it must be handled.
    :ivar customer_first_callback: whether it is a callback that rings the customer first, which
        cannot be offered by API.
    :ivar transfers: how often it has been transferred, along the whole chain.
    :ivar transferred_to: the contact that TransferContact made of it; None: none.
    """

    id: str
    instance: ConnectInstance
    channel: Channel
    queue_id: str | None
    started_at: float
    active_region: str
    queued_at: float | None = None
    offered_to: str | None = None
    offers: list[str] = field(default_factory=list)
    acceptance: Countdown | None = None
    agent_id: str | None = None
    accepted_at: float | None = None
    ended_at: float | None = None
    updated_at: float = 0.0
    initial_contact_id: str | None = None
    previous_contact_id: str | None = None
    contact_flow_id: str | None = None
    name: str | None = None
    customer_first_callback: bool = False
    transfers: int = 0
    transferred_to: str | None = None

    @property
    def arn(self) -> str:
        """The ARN in the active Region."""
        return f"{self.instance.arn_in(self.active_region)}/contact/{self.id}"
