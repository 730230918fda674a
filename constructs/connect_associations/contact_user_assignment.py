"""A live contact that is assigned to a user."""

from __future__ import annotations

from typing import TYPE_CHECKING

import aws_cdk as cdk
from constructs import Construct

from connect_associations import _association, _identifiers
from connect_associations._declarations import Declaration
from connect_associations._grammar import Kind
from connect_associations.connect_association_provider import ConnectAssociationProvider
from connect_associations.contact_release import ContactRelease, ReleaseMode
from connect_associations.invalid_association_error import raise_problems

if TYPE_CHECKING:
    from connect_associations._identifiers import Identifier

_UNCHOSEN_RELEASE = "connect-associations:contactReleaseNotChosen"


class ContactUserAssignment(Construct):
    """Assigns a contact to a user. Connect has no way to disassociate the two again.

    When the assignment is deleted, ``release`` decides what comes nearest:
    ``ContactRelease.retain()`` changes nothing and leaves the contact with the user,
    ``ContactRelease.stop()`` ends the contact, and ``ContactRelease.transfer_to_queue()`` sends
    it through a flow to a queue, as a new contact. For a task or an e-mail choose the transfer
    when somebody else shall take over, and stop when the work is void. For a chat choose retain,
    so that the user can finish talking to the customer; stop hangs up. Nothing of this happens
    when the contact has ended by then, or is with another user.

    An assignment is an offer: the user may reject or miss it. The deployment succeeds when
    Connect has accepted the offer.

    :param scope: where the assignment stands in the construct tree.
    :param construct_id: its ID there.
    :param instance_id: the Connect instance: an ID, an ARN, or a token that resolves to either.
    :param contact_id: the contact, which is queued: an ID, an ARN, or a token that resolves to
        either.
    :param user_id: the user: an ID, an ARN, or a token that resolves to either.
    :param release: what becomes of the contact when the assignment is deleted.
        Default: - ContactRelease.retain(), with a warning to choose
    :param allow_voice: also assigns voice contacts, which only newer versions of Connect's API
        accept. Default: - False, a voice contact fails the deployment
    :param preferred_user_only: restricts the permission to assign the contact to this user, by
        the IAM condition key ``connect:PreferredUserArn``. Default: - False
    :param removal_policy: ``RETAIN`` does nothing at all when the assignment is removed from the
        stack or replaced. Default: - RemovalPolicy.DESTROY
    :param provider: the stack's provider. Default: - the one of the stack, created if needed
    :raises InvalidAssociationError: what is wrong with all properties.
    """

    def __init__(  # noqa: PLR0913 - flat props are the CDK's convention
        self,
        scope: Construct,
        construct_id: str,
        *,
        instance_id: str,
        contact_id: str,
        user_id: str,
        release: ContactRelease | None = None,
        allow_voice: bool = False,
        preferred_user_only: bool = False,
        removal_policy: cdk.RemovalPolicy | None = None,
        provider: ConnectAssociationProvider | None = None,
    ) -> None:
        stack = cdk.Stack.of(scope)
        problems: list[str] = []
        instance = _identifiers.read(
            instance_id, kind=Kind.INSTANCE, name="instance_id", stack=stack, problems=problems
        )

        def read(value: object, kind: Kind, name: str) -> Identifier:
            identifier = _identifiers.read(
                value, kind=kind, name=name, stack=stack, problems=problems
            )
            _identifiers.check_instance(identifier, instance, name=name, problems=problems)
            return identifier

        contact = read(contact_id, Kind.CONTACT, "contact_id")
        user = read(user_id, Kind.USER, "user_id")
        flow = queue = None
        chosen = ContactRelease.retain() if release is None else release
        if not isinstance(chosen, ContactRelease):
            problems.append(
                f"release: expected ContactRelease.retain(), .stop() or .transfer_to_queue(…), "
                f"got {_identifiers.shown(chosen)}"
            )
        elif chosen.mode is ReleaseMode.TRANSFER_TO_QUEUE:
            flow = read(chosen.contact_flow_id, Kind.CONTACT_FLOW, "release.contact_flow_id")
            if chosen.queue_id is not None:
                queue = read(chosen.queue_id, Kind.QUEUE, "release.queue_id")
        _association.check_flag(allow_voice, name="allow_voice", problems=problems)
        _association.check_flag(preferred_user_only, name="preferred_user_only", problems=problems)
        _association.check_common(
            scope, provider=provider, removal_policy=removal_policy, problems=problems
        )
        raise_problems(scope, construct_id, problems)

        super().__init__(scope, construct_id)
        if release is None:
            cdk.Annotations.of(self).add_warning_v2(
                _UNCHOSEN_RELEASE,
                "the contact stays with the user when this assignment is deleted: choose a "
                "release, ContactRelease.retain() for this one",
            )
        provider = provider or ConnectAssociationProvider.get_or_create(stack)
        self._resource = _association.add_resource(
            self,
            "Custom::ConnectContactUserAssignment",
            provider=provider,
            properties={
                "InstanceId": instance.value,
                "ContactId": contact.value,
                "UserId": user.value,
                "Release": _release_property(chosen, flow=flow, queue=queue),
                "AllowVoice": allow_voice or None,
            },
            policy=provider.permissions.for_contact(
                instance=instance,
                contact=contact,
                user=user,
                release=chosen.mode,
                contact_flow=flow,
                queue=queue,
                preferred_user_only=preferred_user_only,
            ),
            removal_policy=removal_policy,
        )
        provider.declarations.add_contact(
            Declaration(construct=self, resource=self._resource, target=contact.key)
        )

    @property
    def attr_contact_id(self) -> str:
        """The canonical ID of the contact."""
        return self._resource.get_att("ContactId").to_string()

    @property
    def attr_user_id(self) -> str:
        """The canonical ID of the user."""
        return self._resource.get_att("UserId").to_string()

    @property
    def attr_channel(self) -> str:
        """The contact's channel: VOICE, CHAT, TASK or EMAIL."""
        return self._resource.get_att("Channel").to_string()

    @property
    def attr_queue_id(self) -> str:
        """The ID of the queue that the contact came from."""
        return self._resource.get_att("QueueId").to_string()


def _release_property(
    release: ContactRelease, *, flow: Identifier | None, queue: Identifier | None
) -> dict[str, str] | None:
    """Return the property, None for the handler's default."""
    if release.mode is ReleaseMode.RETAIN:
        return None
    property_ = {"Mode": release.mode.value}
    if flow:
        property_["ContactFlowId"] = flow.value
    if queue:
        property_["QueueId"] = queue.value
    return property_
