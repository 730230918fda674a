"""What happens to a contact when its assignment is deleted."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from aws_cdk.interfaces import aws_connect as references


class ReleaseMode(Enum):
    """The modes of :class:`ContactRelease`, as the template spells them."""

    RETAIN = "RETAIN"
    STOP = "STOP"
    TRANSFER_TO_QUEUE = "TRANSFER_TO_QUEUE"


@dataclass(frozen=True, kw_only=True, slots=True)
class ContactRelease:
    """What happens to the contact when a :class:`ContactUserAssignment` is deleted.

    Amazon Connect cannot disassociate a contact from a user. Choose what comes nearest with
    :meth:`retain`, :meth:`stop` or :meth:`transfer_to_queue`.
    """

    mode: ReleaseMode
    contact_flow_id: str | references.IContactFlowRef | None = None
    queue_id: str | references.IQueueRef | None = None

    @classmethod
    def retain(cls) -> ContactRelease:
        """Leave the contact with the user. Works for every channel."""
        return cls(mode=ReleaseMode.RETAIN)

    @classmethod
    def stop(cls) -> ContactRelease:
        """End the contact (``StopContact``): the chat or task is over for good."""
        return cls(mode=ReleaseMode.STOP)

    @classmethod
    def transfer_to_queue(
        cls,
        *,
        contact_flow_id: str | references.IContactFlowRef,
        queue_id: str | references.IQueueRef | None = None,
    ) -> ContactRelease:
        """Transfer the contact to a queue (``TransferContact``). Tasks and e-mails only.

        Connect answers a transfer with a new contact, and allows 11 transfers for each contact.

        :param contact_flow_id: the flow that the transferred contact runs: an ID, an ARN, a token
            or a reference such as a CfnContactFlow. It must belong to the same instance.
        :param queue_id: the queue that takes the contact: an ID, an ARN, a token or a reference
            such as a CfnQueue. It must belong to the same instance.
            Default: - the queue that the contact came from
        """
        return cls(
            mode=ReleaseMode.TRANSFER_TO_QUEUE,
            contact_flow_id=contact_flow_id,
            queue_id=queue_id,
        )
