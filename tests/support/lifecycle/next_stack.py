"""Random stacks, and random next versions of a stack."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from hypothesis import strategies as st

from lifecycle import cast
from lifecycle.declared import ContactUser, GroupUsers, Spelling

if TYPE_CHECKING:
    from collections.abc import Callable

    from lifecycle.cast import Thing
    from lifecycle.declared import Declared

_MAX_EDITS = 4
_MAX_RESOURCES = 6
_RELEASES = (None, "RETAIN", "STOP", "TRANSFER_TO_QUEUE")
_EDITS = (
    "add single", "add single", "add membership", "add membership", "add contact",
    "drop", "rename", "change users", "change users", "change group", "toggle exclusive",
    "take over", "hand over", "spell", "retain", "retain", "change contact", "drop all",
    "as the other", "as the other",
)  # fmt: skip


@st.composite
def next_declared(
    draw: st.DrawFn,
    declared: dict[str, Declared],
    *,
    others: dict[str, Declared],
    one_group: bool,
    existing: dict[str, Declared] | None = None,
) -> dict[str, Declared]:
    """Return the next version: *declared* with a few edits.

    Like the constructs, it declares no association twice; where a user can be in one group only,
    it does not ask for two.

    :param others: what the other stack declares, which may be declared here too.
    :param existing: the resources that there are already. Default: *declared*
    """
    new = dict(declared)
    for edit in draw(
        st.lists(st.sampled_from(_EDITS), min_size=1 if declared else 2, max_size=_MAX_EDITS)
    ):
        if edit != "as the other":
            _edit(draw, new, edit)
        elif others and len(new) < _MAX_RESOURCES:
            new[_fresh_name(draw, new)] = others[draw(st.sampled_from(sorted(others)))]
    existing = declared if existing is None else existing
    for key in [key for key in new if key in existing]:
        if _type(new[key]) != _type(existing[key]):
            # CloudFormation refuses to change a resource's type.
            new[_fresh_name(draw, new | existing)] = new.pop(key)
    return _without_conflicts(new, others, one_group=one_group)


@st.composite
def respelled(draw: st.DrawFn, declared: dict[str, Declared]) -> dict[str, Declared]:
    """Return the same stack in other words."""
    return {
        key: replace(one, spelling=draw(st.sampled_from(Spelling))) for key, one in declared.items()
    }


def _edit(draw: st.DrawFn, new: dict[str, Declared], edit: str) -> None:
    if edit.startswith("add"):
        if len(new) < _MAX_RESOURCES:
            new[_fresh_name(draw, new)] = _ADDED[edit](draw)
        return
    if edit == "drop all":
        new.clear()
        return
    if not new:
        return
    key = draw(st.sampled_from(sorted(new)))
    one = new[key]
    if edit == "drop":
        del new[key]
    elif edit == "rename":
        new[_fresh_name(draw, new)] = new.pop(key)
    elif edit == "spell":
        new[key] = replace(one, spelling=draw(st.sampled_from(Spelling)))
    elif edit == "retain":
        new[key] = replace(one, retain=not one.retain)
    elif isinstance(one, ContactUser):
        new[key] = replace(
            one,
            user=draw(st.sampled_from(cast.USERS)),
            release=_release(draw, one.contact),
        )
    elif edit == "change users":
        new[key] = replace(one, users=_users(draw, many=one.many))
    elif edit == "change group":
        new[key] = replace(one, group=draw(st.sampled_from(cast.GROUPS)))
    elif edit == "toggle exclusive" and one.many:
        new[key] = replace(one, exclusive=not one.exclusive)
    elif edit == "take over":
        _take_over(draw, new, one.group)
    elif edit == "hand over" and one.many:
        del new[key]
        for user in one.users:
            new[_fresh_name(draw, new)] = replace(one, users=(user,), many=False, exclusive=False)


def _take_over(draw: st.DrawFn, new: dict[str, Declared], group: Thing) -> None:
    """Let one membership declare all that was declared for the group."""
    users: dict[Thing, None] = {}
    for key, one in list(new.items()):
        if isinstance(one, GroupUsers) and one.group is group:
            users.update(dict.fromkeys(one.users))
            del new[key]
    new[_fresh_name(draw, new)] = GroupUsers(group=group, users=tuple(users), many=True)


def _users(draw: st.DrawFn, *, many: bool) -> tuple[Thing, ...]:
    return tuple(
        draw(
            st.lists(
                st.sampled_from(cast.USERS), min_size=1, max_size=4 if many else 1, unique=True
            )
        )
    )


def _release(draw: st.DrawFn, contact: Thing) -> str | None:
    release = draw(st.sampled_from(_RELEASES))
    if release == "TRANSFER_TO_QUEUE" and cast.CHANNELS[contact.id] != "TASK":
        return "STOP"
    return release


def _single(draw: st.DrawFn) -> Declared:
    return GroupUsers(
        group=draw(st.sampled_from(cast.GROUPS)), users=_users(draw, many=False), many=False
    )


def _membership(draw: st.DrawFn) -> Declared:
    return GroupUsers(
        group=draw(st.sampled_from(cast.GROUPS)),
        users=_users(draw, many=True),
        many=True,
        exclusive=draw(st.sampled_from((False, False, True))),
    )


def _contact(draw: st.DrawFn) -> Declared:
    contact = draw(st.sampled_from(cast.CONTACTS))
    return ContactUser(
        contact=contact,
        user=draw(st.sampled_from(cast.USERS)),
        release=_release(draw, contact),
    )


_ADDED: dict[str, Callable[[st.DrawFn], Declared]] = {
    "add single": _single,
    "add membership": _membership,
    "add contact": _contact,
}


def _type(one: Declared) -> object:
    return one.many if isinstance(one, GroupUsers) else ContactUser


def _fresh_name(draw: st.DrawFn, taken: dict[str, Declared]) -> str:
    """Return a logical ID; one that an earlier version used is as good as a new one."""
    return draw(st.sampled_from([name for name in "ABCDEFGHIJKLMN" if name not in taken]))


def _without_conflicts(
    new: dict[str, Declared], others: dict[str, Declared], *, one_group: bool
) -> dict[str, Declared]:
    kept: dict[str, Declared] = {}
    seen: set[object] = set()
    contacts = {one.contact: one.user for one in others.values() if isinstance(one, ContactUser)}
    groups = {
        user: one.group
        for one in others.values()
        if isinstance(one, GroupUsers)
        for user in one.users
    }
    for key, one in new.items():
        if isinstance(one, ContactUser):
            if one.contact not in seen and contacts.get(one.contact, one.user) is one.user:
                seen.add(one.contact)
                kept[key] = one
            continue
        users = []
        for user in one.users:
            claim = user if one_group else (one.group, user)
            elsewhere = one_group and groups.get(user, one.group) is not one.group
            if claim not in seen and not elsewhere:
                seen.add(claim)
                users.append(user)
        if users:
            kept[key] = replace(one, users=tuple(users))
    return kept
