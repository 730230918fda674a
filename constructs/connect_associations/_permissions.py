"""What the handlers may do, in one policy for each thing that is declared.

CloudFormation updates a policy *before* it deletes what the new template no longer holds, so
a policy that all associations share would already have lost the permissions that the Delete of
a removed association needs. Hence each instance, group and contact has a policy of its own,
which its custom resources depend on: it comes before them and goes after them. What a policy
for members allows never changes, for it names its logical ID. A contact's may change with the
user and the release, of which a Delete needs the present ones only.

They are made at synth, when the tokens among the identifiers have their values: two tokens may
resolve to one group, which needs one policy. They are attached as the CDK's own grants are, so that
whatever an app does to policies also applies to them: aspects, ``minimizePolicies``, the report of
``iam.Role.customize_roles``.

Actions, resources and dependent actions are those of the `Service Authorization Reference
<https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonconnect.html>`_.
"""

# Classes that jsii generates name their parameters differently from its protocols:
# pyright: reportArgumentType=false

from __future__ import annotations

import functools
import hashlib
import json
import re
from typing import TYPE_CHECKING, cast

import aws_cdk as cdk
import jsii
from aws_cdk import aws_iam as iam
from constructs import Construct

from connect_associations import _acknowledgements, _identifiers
from connect_associations._identifiers import ANY_REGION, Environment
from connect_associations.contact_release import ReleaseMode

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from constructs import IConstruct

    from connect_associations._acknowledgements import Acknowledgement
    from connect_associations._identifiers import Identifier

MAX_POLICY_CHARACTERS = 10_240
"""The most that all inline policies of one role may hold together, not counting white space.

Source: `IAM and STS character limits
<https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html>`_.
"""

_BASIC_SIZE = 950
"""What the provider itself is granted: logs, the own stack, the ledger."""

_KEY_SIZE = 420
"""What it is granted besides with a key: the environment, and the ledger's items."""

_POLICY_VERSION = "2012-10-17"
_SEARCH_USERS = ("connect:SearchUsers", "connect:ListUserProficiencies")
"""On the instance. Like a change of members, SearchUsers depends on what it finds users by."""

_READ_USERS = ("connect:DescribeUser", "connect:ListUserProficiencies")
"""On the users: what SearchUsers and the changes of members depend on."""

_CHANGE_MEMBERS = (
    "connect:AssociateTrafficDistributionGroupUser",
    "connect:DisassociateTrafficDistributionGroupUser",
)
_READ_GROUP = (
    "connect:DescribeTrafficDistributionGroup",
    "connect:ListTrafficDistributionGroupUsers",
)
_USERS, _GROUP = "ConnectUsers", "ConnectGroup"
_OF_GROUPS = (_USERS, _GROUP)
"""The names of the policies for groups and their users; the others are for other things."""

_RELEASE_ACTIONS = {
    ReleaseMode.RETAIN: None,
    ReleaseMode.STOP: "connect:StopContact",
    ReleaseMode.TRANSFER_TO_QUEUE: "connect:TransferContact",
}
_TOKEN = re.compile(r"\$\{Token\[[^\]]*\]\}")


