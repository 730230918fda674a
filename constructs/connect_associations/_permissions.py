"""What the handlers may do, in one policy for each thing that is declared.

CloudFormation updates a policy *before* it deletes what the new template no longer holds, so
a policy that all associations share would already have lost the permissions that the Delete of
a removed association needs. Hence each instance, group and contact has a policy of its own,
which the custom resources depend on and whose logical ID comes from its content: it is never
changed, only replaced, and goes after the custom resources that needed it.

Actions, resources and dependent actions are those of the `Service Authorization Reference
<https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonconnect.html>`_.
"""

from __future__ import annotations

import hashlib
import json
import re
from typing import TYPE_CHECKING

import aws_cdk as cdk
from aws_cdk import aws_iam as iam

from connect_associations import _identifiers
from connect_associations._identifiers import ANY_REGION
from connect_associations.contact_release import ReleaseMode

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from constructs import Construct

    from connect_associations._identifiers import Identifier

MAX_POLICY_CHARACTERS = 10_240
"""What all inline policies of one role may hold together, white space not counted.

Source: `IAM and STS character limits
<https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html>`_.
"""

_CHANGE_MEMBERS = (
    "connect:AssociateTrafficDistributionGroupUser",
    "connect:DisassociateTrafficDistributionGroupUser",
)
_READ_GROUP = (
    "connect:DescribeTrafficDistributionGroup",
    "connect:ListTrafficDistributionGroupUsers",
)
_RELEASE_ACTIONS = {
    ReleaseMode.RETAIN: None,
    ReleaseMode.STOP: "connect:StopContact",
    ReleaseMode.TRANSFER_TO_QUEUE: "connect:TransferContact",
}
_INTRINSIC = re.compile(r"\$\{Token\[[^\]]*\]\}")


class Permissions:
    """The policies of one provider's role.

    :param scope: the provider, below which the policies are created.
    :param role: the role of both handlers.
    """

    def __init__(self, scope: Construct, role: iam.Role) -> None:
        self._scope = scope
        self._stack = cdk.Stack.of(scope)
        self._role = role
        self._granted: dict[tuple[object, ...], iam.CfnPolicy] = {}
        self._policies: dict[str, iam.CfnPolicy] = {}
        self._sizes: dict[str, int] = {}

    @property
    def size(self) -> int:
        """About how many characters the policies have once deployed, at least."""
        return sum(self._sizes.values())

    def for_group(self, *, instance: Identifier, group: Identifier, region: str) -> iam.CfnPolicy:
        """Return the policy that an association with *group* depends on.

        :param instance: the instance that the group belongs to.
        :param group: the group.
        :param region: the group's home Region.
        """
        key = ("group", instance.key, group.key, region)
        if key not in self._granted:
            self._granted[key] = self._add(
                "ConnectGroup",
                [
                    _allow(
                        [*_CHANGE_MEMBERS, *_READ_GROUP],
                        [group.arn(self._stack, region=region)],
                    )
                ],
                after=self._for_members(instance=instance, region=region),
            )
        return self._granted[key]

    def for_contact(  # noqa: PLR0913 - what a contact's policy names, all by keyword
        self,
        *,
        instance: Identifier,
        contact: Identifier,
        user: Identifier,
        release: ReleaseMode,
        contact_flow: Identifier | None,
        queue: Identifier | None,
        preferred_user_only: bool,
    ) -> iam.CfnPolicy:
        """Return the policy that the assignment of *contact* depends on.

        :param instance: the instance that all the others belong to.
        :param contact: the contact.
        :param user: who gets it.
        :param release: what the Delete does with the contact.
        :param contact_flow: the flow of a transfer.
        :param queue: the queue of a transfer, None for the contact's own.
        :param preferred_user_only: whether the user is also a condition.
        """

        # A replicated instance must be called in the Region where the contact is active now.
        # Its IDs are the same there, and exist nowhere else.
        def arn_of(identifier: Identifier) -> str:
            return identifier.arn(self._stack, region=ANY_REGION, instance=instance)

        instance_arn, contact_arn, user_arn = arn_of(instance), arn_of(contact), arn_of(user)
        condition = (
            {"ArnLike": {"connect:PreferredUserArn": user_arn}} if preferred_user_only else None
        )
        on_contact = ["connect:DescribeContact"]
        if action := _RELEASE_ACTIONS[release]:
            on_contact.append(action)
        statements = [
            _allow(
                ["connect:AssociateContactWithUser"],
                [instance_arn, user_arn, contact_arn],
                condition,
            ),
            _allow(on_contact, [contact_arn]),
            # Tells a user who does not exist from a contact that cannot be assigned.
            _allow(
                ["connect:DescribeUser"],
                [user.arn(self._stack, region=self._stack.region, instance=instance)],
            ),
        ]
        if release is ReleaseMode.TRANSFER_TO_QUEUE:
            targets = [arn_of(target) for target in (contact_flow, queue) if target]
            statements.append(_allow(["connect:TransferContact"], [instance_arn, *targets]))
        return self._add("ConnectContact", statements)

    def _for_members(self, *, instance: Identifier, region: str) -> iam.CfnPolicy:
        key = ("members", instance.key, region)
        if key not in self._granted:
            agents = _identifiers.arn(
                self._stack,
                region=region,
                resource=f"instance/{instance.last_segment()}/agent/*",
            )
            self._granted[key] = self._add(
                "ConnectUsers",
                [
                    _allow(
                        [*_CHANGE_MEMBERS, "connect:SearchUsers"],
                        [instance.arn(self._stack, region=region)],
                    ),
                    _allow([*_CHANGE_MEMBERS, "connect:DescribeUser"], [agents]),
                ],
            )
        return self._granted[key]

    def _add(
        self,
        name: str,
        statements: Sequence[Mapping[str, object]],
        *,
        after: iam.CfnPolicy | None = None,
    ) -> iam.CfnPolicy:
        content = json.dumps(self._stack.resolve(statements), sort_keys=True)
        logical_id = name + hashlib.sha256(content.encode()).hexdigest()[:8].upper()
        if logical_id in self._policies:
            return self._policies[logical_id]
        policy = iam.CfnPolicy(
            self._scope,
            logical_id,
            policy_name=logical_id,
            policy_document={"Version": "2012-10-17", "Statement": statements},
            roles=[self._role.role_name],
        )
        policy.override_logical_id(logical_id)
        if after:
            policy.add_resource_dependency(after)
        self._policies[logical_id] = policy
        self._sizes[logical_id] = _deployed_size(statements)
        return policy


def _allow(
    actions: Sequence[str],
    resources: Sequence[str],
    condition: Mapping[str, object] | None = None,
) -> dict[str, object]:
    statement: dict[str, object] = {
        "Action": sorted(actions) if len(actions) > 1 else actions[0],
        "Effect": "Allow",
        "Resource": list(resources) if len(resources) > 1 else resources[0],
    }
    return statement | ({"Condition": condition} if condition else {})


def _deployed_size(statements: Sequence[Mapping[str, object]]) -> int:
    """Count a policy's characters; a token counts as 12, an account ID's length.

    Partitions are shorter, Regions about as long and IDs longer: close, and rarely too much.
    """
    text = json.dumps(statements, separators=(",", ":"))
    return len(_INTRINSIC.sub("x" * 12, text)) + len('{"Version":"2012-10-17","Statement":}')
