import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connect_provider.user_set import pack_ids, pack_members, unpack_ids, unpack_members

users = st.lists(st.uuids().map(str), unique=True, max_size=60).map(sorted)


@given(users, st.data())
def test_a_bitmap_brings_the_members_back(of: list[str], data: st.DataObject) -> None:
    members = (
        frozenset(data.draw(st.lists(st.sampled_from(of), unique=True))) if of else frozenset()
    )
    assert unpack_members(pack_members(members, of), of) == members


@given(users)
def test_packed_ids_come_back_sorted(ids: list[str]) -> None:
    assert unpack_ids(pack_ids(reversed(ids))) == tuple(reversed(ids))


def test_the_largest_membership_fits_whatever_the_pattern() -> None:
    of = sorted(str(uuid.UUID(int=number)) for number in range(2500))
    assert len(pack_members(of[::2][::3] + of[::5], of)) <= 1 + 417
    assert len(pack_members(of, of)) < 50


@pytest.mark.parametrize("text", ["", "q", "r!", "rAAAA", "zAAAA"])
def test_what_is_no_bitmap_over_the_users_is_refused(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - the caller only asks whether it can be read
        unpack_members(text, ["a"])