@jsii.implements(cdk.IAspect)
class Permissions:
    """The policies that the associations of one stack need.

    As an aspect, it creates them below its own construct: the CDK calls aspects first when it
    synthesizes.

    :param scope: what the policies stand below.
    """

    def __init__(self, scope: Construct) -> None:
        self._scope = Construct(scope, "Permissions")
        self._stack = cdk.Stack.of(scope)
        self._role: iam.IRole | None = None
        self._auditor: tuple[iam.IRole, Callable[[], bool]] | None = None
        self._needs: list[tuple[cdk.CfnResource, Callable[[], iam.Policy]]] = []
        self._is_synth = False
        self._granted: dict[tuple[object, ...], iam.Policy] = {}
        self._policies: dict[str, iam.Policy] = {}
        self._contents: dict[str, str] = {}
        self._size = _BASIC_SIZE
        cdk.Aspects.of(self._scope).add(self)

    def attach(self, role: iam.IRole, *, with_key: bool, after: IConstruct) -> None:
        """Give the policies to the provider's role, before they are made.

        :param role: the role of both handlers.
        :param with_key: whether the role uses a customer's key.
        :param after: what the policies, and the resources that wait for them, wait for.
        """
        self._role = role
        self._scope.node.add_dependency(after)
        self._size += _KEY_SIZE if with_key else 0

    def attach_auditor(self, role: iam.IRole, *, may_change: Callable[[], bool]) -> None:
        """Also let the audit see the groups, and change them if that is its task.

        :param role: the role of the audit's function.
        :param may_change: whether it changes members; asked at synth.
        """
        self._auditor = role, may_change

    def visit(self, _node: IConstruct) -> None:
        """Make the policies; called by the CDK at synth."""
        self._is_synth = True
        self._meet_needs()

    @property
    def size(self) -> int:
        """About how many characters the role's policies have once deployed; known at synth."""
        return self._size

    def for_group(
        self,
        resource: cdk.CfnResource,
        *,
        instance: Identifier,
        group: Identifier,
        region: str | None,
    ) -> None:
        """Let *resource* change the members of *group*.

        :param resource: the association, which the policy comes before and goes after.
        :param instance: the instance that the group belongs to.
        :param group: the group.
        :param region: the group's home Region, None for the one in its ARN, else the stack's.
        """
        self._need(
            resource,
            functools.partial(self._for_group, instance=instance, group=group, region=region),
        )

    def for_contact(  # noqa: PLR0913 - what a contact's policy names, all by keyword
        self,
        resource: cdk.CfnResource,
        *,
        instance: Identifier,
        contact: Identifier,
        user: Identifier,
        release: ReleaseMode,
        contact_flow: Identifier | None,
        preferred_user_only: bool,
    ) -> None:
        """Let *resource* assign *contact*.

        :param resource: the assignment, which the policy comes before and goes after.
        :param instance: the instance that all the others belong to.
        :param contact: the contact.
        :param user: who gets it.
        :param release: what the Delete does with the contact.
        :param contact_flow: the flow of a transfer.
        :param preferred_user_only: whether the user is also a condition.
        """
        self._need(
            resource,
            functools.partial(
                self._for_contact,
                instance=instance,
                contact=contact,
                user=user,
                release=release,
                contact_flow=contact_flow,
                preferred_user_only=preferred_user_only,
            ),
        )

    def for_user_names(
        self, resource: cdk.CfnResource, *, instance: Identifier, region: str | None
    ) -> None:
        """Let *resource* look users up by their names.

        :param resource: the look-up, which the policy comes before and goes after.
        :param instance: the instance that the users belong to.
        :param region: the Region to ask in, None for the stack's.
        """
        self._need(
            resource, functools.partial(self._for_user_names, instance=instance, region=region)
        )

    def _need(self, resource: cdk.CfnResource, make: Callable[[], iam.Policy]) -> None:
        self._needs.append((resource, make))
        if self._is_synth:
            # An aspect declared one more association.
            self._meet_needs()

    def _meet_needs(self) -> None:
        needs, self._needs = self._needs, []
        for resource, make in needs:
            resource.node.add_dependency(make())

    def _for_group(
        self, *, instance: Identifier, group: Identifier, region: str | None
    ) -> iam.Policy:
        instance, group = self._known(instance), self._known(group)
        home = region or Environment.of(self._stack).region
        key = ("group", instance.key, group.key, home)
        if key not in self._granted:
            home = group.home_region(home)
            self._granted[key] = self._add(
                _GROUP,
                [_allow([*_CHANGE_MEMBERS, *_READ_GROUP], [group.arn(self._stack, region=home)])],
                of=[instance, group],
                after=self._for_members(instance=instance, region=home),
            )
        return self._granted[key]

    def _for_contact(  # noqa: PLR0913 - what a contact's policy names, all by keyword
        self,
        *,
        instance: Identifier,
        contact: Identifier,
        user: Identifier,
        release: ReleaseMode,
        contact_flow: Identifier | None,
        preferred_user_only: bool,
    ) -> iam.Policy:
        instance, contact, user = map(self._known, (instance, contact, user))
        flows = [self._known(contact_flow)] if contact_flow else []

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
        flow_arns = [arn_of(flow) for flow in flows]
        wildcards = [_acknowledgements.EVERY_REGION.of_resources(self._stack, [*named, *flow_arns])]
        # An action is only ever allowed on the resources of its own types, so that one
        # statement says as much as one for each action would, in a third of the characters.
        if preferred_user_only:
            statements = [
                _allow(assign, named, {"ArnLike": {"connect:PreferredUserArn": user_arn}}),
                _allow(others, [*named, *flow_arns] if flows else [user_arn, contact_arn]),
            ]
        else:
            statements = [_allow(assign + others, [*named, *flow_arns])]
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
            of=[instance, contact, user, *flows],
            owner=f"{instance.key} {contact.key}",
        )

    def _for_user_names(self, *, instance: Identifier, region: str | None) -> iam.Policy:
        instance = self._known(instance)
        home = region or Environment.of(self._stack).region
        agents = self._agents(instance, region=home)
        return self._add(
            "ConnectUserNames",
            [
                _allow(_SEARCH_USERS, [instance.arn(self._stack, region=home)]),
                _allow(_READ_USERS, [agents]),
            ],
            wildcards=[_acknowledgements.EVERY_USER.of_resources(self._stack, [agents])],
            of=[instance],
        )

    def _for_members(self, *, instance: Identifier, region: str) -> iam.Policy:
        agents = self._agents(instance, region=region)
        return self._add(
            _USERS,
            [
                _allow(
                    [*_CHANGE_MEMBERS, *_SEARCH_USERS, "connect:ListReplicationFindings"],
                    [instance.arn(self._stack, region=region)],
                ),
                _allow([*_CHANGE_MEMBERS, *_READ_USERS], [agents]),
            ],
            wildcards=[_acknowledgements.EVERY_USER.of_resources(self._stack, [agents])],
            of=[instance],
        )

    def _known(self, identifier: Identifier) -> Identifier:
        return _identifiers.at_synth(identifier, stack=self._stack)

    def _agents(self, instance: Identifier, *, region: str) -> str:
        """Return the ARN of all users of an instance."""
        return _identifiers.arn(
            self._stack, region=region, resource=f"instance/{instance.last_segment()}/agent/*"
        )

    def _add(  # noqa: PLR0913 - what a policy is made of, all but the first two by keyword
        self,
        name: str,
        statements: Sequence[Mapping[str, object]],
        *,
        of: Sequence[Identifier],
        wildcards: Sequence[Acknowledgement] = (),
        owner: str | None = None,
        after: iam.Policy | None = None,
    ) -> iam.Policy:
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
        policy = iam.Policy(
            self._scope,
            logical_id,
            policy_name=logical_id,
            # Complete before it is attached: the report of customize_roles is written then.
            document=iam.PolicyDocument.from_json(
                {"Version": _POLICY_VERSION, "Statement": statements}
            ),
        )
        # A role of customize_roles takes it into its report, and leaves it out of the template.
        cast("iam.IRole", self._role).attach_inline_policy(policy)
        if self._auditor and name in _OF_GROUPS:
            self._let_audit(*self._auditor, logical_id, statements, wildcards)
        resource = cast("cdk.CfnResource", policy.node.default_child)
        resource.override_logical_id(logical_id)
        if after:
            policy.node.add_dependency(after)
        _acknowledgements.acknowledge(resource, [_acknowledgements.INLINE_POLICY, *wildcards])
        self._policies[logical_id] = policy
        self._contents[logical_id] = content
        self._size += self._deployed_size(statements)
        return policy

    def _let_audit(
        self,
        role: iam.IRole,
        may_change: Callable[[], bool],
        logical_id: str,
        statements: Sequence[Mapping[str, object]],
        wildcards: Sequence[Acknowledgement],
    ) -> None:
        """Allow the audit what the handlers are allowed, but changes only if it makes them."""
        if not may_change():
            statements = [_reading(statement) for statement in statements]
        document = iam.PolicyDocument.from_json(
            {"Version": _POLICY_VERSION, "Statement": statements}
        )
        policy = iam.Policy(self._scope, f"{logical_id}Audit", document=document)
        role.attach_inline_policy(policy)
        resource = cast("cdk.CfnResource", policy.node.default_child)
        _acknowledgements.acknowledge(resource, [_acknowledgements.INLINE_POLICY, *wildcards])

    def _deployed_size(self, statements: Sequence[Mapping[str, object]]) -> int:
        """Count a policy's characters; every token but the partition counts as 12.

        That is the length of an account ID, about that of a Region, and less than an ID's.
        """
        document = {"Version": _POLICY_VERSION, "Statement": statements}
        text = json.dumps(document, separators=(",", ":")).replace(self._stack.partition, "aws")
        return len(_TOKEN.sub("x" * 12, text))


def _logical_id(name: str, content: str) -> str:
    return name + hashlib.sha256(content.encode()).hexdigest()[:8].upper()


def _reading(statement: Mapping[str, object]) -> dict[str, object]:
    """Return a statement without changes of members."""
    actions = cast("list[str]", statement["Action"])
    return {**statement, "Action": [it for it in actions if it not in _CHANGE_MEMBERS]}


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
