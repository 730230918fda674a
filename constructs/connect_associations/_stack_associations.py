"""What all associations of one stack share, no matter which provider serves them."""

# Classes that jsii generates name their parameters differently from its protocols:
# pyright: reportArgumentType=false

from __future__ import annotations

from typing import TYPE_CHECKING

import aws_cdk as cdk
import jsii
from constructs import Construct

from connect_associations._declarations import Declarations
from connect_associations._framework import SERVICE_LOGICAL_ID
from connect_associations._identifiers import Environment
from connect_associations._permissions import Permissions

if TYPE_CHECKING:
    from collections.abc import Callable

    from constructs import IConstruct

    from connect_associations.connect_association_provider import ConnectAssociationProvider

_ID = "AssociationsOfStack"
"""Not what a provider is likely to be called: both may stand directly in the stack."""
_ALL = "_connect_associations_of_all_stacks"
_NO_COMMON_LEDGER = "connect-associations:noCommonLedger"


class StackAssociations(Construct):
    """The permissions and declarations of a stack's associations, and the provider behind them.

    It is found in the stack by its ID, and lives as long as the stack. The provider *joins* it,
    before the first association or after the last one: the associations ask for what depends on
    the provider when the stack is synthesized.

    :param scope: the stack.
    :ivar place: where the default provider is made. "Default" leaves no trace in logical IDs.
    :ivar has_rules: whether a membership has a rule for its users, which audits follow.
    """

    def __init__(self, scope: cdk.Stack) -> None:
        super().__init__(scope, _ID)
        self._provider: ConnectAssociationProvider | None = None
        self._service_timeout: int | None = None
        self._resources: list[tuple[cdk.CfnResource, bool]] = []
        self._is_synth = False
        self._make_provider: Callable[[Construct], object] | None = None
        self.has_rules = False
        at_synth = Construct(self, "AtSynth")
        self.place = Construct(self, "Default")
        self.environment = Environment.of(scope)
        self.permissions = Permissions(self)
        self.declarations = Declarations(self.permissions)
        # One object, so that thousands of resources hold the same token.
        self.service_token = cdk.Token.as_string(cdk.Fn.get_att(SERVICE_LOGICAL_ID, "Arn"))
        self._neighbours = _all_of(self.node.root)
        self._neighbours.append(self)
        self.node.add_validation(self.declarations)
        cdk.Aspects.of(at_synth).add(_AtSynth(self.prepare))

    @classmethod
    def of(cls, scope: IConstruct) -> StackAssociations:
        """Return what the associations share in the stack that *scope* belongs to."""
        stack = cdk.Stack.of(scope)
        found = stack.node.try_find_child(_ID)
        return found if isinstance(found, cls) else cls(stack)

    @property
    def provider(self) -> ConnectAssociationProvider | None:
        """The provider, None as long as there is none."""
        return self._provider

    def join(
        self,
        provider: ConnectAssociationProvider,
        *,
        after: IConstruct,
        with_key: bool,
        service_timeout: int | None,
    ) -> None:
        """Have *provider* serve the associations, those that are there and those to come.

        :param provider: the only one of the stack.
        :param after: what of the provider the associations wait for.
        :param with_key: whether its role uses a customer's key.
        :param service_timeout: the property ``ServiceTimeout`` of every association, if any.
        """
        self._provider = provider
        self._service_timeout = service_timeout
        self.permissions.attach(provider.role, with_key=with_key, after=after)

    def serve_at_synth(self, get_or_create: Callable[[Construct], object]) -> None:
        """Have a provider made when the stack is synthesized, if none has joined by then.

        :param get_or_create: makes it.
        """
        self._make_provider = get_or_create

    def add(self, resource: cdk.CfnResource, *, can_resync: bool) -> None:
        """Have *resource* get the properties that depend on the provider.

        Most templates have neither. So they are set when the stack is synthesized, instead of being
        asked for thousands of times.

        :param resource: the custom resource of an association.
        :param can_resync: whether it is something to bring about again.
        """
        self._resources.append((resource, can_resync))
        if self._is_synth:
            self._set_properties()

    def prepare(self) -> None:
        """Do what is left at synth: make a provider, look at the other stacks."""
        self._is_synth = True
        if self._make_provider:
            self._make_provider(self)
        self._set_properties()
        for neighbour in self._neighbours:
            # Each pair is looked at once.
            if neighbour is self:
                break
            if not self._shares_ledger_with(neighbour):
                self._warn_of(neighbour)

    def _set_properties(self) -> None:
        resync = self._provider.resync if self._provider else None
        for resource, can_resync in self._resources:
            if self._service_timeout is not None:
                resource.add_property_override("ServiceTimeout", self._service_timeout)
            if resync is not None and can_resync:
                # Another value makes CloudFormation send an Update.
                resource.add_property_override("Resync", resync)
        self._resources.clear()

    def _shares_ledger_with(self, other: StackAssociations) -> bool:
        if not (self._provider and other.provider):
            # A provider that is still to come has a ledger of its own.
            return False
        mine, theirs = self._provider.ledger, other.provider.ledger
        return mine is theirs or mine.table_name == theirs.table_name

    def _warn_of(self, other: StackAssociations) -> None:
        for construct, problem in self.declarations.find_rivals(other.declarations):
            cdk.Annotations.of(construct).add_warning_v2(_NO_COMMON_LEDGER, problem)


@jsii.implements(cdk.IAspect)
class _AtSynth:
    """Calls something once at synth: aspects are what the CDK calls first.

    It is for a construct without children. An aspect also visits what is below its construct, and
    each visit is a call from JavaScript. The stack's own aspects, such as tags, visit what is made
    at its first visit if that stands below a construct that they come to later.

    :param act: what is called.
    """

    def __init__(self, act: Callable[[], None]) -> None:
        self._act = act

    def visit(self, _node: IConstruct) -> None:
        self._act()


def _all_of(root: IConstruct) -> list[StackAssociations]:
    """Return the list for all stacks of an app, which lives as long as the app."""
    if not hasattr(root, _ALL):
        setattr(root, _ALL, [])
    found: list[StackAssociations] = getattr(root, _ALL)
    return found
