"""What the handlers may do, in one policy for each thing that is declared.

CloudFormation updates a policy *before* it deletes what the new template no longer holds, so
a policy that all associations share would already have lost the permissions that the Delete of
a removed association needs. Hence each instance, group and contact has a policy of its own,
which its custom resources depend on: it comes before them and goes after them. What a policy
for members allows never changes, for it names its logical ID. A contact's may change with the
user and the release, of which a Delete needs the present ones only.

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

from connect_associations import _acknowledgements, _identifiers
from connect_associations._identifiers import ANY_REGION
from connect_associations.contact_release import ReleaseMode

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from constructs import Construct

    from connect_associations._acknowledgements import Acknowledgement
    from connect_associations._identifiers import Identifier

MAX_POLICY_CHARACTERS = 10_240
"""What all inline policies of one role may hold together, white space not counted.

Source: `IAM and STS character limits
<https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html>`_.
"""

_BASIC_SIZE = 950
"""What the provider itself is granted: logs, the own stack, the ledger."""

_KEY_SIZE = 420
"""What it is granted besides with a key: the environment, and the ledger's items."""

_POLICY_VERSION = "2012-10-17"
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
_TOKEN = re.compile(r"\$\{Token\[[^\]]*\]\}")


class Permissions:
    """The policies of one provider's role.

    :param scope: the provider, below which the policies are created.
    :param role: the role of both handlers.
    :param with_key: whether the role uses a customer's key.
    """

    def __init__(self, scope: Construct, role: iam.Role, *, with_key: bool) -> None:
        self._scope = scope
        self._stack = cdk.Stack.of(scope)
        self._role = role
        self._granted: dict[tuple[object, ...], iam.CfnPolicy] = {}
        self._policies: dict[str, iam.CfnPolicy] = {}
        self._contents: dict[str, str] = {}
        self._size = _BASIC_SIZE + (_KEY_SIZE if with_key else 0)

    @property
    def size(self) -> int:
        """About how many characters the role's policies have once deployed."""
        return self._size

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
                of=[instance, group],
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
        assign = ["connect:AssociateContactWithUser"]
        # DescribeUser tells a user who does not exist from a contact that cannot be assigned.
        others = ["connect:DescribeContact", "connect:DescribeUser"]
        if action := _RELEASE_ACTIONS[release]:
            others.append(action)
        named = [instance_arn, user_arn, contact_arn]
        targets = [arn_of(target) for target in (contact_flow, queue) if target]
        wildcards = [_acknowledgements.EVERY_REGION.of_resources(self._stack, [*named, *targets])]
        # An action is only ever allowed on the resources of its own types, so that one
        # statement says as much as one for each action would, in a third of the characters.
        if preferred_user_only:
            statements = [
                _allow(assign, named, {"ArnLike": {"connect:PreferredUserArn": user_arn}}),
                _allow(others, [*named, *targets] if targets else [user_arn, contact_arn]),
            ]
        else:
            statements = [_allow(assign + others, [*named, *targets])]
        if release is ReleaseMode.TRANSFER_TO_QUEUE:
            # The transfers so far are counted along the contact's predecessors.
            predecessors = _identifiers.arn(
                self._stack,
                region=self._stack.region,
                resource=f"instance/{instance.last_segment()}/contact/*",
            )
            statements.append(_allow(["connect:DescribeContact"], [predecessors]))
            wildcards.append(
                _acknowledgements.EVERY_PREDECESSOR.of_resources(self._stack, [predecessors])
            )
        return self._add(
            "ConnectContact",
            statements,
            wildcards=wildcards,
            of=[each for each in (instance, contact, user, contact_flow, queue) if each],
            owner=f"{instance.key} {contact.key}",
        )

    def for_user_names(self, *, instance: Identifier, region: str) -> iam.CfnPolicy:
        """Return the policy that a lookup of users by their names depends on.

        :param instance: the instance that the users belong to.
        :param region: the Region to ask in.
        """
        return self._add(
            "ConnectUserNames",
            [_allow(["connect:SearchUsers"], [instance.arn(self._stack, region=region)])],
            of=[instance],
        )

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
                wildcards=[_acknowledgements.EVERY_USER.of_resources(self._stack, [agents])],
                of=[instance],
            )
        return self._granted[key]

    def _add(  # noqa: PLR0913 - what a policy is made of, all but the first two by keyword
        self,
        name: str,
        statements: Sequence[Mapping[str, object]],
        *,
        of: Sequence[Identifier],
        wildcards: Sequence[Acknowledgement] = (),
        owner: str | None = None,
        after: iam.CfnPolicy | None = None,
    ) -> iam.CfnPolicy:
        """Create a policy, or return the one that says the same.

        :param name: what the logical ID begins with.
        :param statements: what is allowed.
        :param of: what the statements name; equal statements may name things of other stacks.
        :param wildcards: why resources with a wildcard are allowed.
        :param owner: what else the logical ID comes from, instead of the statements.
        :param after: another policy, which goes later than this one.
        """
        content = json.dumps(self._stack.resolve(statements), sort_keys=True)
        content += "".join(identifier.origin for identifier in of)
        logical_id = _logical_id(name, owner or content)
        if self._contents.get(logical_id, content) != content:
            # Two assignments of one contact, each under a condition of its own.
            logical_id = _logical_id(name, content)
        if logical_id in self._policies:
            return self._policies[logical_id]
        policy = iam.CfnPolicy(
            self._scope,
            logical_id,
            policy_name=logical_id,
            policy_document={"Version": _POLICY_VERSION, "Statement": statements},
            roles=[self._role.role_name],
        )
        policy.override_logical_id(logical_id)
        if after:
            policy.add_resource_dependency(after)
        _acknowledgements.acknowledge(policy, [_acknowledgements.INLINE_POLICY, *wildcards])
        self._policies[logical_id] = policy
        self._contents[logical_id] = content
        self._size += self._deployed_size(statements)
        return policy

    def _deployed_size(self, statements: Sequence[Mapping[str, object]]) -> int:
        """Count a policy's characters; every token but the partition counts as 12.

        That is the length of an account ID, about that of a Region, and less than an ID's.
        """
        document = {"Version": _POLICY_VERSION, "Statement": statements}
        text = json.dumps(document, separators=(",", ":")).replace(self._stack.partition, "aws")
        return len(_TOKEN.sub("x" * 12, text))


def _logical_id(name: str, content: str) -> str:
    return name + hashlib.sha256(content.encode()).hexdigest()[:8].upper()


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
