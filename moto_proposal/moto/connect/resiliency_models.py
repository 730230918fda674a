"""Users and traffic distribution groups of ConnectBackend."""

import uuid
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from moto.core.base_backend import BaseBackend
from moto.core.common_models import BaseModel
from moto.utilities.paginator import paginate

from .exceptions import (
    DuplicateResourceException,
    InvalidRequestException,
    ResourceConflictException,
    ResourceNotFoundException,
    ResourceNotReadyException,
)

if TYPE_CHECKING:
    from .models import ConnectBackend, Instance

PAGINATION_MODEL = {
    "list_users": {
        "input_token": "next_token",
        "limit_key": "max_results",
        "limit_default": 100,
        "unique_attribute": "Id",
    },
    "list_traffic_distribution_groups": {
        "input_token": "next_token",
        "limit_key": "max_results",
        "limit_default": 10,
        "unique_attribute": "Arn",
    },
    "list_traffic_distribution_group_users": {
        "input_token": "next_token",
        "limit_key": "max_results",
        "limit_default": 10,
        "unique_attribute": "UserId",
    },
}


class User(BaseModel):
    def __init__(self, instance_arn: str, params: dict[str, Any]) -> None:
        self.id = str(uuid.uuid4())
        self.arn = f"{instance_arn}/agent/{self.id}"
        self.username = params["Username"]
        self.identity_info = params.get("IdentityInfo")
        self.phone_config = params.get("PhoneConfig")
        self.directory_user_id = params.get("DirectoryUserId")
        self.security_profile_ids = params["SecurityProfileIds"]
        self.routing_profile_id = params["RoutingProfileId"]
        self.hierarchy_group_id = params.get("HierarchyGroupId")
        self.last_modified_time = datetime.now(timezone.utc)

    def to_dict(self, tags: dict[str, str]) -> dict[str, Any]:
        result = {
            "Id": self.id,
            "Arn": self.arn,
            "Username": self.username,
            "IdentityInfo": self.identity_info,
            "PhoneConfig": self.phone_config,
            "DirectoryUserId": self.directory_user_id,
            "SecurityProfileIds": self.security_profile_ids,
            "RoutingProfileId": self.routing_profile_id,
            "HierarchyGroupId": self.hierarchy_group_id,
            "LastModifiedTime": self.last_modified_time.isoformat(),
            "Tags": tags or None,
        }
        return {key: value for key, value in result.items() if value is not None}

    def to_summary_dict(self) -> dict[str, Any]:
        return {"Id": self.id, "Arn": self.arn, "Username": self.username}


class TrafficDistributionGroup(BaseModel):
    def __init__(
        self,
        name: str,
        description: str | None,
        instance: "Instance",
        account_id: str,
        region: str,
    ) -> None:
        self.id = str(uuid.uuid4())
        self.arn = f"arn:aws:connect:{region}:{account_id}:traffic-distribution-group/{self.id}"
        self.name = name
        self.description = description
        self.instance_id = instance.id
        self.instance_arn = instance.arn
        self.region = region
        self.status = "ACTIVE"
        self.is_default = False
        self.user_ids: set[str] = set()

    def to_summary_dict(self) -> dict[str, Any]:
        return {
            "Id": self.id,
            "Arn": self.arn,
            "Name": self.name,
            "InstanceArn": self.instance_arn,
            "Status": self.status,
            "IsDefault": self.is_default,
        }

    def to_dict(self, tags: dict[str, str]) -> dict[str, Any]:
        result = self.to_summary_dict()
        if self.description:
            result["Description"] = self.description
        if tags:
            result["Tags"] = tags
        return result


