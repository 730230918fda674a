"""A live contact that is assigned to a user."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, NamedTuple

import aws_cdk as cdk

from connect_associations import _association, _identifiers
from connect_associations._declarations import Declaration
from connect_associations._grammar import Kind
from connect_associations._identifiers import Reader
from connect_associations.contact_release import ContactRelease, ReleaseMode
from connect_associations.invalid_association_error import raise_problems

if TYPE_CHECKING:
    from aws_cdk.interfaces import aws_connect as references
    from constructs import Construct

    from connect_associations._identifiers import Identifier
    from connect_associations.connect_association_provider import ConnectAssociationProvider

_UNCHOSEN_RELEASE = "connect-associations:contactReleaseNotChosen"


class ContactUserAssignment(cdk.Resource):
    """Assigns a contact to a user. Connect has no way to disassociate the two again.

    ``release`` decides what happens instead when the assignment is deleted:
    ``ContactRelease.retain()`` changes nothing and leaves the contact with the user,
    ``ContactRelease.stop()`` ends the contact, and ``ContactRelease.transfer_to_queue()`` sends it
    through a flow to a queue, as a new contact. For a task or an e-mail, choose the transfer if
    somebody else should take over, and stop if the work is no longer needed. For a chat, choose
    retain, so that the user can finish talking to the customer; stop ends the chat. None of this
    happens if the contact has ended by then or is with another user.

    An assignment is an offer: the user may reject or miss it. The deployment succeeds once Connect
    has accepted the offer.

    :param scope: where the assignment stands in the construct tree.
    :param construct_id: its ID there.
    :param instance_id: the Connect instance: an ID, an ARN, a token that resolves to either, or a
        reference such as a CfnInstance.
    :param contact_id: the contact, which must be queued: an ID, an ARN, or a token that resolves to
        either.
    :param user_id: the user: an ID, an ARN, a token that resolves to either, or a reference such as
        a CfnUser.
    :param release: what happens to the contact when the assignment is deleted.
        Default: - ContactRelease.retain(), with a warning to choose
    :param allow_voice: also assigns voice contacts, which only newer versions of Connect's API
        accept. Default: - False; a voice contact then fails the deployment
    :param preferred_user_only: restricts the permission to assign the contact to this user, by
        the IAM condition key ``connect:PreferredUserArn``. Default: - False
    :param removal_policy: with ``RETAIN``, nothing happens when the assignment is removed from the
        stack or replaced. Default: - RemovalPolicy.DESTROY
    :param provider: the stack's provider. Default: - the one of the stack, created if needed
    :raises InvalidAssociationError: one or more properties are invalid; the message lists all
        problems.
    """

    def __init__(  # noqa: PLR0913 - flat props are the CDK's convention
        self,
        scope: Construct,
        construct_id: str,
        *,
        instance_id: str | references.IInstanceRef,
        contact_id: str,
        user_id: str | references.IUserRef,
        release: ContactRelease | None = None,
        allow_voice: bool = False,
        preferred_user_only: bool = False,
        removal_policy: cdk.RemovalPolicy | None = None,
        provider: ConnectAssociationProvider | None = None,
    ) -> None:
        stack = cdk.Stack.of(scope)
        chosen = ContactRelease.retain() if release is None else release

        def read(reader: Reader) -> _Declared:
            instance = reader.identifier(instance_id, kind=Kind.INSTANCE, name="instance_id")
            of_instance = functools.partial(reader.identifier, instance=instance)
            contact = of_instance(contact_id, kind=Kind.CONTACT, name="contact_id")
            user = of_instance(user_id, kind=Kind.USER, name="user_id")
            flow = queue = None
            if not isinstance(chosen, ContactRelease):
                reader.problems.append(
                    f"release: expected ContactRelease.retain(), .stop() or "
                    f".transfer_to_queue(…), got {_identifiers.shown(chosen)}"
                )
            elif chosen.mode is ReleaseMode.TRANSFER_TO_QUEUE:
                flow = of_instance(
                    chosen.contact_flow_id, kind=Kind.CONTACT_FLOW, name="release.contact_flow_id"
                )
                if chosen.queue_id is not None:
                    queue = of_instance(chosen.queue_id, kind=Kind.QUEUE, name="release.queue_id")
            _association.check_flag(reader, allow_voice, name="allow_voice")
            _association.check_flag(reader, preferred_user_only, name="preferred_user_only")
            _association.check_common(
                reader, scope, provider=provider, removal_policy=removal_policy
            )
            return _Declared(instance, contact, user, flow, queue)

        reader = Reader(stack)
        declared = read(reader)
        raise_problems(scope, construct_id, reader.problems)

        super().__init__(scope, construct_id)
        if release is None:
            cdk.Annotations.of(self).add_warning_v2(
                _UNCHOSEN_RELEASE,
                "the contact stays with the user when this assignment is deleted: choose a "
                "release, ContactRelease.retain() for this one",
            )
        reader.read_again(self, read)
        associations = _association.associations_of(stack)
        self._resource = _association.add_resource(
            self,
            "Custom::ConnectContactUserAssignment",
            associations=associations,
            properties={
                "InstanceId": declared.instance.value,
                "ContactId": declared.contact.value,
                "UserId": declared.user.value,
                "Release": _release_property(chosen, declared),
                "AllowVoice": allow_voice or None,
            },
            removal_policy=removal_policy,
        )
        associations.permissions.for_contact(
            self._resource,
            instance=declared.instance,
            contact=declared.contact,
            user=declared.user,
            release=chosen.mode,
            contact_flow=declared.contact_flow,
            preferred_user_only=preferred_user_only,
        )
        associations.declarations.add_contact(
            Declaration(construct=self, resource=self._resource, target=declared.contact)
        )

    @property
    def contact_id(self) -> str:
        """The canonical ID of the contact."""
        return self._resource.get_att("ContactId").to_string()

    @property
    def user_id(self) -> str:
        """The canonical ID of the user."""
        return self._resource.get_att("UserId").to_string()

    @property
    def channel(self) -> str:
        """The contact's channel: VOICE, CHAT, TASK or EMAIL."""
        return self._resource.get_att("Channel").to_string()

    @property
    def queue_id(self) -> str:
        """The ID of the queue that the contact came from."""
        return self._resource.get_att("QueueId").to_string()


class _Declared(NamedTuple):
    """The identifiers of an assignment."""

    instance: Identifier
    contact: Identifier
    user: Identifier
    contact_flow: Identifier | None
    queue: Identifier | None


def _release_property(release: ContactRelease, declared: _Declared) -> dict[str, str] | None:
    """Return the property, None for the handler's default."""
    if release.mode is ReleaseMode.RETAIN:
        return None
    property_ = {"Mode": release.mode.value}
    if declared.contact_flow:
        property_["ContactFlowId"] = declared.contact_flow.value
    if declared.queue:
        property_["QueueId"] = declared.queue.value
    return property_
