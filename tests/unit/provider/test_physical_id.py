import random
import uuid

import pytest

from connect_provider.connect import Group
from connect_provider.declaration import MAX_USERS, GroupUsers
from connect_provider.errors import AssociationFailedError
from connect_provider.group_plan import Previous, membership_version
from connect_provider.physical_id import (
    MAX_LENGTH,
    ContactUserId,
    GroupUserId,
    GroupUsersId,
    PhysicalId,
    parse,
)
from connect_provider.request import Request, RequestType

ONE, TWO, THREE = (str(uuid.UUID(int=number)) for number in (1, 2, 3))


@pytest.mark.parametrize(
    "known",
    [
        GroupUserId(instance_id=ONE, group_id=TWO, user_id=THREE, adopted=False),
        GroupUserId(
            instance_id=ONE,
            group_id=TWO,
            user_id=THREE,
            adopted=True,
            origin=Group(id=ONE, region="us-west-2"),
        ),
        GroupUsersId(
            instance_id=ONE, group_id=TWO, key="k", users_key="u", version="v", adopted="rAA"
        ),
        GroupUsersId(
            instance_id=ONE,
            group_id=TWO,
            key="k",
            users_key="u",
            version="v",
            adopted="rAA",
            kept_of="w",
            kept="rAB",
            origin=Group(id=ONE, region="us-west-2"),
            origin_users="rAC",
            expelled="AAAA",
        ),
        ContactUserId(instance_id=ONE, contact_id=TWO, adopted=False),
        ContactUserId(instance_id=ONE, contact_id=TWO, adopted=True, queue_id=THREE),
    ],
)
def test_what_is_written_is_read(known: PhysicalId) -> None:
    assert parse(str(known)) == known


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Stack-Ann-1ABCDEFGHIJKL",
        "AWSCDK::CustomResourceProviderFramework::CREATE_FAILED",
        "group-user/a/b",
        "group-user/a/b/c/maybe",
        "group-users/a/b/c/d/e/nothing",
        "contact-user/a/b/new/queue",
    ],
)
def test_ids_of_others_are_nobodys(text: str) -> None:
    assert parse(text) is None


def _request() -> Request:
    return Request(
        type=RequestType.UPDATE,
        resource_type="",
        stack_id="stack",
        request_id="request",
        logical_id="Logical",
        physical_id="",
        properties={},
        old_properties={},
        plan={},
    )


def _declared(users: list[str], group: str) -> GroupUsers:
    return GroupUsers(
        instance_id=ONE, group=Group(id=group, region="ap-northeast-1"), users=tuple(sorted(users))
    )


@pytest.mark.parametrize("another_group", [False, True])
def test_the_largest_membership_fits_into_a_physical_id(*, another_group: bool) -> None:
    dice = random.Random(7)  # noqa: S311 - repeatable, not secret
    old = [str(uuid.UUID(int=dice.getrandbits(128))) for _ in range(MAX_USERS)]
    new = dice.sample(old, MAX_USERS // 2) + [
        str(uuid.UUID(int=dice.getrandbits(128))) for _ in range(MAX_USERS // 2)
    ]
    before = _declared(old, TWO)
    first = membership_version(_request(), before, members=set(), previous=None)
    version = membership_version(
        _request(),
        _declared(new, THREE if another_group else TWO),
        members=set(dice.sample(new, MAX_USERS // 2)),
        previous=Previous(declared=before, id=first, members=set(dice.sample(old, MAX_USERS // 2))),
    )
    assert len(str(version)) <= MAX_LENGTH
    assert parse(str(version)) == version


def test_exclusive_refuses_to_remove_whom_it_could_not_put_back() -> None:
    extras = [str(uuid.UUID(int=number)) for number in range(100, 200)]
    with pytest.raises(AssociationFailedError, match="100 members"):
        membership_version(
            _request(), _declared([ONE], TWO), members=set(), previous=None, expelled=extras
        )