class ResiliencyBackend(BaseBackend):
    """What of Connect has to do with Global Resiliency.

    A source instance and its replica share an ID, users and groups. Users are kept in the source
    Region, a group in the Region in which it was created.
    """

    def __init__(self, region_name: str, account_id: str) -> None:
        super().__init__(region_name, account_id)
        self.users: dict[str, dict[str, User]] = {}
        self.traffic_distribution_groups: dict[str, TrafficDistributionGroup] = {}
        # From an instance to its source and its other Region; only those that are replicated.
        self.replications: dict[str, tuple[str, str]] = {}

    def _in_region(self, region: str) -> "ConnectBackend":
        from .models import connect_backends

        return connect_backends[self.account_id][region]

    def _get_instance(self, instance_id: str) -> "Instance":
        """Get an instance by ID or ARN, or raise."""
        return self._get_instance_or_raise(  # type: ignore[attr-defined, no-any-return]
            instance_id.split("/")[-1]
        )

    def _users_of(self, instance_id: str) -> dict[str, User]:
        """Get the users of an instance, which its replica shares."""
        instance = self._get_instance(instance_id)
        source, _ = self.replications.get(instance.id, (self.region_name, ""))
        return self._in_region(source).users.setdefault(instance.id, {})

    # Instances

    def replicate_instance(
        self, instance_id: str, replica_region: str, replica_alias: str | None = None
    ) -> dict[str, str]:
        from .models import Instance

        instance = self._get_instance(instance_id)
        if instance.id in self.replications:
            raise ResourceConflictException(
                f"Instance {instance.id} is replicated already"
            )
        if replica_region == self.region_name:
            raise InvalidRequestException(
                "ReplicaRegion is the Region of the source instance"
            )
        replica = Instance(
            identity_management_type=instance.identity_management_type,
            inbound_calls_enabled=instance.inbound_calls_enabled,
            outbound_calls_enabled=instance.outbound_calls_enabled,
            account_id=self.account_id,
            region=replica_region,
            instance_alias=replica_alias,
        )
        replica.id = instance.id
        replica.arn = instance.arn.replace(
            f":{self.region_name}:", f":{replica_region}:", 1
        )
        other = self._in_region(replica_region)
        other.instances[replica.id] = replica
        for backend in (self, other):
            backend.replications[instance.id] = (self.region_name, replica_region)
        return {"Id": replica.id, "Arn": replica.arn}

    def describe_replication(self, instance_id: str) -> dict[str, Any] | None:
        instance = self._get_instance(instance_id)
        if instance.id not in self.replications:
            return None
        source, replica = self.replications[instance.id]
        return {
            "SourceRegion": source,
            "ReplicationStatusSummaryList": [
                {
                    "Region": region,
                    "ReplicationStatus": "INSTANCE_REPLICATION_COMPLETE",
                }
                for region in (source, replica)
            ],
        }

    # Users

    def create_user(self, instance_id: str, params: dict[str, Any]) -> User:
        instance = self._get_instance(instance_id)
        users = self._users_of(instance_id)
        if any(
            user.username.lower() == params["Username"].lower()
            for user in users.values()
        ):
            raise DuplicateResourceException(
                f"A user named {params['Username']} exists already"
            )
        user = User(instance_arn=instance.arn, params=params)
        users[user.id] = user
        if params.get("Tags"):
            self.tag_resource(user.arn, params["Tags"])  # type: ignore[attr-defined]
        return user

    def _get_user(self, instance_id: str, user_id: str) -> User:
        users = self._users_of(instance_id)
        user = users.get(user_id.split("/")[-1])
        if user is None:
            raise ResourceNotFoundException(f"User with id {user_id} not found")
        return user

    def describe_user(self, instance_id: str, user_id: str) -> dict[str, Any]:
        user = self._get_user(instance_id, user_id)
        return user.to_dict(
            self.list_tags_for_resource(user.arn)  # type: ignore[attr-defined]
        )

    @paginate(pagination_model=PAGINATION_MODEL)  # type: ignore[misc]
    def list_users(self, instance_id: str) -> list[dict[str, Any]]:
        users = self._users_of(instance_id).values()
        return [
            user.to_summary_dict() for user in sorted(users, key=lambda each: each.id)
        ]

    def delete_user(self, instance_id: str, user_id: str) -> None:
        user = self._get_user(instance_id, user_id)
        del self._users_of(instance_id)[user.id]
        for group in self._groups_of_instance(self._get_instance(instance_id).id):
            group.user_ids.discard(user.id)

    # Traffic distribution groups

    def create_traffic_distribution_group(
        self,
        name: str,
        instance_id: str,
        description: str | None = None,
        tags: dict[str, str] | None = None,
    ) -> TrafficDistributionGroup:
        instance = self._get_instance(instance_id)
        if instance.id not in self.replications:
            raise ResourceNotReadyException(
                f"Instance {instance.id} has not been replicated"
            )
        if any(group.name == name for group in self._groups_of_instance(instance.id)):
            raise ResourceConflictException(
                f"A traffic distribution group named {name} exists already"
            )
        group = TrafficDistributionGroup(
            name=name,
            description=description,
            instance=instance,
            account_id=self.account_id,
            region=self.region_name,
        )
        self.traffic_distribution_groups[group.id] = group
        if tags:
            self.tag_resource(group.arn, tags)  # type: ignore[attr-defined]
        return group

    def _groups_of_instance(self, instance_id: str) -> list[TrafficDistributionGroup]:
        regions = self.replications.get(instance_id, (self.region_name,))
        return [
            group
            for region in regions
            for group in self._in_region(region).traffic_distribution_groups.values()
            if group.instance_id == instance_id
        ]

    def _get_group(self, group_id: str, at_home: bool) -> TrafficDistributionGroup:
        """Get a group: by its ID in the home Region, by its ARN in the replica's too."""
        region = self.region_name
        if group_id.startswith("arn:"):
            region = group_id.split(":")[3]
        groups = self._in_region(region).traffic_distribution_groups
        group = groups.get(group_id.split("/")[-1])
        if group is None or (at_home and region != self.region_name):
            raise ResourceNotFoundException(
                f"Traffic distribution group with id {group_id} not found"
            )
        return group

    def describe_traffic_distribution_group(self, group_id: str) -> dict[str, Any]:
        group = self._get_group(group_id, at_home=False)
        return group.to_dict(
            self._in_region(group.region).list_tags_for_resource(group.arn)
        )

    @paginate(pagination_model=PAGINATION_MODEL)  # type: ignore[misc]
    def list_traffic_distribution_groups(
        self, instance_id: str | None = None
    ) -> list[dict[str, Any]]:
        if instance_id:
            instance_ids = [self._get_instance(instance_id).id]
        else:
            instance_ids = list(self.instances)  # type: ignore[attr-defined]
        groups = [
            group for each in instance_ids for group in self._groups_of_instance(each)
        ]
        return [
            group.to_summary_dict()
            for group in sorted(groups, key=lambda each: each.arn)
        ]

    def delete_traffic_distribution_group(self, group_id: str) -> None:
        try:
            group = self._get_group(group_id, at_home=True)
        except ResourceNotFoundException:
            return  # the operation has no such error
        del self.traffic_distribution_groups[group.id]

    def associate_traffic_distribution_group_user(
        self, group_id: str, instance_id: str, user_id: str
    ) -> None:
        group = self._get_group(group_id, at_home=True)
        group.user_ids.add(self._get_user(instance_id, user_id).id)

    def disassociate_traffic_distribution_group_user(
        self, group_id: str, instance_id: str, user_id: str
    ) -> None:
        group = self._get_group(group_id, at_home=True)
        user = self._get_user(instance_id, user_id)
        if user.id not in group.user_ids:
            raise ResourceNotFoundException(
                f"User {user.id} is not associated with {group.id}"
            )
        group.user_ids.remove(user.id)

    @paginate(pagination_model=PAGINATION_MODEL)  # type: ignore[misc]
    def list_traffic_distribution_group_users(
        self, group_id: str
    ) -> list[dict[str, str]]:
        group = self._get_group(group_id, at_home=False)
        return [{"UserId": user_id} for user_id in sorted(group.user_ids)]
