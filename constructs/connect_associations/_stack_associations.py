"""What all associations of one stack share, whoever serves them."""

# The classes that jsii generates name their parameters otherwise than its protocols do:
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

_ID = "ConnectAssociations"


class StackAssociations(Construct):
    """The permissions and declarations of a stack's associations, and the provider behind them.

    It is found in the stack by its ID, and lives as long as the stack. The provider *joins* it,
    before the first association or after the last one: the associations ask for what depends on
    the provider when the stack is synthesized.

    :param scope: the stack.
    """

    def __init__(self, scope: cdk.Stack) -> None:
        super().__init__(scope, _ID)
        self._provider: ConnectAssociationProvider | None = None
        self._service_timeout: int | None = None
        self._resync: str | None = None
        self._is_served_at_synth = False
        self.environment = Environment.of(scope)
        self.permissions = Permissions(self)
        self.declarations = Declarations(self.permissions)
        # One object each, so that thousands of resources hold the same token.
        self.service_token = cdk.Token.as_string(cdk.Fn.get_att(SERVICE_LOGICAL_ID, "Arn"))
        self.service_timeout = cdk.Lazy.any(_Later(lambda: self._service_timeout))
        self.resync = cdk.Lazy.any(_Later(lambda: self._resync))
        self.node.add_validation(self.declarations)

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
        with_key: bool,
        service_timeout: int | None,
    ) -> None:
        """Have *provider* serve the associations, those that are there and those to come.

        :param provider: the only one of the stack.
        :param with_key: whether its role uses a customer's key.
        :param service_timeout: what every association has as ``ServiceTimeout``.
        """
        self._provider = provider
        self._service_timeout = service_timeout
        self._resync = provider.resync
        self.permissions.attach(provider.role, with_key=with_key)

    def serve_at_synth(self, get_or_create: Callable[[Construct], object]) -> None:
        """Have a provider made when the stack is synthesized, if none has joined by then.

        :param get_or_create: makes it.
        """
        if not (self._provider or self._is_served_at_synth):
            self._is_served_at_synth = True
            cdk.Aspects.of(self).add(_DefaultProvider(get_or_create))


@jsii.implements(cdk.IAspect)
class _DefaultProvider:
    """Makes the default provider: aspects are what the CDK calls first when it synthesizes.

    What an aspect makes below the construct that it visits is visited by the stack's own aspects
    too, such as tags.
    """

    def __init__(self, get_or_create: Callable[[Construct], object]) -> None:
        self._get_or_create = get_or_create

    def visit(self, node: IConstruct) -> None:
        if isinstance(node, StackAssociations):
            self._get_or_create(node)


@jsii.implements(cdk.IStableAnyProducer)
class _Later:
    """A property that is asked for once, when the stack is synthesized."""

    def __init__(self, ask: Callable[[], object]) -> None:
        self._ask = ask

    def produce(self) -> object:
        return self._ask()
