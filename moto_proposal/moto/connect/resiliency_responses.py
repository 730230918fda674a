"""Requests about users and traffic distribution groups."""

import json
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from moto.core.responses import BaseResponse

if TYPE_CHECKING:
    from .models import ConnectBackend


class ResiliencyResponse(BaseResponse):
    @property
    def connect_backend(self) -> "ConnectBackend":
        raise NotImplementedError

    def _path_param(self, name: str) -> str:
        return unquote(self._get_param(name) or "")

    def _body_params(self) -> dict[str, Any]:
        params: dict[str, Any] = json.loads(self.body) if self.body else {}
        return params

    def _page(self, key: str, method: Any, **kwargs: Any) -> str:
        results, token = method(
            max_results=self._get_int_param("maxResults"),
            next_token=self._get_param("nextToken"),
            **kwargs,
        )
        response: dict[str, Any] = {key: results}
        if token:
            response["NextToken"] = token
        return json.dumps(response)

    def replicate_instance(self) -> str:
        params = self._body_params()
        replica = self.connect_backend.replicate_instance(
            instance_id=self._path_param("InstanceId"),
            replica_region=params["ReplicaRegion"],
            replica_alias=params.get("ReplicaAlias"),
        )
        return json.dumps(replica)

    def create_user(self) -> str:
        user = self.connect_backend.create_user(
            instance_id=self._path_param("InstanceId"), params=self._body_params()
        )
        return json.dumps({"UserId": user.id, "UserArn": user.arn})

    def describe_user(self) -> str:
        user = self.connect_backend.describe_user(
            instance_id=self._path_param("InstanceId"),
            user_id=self._path_param("UserId"),
        )
        return json.dumps({"User": user})

    def list_users(self) -> str:
        return self._page(
            "UserSummaryList",
            self.connect_backend.list_users,
            instance_id=self._path_param("InstanceId"),
        )

    def delete_user(self) -> str:
        self.connect_backend.delete_user(
            instance_id=self._path_param("InstanceId"),
            user_id=self._path_param("UserId"),
        )
        return "{}"

    def create_traffic_distribution_group(self) -> str:
        params = self._body_params()
        group = self.connect_backend.create_traffic_distribution_group(
            name=params["Name"],
            instance_id=params["InstanceId"],
            description=params.get("Description"),
            tags=params.get("Tags"),
        )
        return json.dumps({"Id": group.id, "Arn": group.arn})

    def describe_traffic_distribution_group(self) -> str:
        group = self.connect_backend.describe_traffic_distribution_group(
            group_id=self._path_param("TrafficDistributionGroupId")
        )
        return json.dumps({"TrafficDistributionGroup": group})

    def list_traffic_distribution_groups(self) -> str:
        return self._page(
            "TrafficDistributionGroupSummaryList",
            self.connect_backend.list_traffic_distribution_groups,
            instance_id=self._get_param("instanceId"),
        )

    def delete_traffic_distribution_group(self) -> str:
        self.connect_backend.delete_traffic_distribution_group(
            group_id=self._path_param("TrafficDistributionGroupId")
        )
        return "{}"

    def associate_traffic_distribution_group_user(self) -> str:
        params = self._body_params()
        self.connect_backend.associate_traffic_distribution_group_user(
            group_id=self._path_param("TrafficDistributionGroupId"),
            instance_id=params["InstanceId"],
            user_id=params["UserId"],
        )
        return "{}"

    def disassociate_traffic_distribution_group_user(self) -> str:
        self.connect_backend.disassociate_traffic_distribution_group_user(
            group_id=self._path_param("TrafficDistributionGroupId"),
            instance_id=self._get_param("InstanceId"),
            user_id=self._get_param("UserId"),
        )
        return "{}"

    def list_traffic_distribution_group_users(self) -> str:
        return self._page(
            "TrafficDistributionGroupUserSummaryList",
            self.connect_backend.list_traffic_distribution_group_users,
            group_id=self._path_param("TrafficDistributionGroupId"),
        )
