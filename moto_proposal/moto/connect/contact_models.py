"""Contacts of ConnectBackend."""

import uuid
from datetime import datetime, timezone
from typing import Any

from moto.core.common_models import BaseModel

from .exceptions import (
    ContactNotFoundException,
    IdempotencyException,
    InvalidActiveRegionException,
    InvalidRequestException,
    ResourceNotFoundException,
    ServiceQuotaExceededException,
)
from .resiliency_models import ResiliencyBackend

MAX_TRANSFERS = 11


class Contact(BaseModel):
    def __init__(
        self,
        instance_id: str,
        instance_arn: str,
        region: str,
        name: str,
        queue_id: str,
        previous: "Contact | None" = None,
    ) -> None:
        self.id = str(uuid.uuid4())
        self.arn = f"{instance_arn}/contact/{self.id}"
        self.instance_id = instance_id
        self.active_region = region
        self.name = name
        self.channel = "TASK"
        self.queue_id = queue_id
        self.agent_id: str | None = None
        self.initiation_timestamp = datetime.now(timezone.utc)
        self.disconnect_timestamp: datetime | None = None
        self.previous_contact_id = previous.id if previous else None
        self.initial_contact_id: str | None = (
            (previous.initial_contact_id or previous.id) if previous else None
        )
        self.transfers: int = previous.transfers + 1 if previous else 0

    def end(self) -> None:
        self.disconnect_timestamp = datetime.now(timezone.utc)

    def to_dict(self) -> dict[str, Any]:
        result: dict[str, Any] = {
            "Id": self.id,
            "Arn": self.arn,
            "Name": self.name,
            "Channel": self.channel,
            "InitiationMethod": "TRANSFER" if self.previous_contact_id else "API",
            "PreviousContactId": self.previous_contact_id,
            "InitialContactId": self.initial_contact_id,
            "InitiationTimestamp": self.initiation_timestamp.timestamp(),
            "QueueInfo": {
                "Id": self.queue_id,
                "EnqueueTimestamp": self.initiation_timestamp.timestamp(),
            },
            "GlobalResiliencyMetadata": {
                "ActiveRegion": self.active_region,
                "OriginRegion": self.active_region,
            },
        }
        if self.agent_id:
            result["AgentInfo"] = {"Id": self.agent_id}
        if self.disconnect_timestamp:
            result["DisconnectTimestamp"] = self.disconnect_timestamp.timestamp()
        return {key: value for key, value in result.items() if value is not None}


class ContactBackend(ResiliencyBackend):
    """Tasks: the contacts that can be made by API alone.

    A task waits in a queue of its instance until it is associated with a user, who accepts it.
    """

    def __init__(self, region_name: str, account_id: str) -> None:
        super().__init__(region_name, account_id)
        self.contacts: dict[str, Contact] = {}
        self.basic_queue_ids: dict[str, str] = {}
        # From a client token to the request that it came with, and to the answer.
        self.contact_tokens: dict[str, tuple[dict[str, Any], Contact]] = {}

    def _basic_queue_id(self, instance_id: str) -> str:
        """Get the queue that every new instance has."""
        return self.basic_queue_ids.setdefault(instance_id, str(uuid.uuid4()))

    def _get_contact(self, instance_id: str, contact_id: str) -> Contact:
        instance = self._get_instance(instance_id)
        for region in self.replications.get(instance.id, (self.region_name,)):
            contact = self._in_region(region).contacts.get(contact_id.split("/")[-1])
            if contact and contact.instance_id == instance.id:
                return contact
        raise ResourceNotFoundException(f"Contact with id {contact_id} not found")

    def _get_active_contact(self, instance_id: str, contact_id: str) -> Contact:
        contact = self._get_contact(instance_id, contact_id)
        if contact.active_region != self.region_name:
            raise ResourceNotFoundException(
                f"Contact {contact.id} is active in {contact.active_region}"
            )
        if contact.disconnect_timestamp:
            raise InvalidRequestException(f"Contact {contact.id} has ended")
        return contact

    def start_task_contact(
        self,
        instance_id: str,
        name: str,
        contact_flow_id: str | None,
        client_token: str | None,
    ) -> Contact:
        instance = self._get_instance(instance_id)
        request = {"instance": instance.id, "name": name, "flow": contact_flow_id}
        if client_token in self.contact_tokens:
            return self._answered(client_token, request)
        if not contact_flow_id:
            raise InvalidRequestException("ContactFlowId is required")
        contact = Contact(
            instance_id=instance.id,
            instance_arn=instance.arn,
            region=self.region_name,
            name=name,
            queue_id=self._basic_queue_id(instance.id),
        )
        return self._keep(contact, client_token, request)

    def describe_contact(self, instance_id: str, contact_id: str) -> dict[str, Any]:
        return self._get_contact(instance_id, contact_id).to_dict()

    def associate_contact_with_user(
        self, instance_id: str, contact_id: str, user_id: str
    ) -> None:
        contact = self._get_active_contact(instance_id, contact_id)
        user = self._get_user(instance_id, user_id)
        if contact.agent_id:
            raise InvalidRequestException(
                f"Contact {contact.id} is connected to user {contact.agent_id}"
            )
        contact.agent_id = user.id

    def transfer_contact(
        self,
        instance_id: str,
        contact_id: str,
        contact_flow_id: str,
        queue_id: str | None,
        user_id: str | None,
        client_token: str | None,
    ) -> Contact:
        request = {
            "contact": contact_id.split("/")[-1],
            "flow": contact_flow_id,
            "queue": queue_id,
            "user": user_id,
        }
        if client_token in self.contact_tokens:
            return self._answered(client_token, request)
        contact = self._get_active_contact(instance_id, contact_id)
        if bool(queue_id) == bool(user_id):
            raise InvalidRequestException("Either QueueId or UserId is required")
        if contact.transfers >= MAX_TRANSFERS:
            raise ServiceQuotaExceededException(
                f"Contact {contact.id} has been transferred {MAX_TRANSFERS} times"
            )
        instance = self._get_instance(instance_id)
        transferred = Contact(
            instance_id=instance.id,
            instance_arn=instance.arn,
            region=self.region_name,
            name=contact.name,
            queue_id=queue_id.split("/")[-1] if queue_id else contact.queue_id,
            previous=contact,
        )
        if user_id:
            transferred.agent_id = self._get_user(instance_id, user_id).id
        contact.end()
        return self._keep(transferred, client_token, request)

    def stop_contact(self, instance_id: str, contact_id: str) -> None:
        contact = self._get_contact(instance_id, contact_id)
        if contact.active_region != self.region_name:
            raise InvalidActiveRegionException(
                f"Contact {contact.id} is active in {contact.active_region}"
            )
        if contact.disconnect_timestamp:
            raise ContactNotFoundException(f"Contact {contact.id} has ended")
        contact.end()

    def _answered(self, client_token: str | None, request: dict[str, Any]) -> Contact:
        earlier, contact = self.contact_tokens[str(client_token)]
        if earlier != request:
            raise IdempotencyException(
                "ClientToken was used with another request already"
            )
        return contact

    def _keep(
        self, contact: Contact, client_token: str | None, request: dict[str, Any]
    ) -> Contact:
        self.contacts[contact.id] = contact
        if client_token:
            self.contact_tokens[client_token] = (request, contact)
        return contact
