"""Requests about contacts."""

import json

from .resiliency_responses import ResiliencyResponse


class ContactResponse(ResiliencyResponse):
    def start_task_contact(self) -> str:
        params = self._body_params()
        contact = self.connect_backend.start_task_contact(
            instance_id=params["InstanceId"],
            name=params["Name"],
            contact_flow_id=params.get("ContactFlowId"),
            client_token=params.get("ClientToken"),
        )
        return json.dumps({"ContactId": contact.id})

    def describe_contact(self) -> str:
        contact = self.connect_backend.describe_contact(
            instance_id=self._path_param("InstanceId"),
            contact_id=self._path_param("ContactId"),
        )
        return json.dumps({"Contact": contact})

    def associate_contact_with_user(self) -> str:
        self.connect_backend.associate_contact_with_user(
            instance_id=self._path_param("InstanceId"),
            contact_id=self._path_param("ContactId"),
            user_id=self._body_params()["UserId"],
        )
        return "{}"

    def transfer_contact(self) -> str:
        params = self._body_params()
        contact = self.connect_backend.transfer_contact(
            instance_id=params["InstanceId"],
            contact_id=params["ContactId"],
            contact_flow_id=params["ContactFlowId"],
            queue_id=params.get("QueueId"),
            user_id=params.get("UserId"),
            client_token=params.get("ClientToken"),
        )
        return json.dumps({"ContactId": contact.id, "ContactArn": contact.arn})

    def stop_contact(self) -> str:
        params = self._body_params()
        self.connect_backend.stop_contact(
            instance_id=params["InstanceId"], contact_id=params["ContactId"]
        )
        return "{}"
