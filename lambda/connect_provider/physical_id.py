"""Physical resource IDs: what a resource is, and what was there before it.

CloudFormation remembers a physical ID before the provider's first write, keeps it through
crashes and rollbacks, and hands it to the Delete that cleans up. So everything that a clean-up must
know stands in it: the canonical identity, and which users were members already (*adopted*). An ID
is at most 1,024 bytes.

::

    group-user/<instance>/<group>/<user>/<new|adopted>[/o=<Region>:<group>]
    group-users/<instance>/<group>/<logical resource>/<users>/<request>/a=<adopted>
        [/k=<request of the previous version>:<kept>][/o=<Region>:<group>:<users>][/x=<expelled>]
    contact-user/<instance>/<contact>/<new|adopted>[/q=<queue>]
    users/<instance>/<users>
"""

from __future__ import annotations

from typing import NamedTuple

from connect_provider.connect import Group
from connect_provider.user_set import pack_ids, unpack_ids

MAX_LENGTH = 1024
"""Bytes in a physical resource ID, by CloudFormation's quota."""

_NEW, _ADOPTED = "new", "adopted"
_GROUP_USER, _GROUP_USERS, _CONTACT_USER = "group-user", "group-users", "contact-user"
_USERS = "users"


class GroupUserId(NamedTuple):
    """A user in a traffic distribution group.

    :ivar adopted: the user was a member before the resource was created.
    :ivar origin: the group that the user leaves for this one, if the user was in it.
    """

    instance_id: str
    group_id: str
    user_id: str
    adopted: bool
    origin: Group | None = None

    @property
    def identity(self) -> tuple[str, str, str]:
        """What makes it this resource and no other."""
        return (self.instance_id, self.group_id, self.user_id)

    def __str__(self) -> str:
        flag = _ADOPTED if self.adopted else _NEW
        text = "/".join((_GROUP_USER, *self.identity, flag))
        return f"{text}/o={self.origin.region}:{self.origin.id}" if self.origin else text


class GroupUsersId(NamedTuple):
    """One version of a membership: many users in a traffic distribution group.

    The sets are kept packed, because a bitmap says nothing without the sorted list of users it is
    over: the declared ones of this version, and for *kept* those of the previous version.

    :ivar key: stands for the logical resource.
    :ivar users_key: stands for the declared users.
    :ivar version: differs from version to version of the same resource.
    :ivar kept_of: the previous version, whose users this version keeps as *kept* says.
    :ivar origin: the group that the users in *origin_users* leave for this one.
    :ivar expelled: undeclared members whom this version removes (``exclusive`` at Create).
    """

    instance_id: str
    group_id: str
    key: str
    users_key: str
    version: str
    adopted: str
    kept_of: str = ""
    kept: str = ""
    origin: Group | None = None
    origin_users: str = ""
    expelled: str = ""

    def __str__(self) -> str:
        parts = [
            _GROUP_USERS,
            self.instance_id,
            self.group_id,
            self.key,
            self.users_key,
            self.version,
            f"a={self.adopted}",
        ]
        if self.kept_of:
            parts.append(f"k={self.kept_of}:{self.kept}")
        if self.origin:
            parts.append(f"o={self.origin.region}:{self.origin.id}:{self.origin_users}")
        if self.expelled:
            parts.append(f"x={self.expelled}")
        return "/".join(parts)


class ContactUserId(NamedTuple):
    """A contact's assignment; who it is assigned to may change under the same ID.

    :ivar adopted: the declared user had accepted the contact before the resource was created.
    :ivar queue_id: the queue that the contact came from.
    """

    instance_id: str
    contact_id: str
    adopted: bool
    queue_id: str | None = None

    @property
    def identity(self) -> tuple[str, str]:
        """What makes it this resource and no other."""
        return (self.instance_id, self.contact_id)

    def __str__(self) -> str:
        flag = _ADOPTED if self.adopted else _NEW
        text = "/".join((_CONTACT_USER, *self.identity, flag))
        return f"{text}/q={self.queue_id}" if self.queue_id else text


class UserLookupId(NamedTuple):
    """Users who were looked up by their names.

    :ivar users: their canonical IDs, in the order of the names.
    """

    instance_id: str
    users: tuple[str, ...]

    def __str__(self) -> str:
        return "/".join((_USERS, self.instance_id, pack_ids(self.users)))


PhysicalId = GroupUserId | GroupUsersId | ContactUserId | UserLookupId


def parse(text: str) -> PhysicalId | None:
    """Read a physical ID; None if this provider did not make it.

    CloudFormation makes up an ID when a Create is cancelled before it answered, and the Provider
    framework has a marker for a Create that failed in ``on_event``.
    """
    kind, *parts = text.split("/")
    try:
        if kind == _GROUP_USER:
            instance_id, group_id, user_id, flag, *rest = parts
            return GroupUserId(
                instance_id=instance_id,
                group_id=group_id,
                user_id=user_id,
                adopted=_flag(flag),
                origin=_group(_fields(rest).get("o")),
            )
        if kind == _GROUP_USERS:
            instance_id, group_id, key, users_key, version, *rest = parts
            fields = _fields(rest)
            kept_of, _, kept = fields.get("k", "").partition(":")
            origin, _, origin_users = fields.get("o", "").rpartition(":")
            return GroupUsersId(
                instance_id=instance_id,
                group_id=group_id,
                key=key,
                users_key=users_key,
                version=version,
                adopted=fields["a"],
                kept_of=kept_of,
                kept=kept,
                origin=_group(origin or None),
                origin_users=origin_users,
                expelled=fields.get("x", ""),
            )
        if kind == _CONTACT_USER:
            instance_id, contact_id, flag, *rest = parts
            return ContactUserId(
                instance_id=instance_id,
                contact_id=contact_id,
                adopted=_flag(flag),
                queue_id=_fields(rest).get("q"),
            )
        if kind == _USERS:
            instance_id, users = parts
            return UserLookupId(instance_id=instance_id, users=unpack_ids(users))
    except (ValueError, KeyError):
        return None
    return None


def _flag(text: str) -> bool:
    if text not in (_NEW, _ADOPTED):
        raise ValueError(text)
    return text == _ADOPTED


def _fields(parts: list[str]) -> dict[str, str]:
    return dict(_split(part) for part in parts)


def _split(part: str) -> tuple[str, str]:
    name, separator, value = part.partition("=")
    if not separator:
        raise ValueError(part)
    return name, value


def _group(text: str | None) -> Group | None:
    if text is None:
        return None
    region, separator, group_id = text.partition(":")
    if not separator:
        raise ValueError(text)
    return Group(id=group_id, region=region)
