from __future__ import annotations

import pytest

from connect_provider.errors import MAX_MESSAGE_LENGTH, InvalidEventError
from connect_provider.identifiers import (
    GROUP_PARTITIONS,
    Account,
    Identifier,
    Kind,
    arn,
    last_segment,
    parse,
    parse_region,
    read,
)

INSTANCE = "11111111-2222-4333-8444-555555555555"
USER = "99999999-8888-4777-8666-abcdefabcdef"
OWNER = Account(partition="aws", account="123456789012", region="us-east-1")
ARN = f"arn:aws:connect:us-west-2:123456789012:instance/{INSTANCE}/agent/{USER}"
SPACE = "\N{NO-BREAK SPACE}\n"


def user(value: object, *, owner: Account = OWNER) -> Identifier:
    return parse(value, kind=Kind.USER, name="UserId", owner=owner)


@pytest.mark.parametrize(
    "spelling",
    [
        USER,
        USER.upper(),
        f" {USER}{SPACE}",
        ARN,
        f"{SPACE}{ARN} ",
        ARN.replace(USER, USER.upper()),
        ARN.replace(INSTANCE, INSTANCE.upper()),
    ],
)
def test_spellings_of_one_user_are_one_user(spelling: str) -> None:
    assert user(spelling).id == USER


def test_an_arn_says_more_than_an_id() -> None:
    assert user(USER) == (USER, None, None, None, None)
    assert user(ARN.replace(INSTANCE, INSTANCE.upper())) == Identifier(
        id=USER,
        region="us-west-2",
        instance_id=INSTANCE,
        partition="aws",
        account="123456789012",
    )


@pytest.mark.parametrize("kind", Kind)
def test_every_kind_has_its_own_arn(kind: Kind) -> None:
    written = arn(
        "aws-us-gov",
        "us-gov-west-1",
        "123456789012",
        kind.resource.format(instance=INSTANCE, id=USER),
    )
    found = {each: read(written, kind=each) for each in Kind}
    identifier = found.pop(kind)
    assert set(found.values()) == {None}
    assert identifier == (
        USER,
        "us-gov-west-1",
        INSTANCE if "{instance}" in kind.resource else None,
        "aws-us-gov",
        "123456789012",
    )
    assert read(USER, kind=kind) == Identifier(USER)


def test_the_kinds_are_those_of_the_service_authorization_reference() -> None:
    assert {kind.noun: kind.shape for kind in Kind} == {
        "instance": "instance/ID",
        "traffic distribution group": "traffic-distribution-group/ID",
        "user": "instance/INSTANCE/agent/ID",
        "contact": "instance/INSTANCE/contact/ID",
        "contact flow": "instance/INSTANCE/contact-flow/ID",
        "queue": "instance/INSTANCE/queue/ID",
        "hierarchy group": "instance/INSTANCE/agent-group/ID",
        "routing profile": "instance/INSTANCE/routing-profile/ID",
        "security profile": "instance/INSTANCE/security-profile/ID",
    }
    assert [kind.a_noun for kind in (Kind.INSTANCE, Kind.USER)] == ["an instance", "a user"]
    assert GROUP_PARTITIONS == ("aws", "aws-us-gov")


@pytest.mark.parametrize(
    "value",
    [
        None,
        "",
        SPACE,
        17,
        [USER],
        "ann",
        USER[:-1],
        f"{USER}0",
        USER.replace("-", ""),
        USER.replace("a", "\N{CYRILLIC SMALL LETTER A}"),  # looks the same
        USER.replace("9", "\N{ARABIC-INDIC DIGIT NINE}"),  # a digit, but not an ASCII one
        f"{USER}\n{USER}",
        f"user/{USER}",
        ARN.replace("connect", "lambda"),
        ARN.replace("arn:", "ARN:"),
        ARN.replace("/agent/", "/queue/"),
        ARN.replace("/agent/", "/AGENT/"),
        ARN.replace(INSTANCE, "instance"),
        ARN.replace("us-west-2", "west"),
        ARN.replace("us-west-2", ""),
        ARN.replace("123456789012", "12345678901"),
        ARN.replace("123456789012", ""),
        ARN.replace("123456789012", "999999999999"),
        ARN.replace("arn:aws:", "arn:aws-cn:"),
        ARN.replace("arn:aws:", "arn:azure:"),
        ARN.replace(f"instance/{INSTANCE}/", ""),
        f"{ARN}/more",
        f"{ARN}:more",
        f"{ARN}/",
        ARN.removesuffix(USER),
    ],
)
def test_what_is_no_user_is_refused_by_name(value: object) -> None:
    with pytest.raises(InvalidEventError, match=r"^UserId ") as error:
        user(value)
    assert "a user" in str(error.value) or "cannot cross" in str(error.value)


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (None, "UserId is missing: give the ID or the ARN of a user, got None."),
        (
            "ann",
            (
                "UserId is not the ID of a user: got 'ann', expected a UUID such as "
                "'12345678-90ab-cdef-1234-567890abcdef', or "
                "arn:PARTITION:connect:REGION:ACCOUNT:instance/INSTANCE/agent/ID."
            ),
        ),
        ("arn:aws:connect:x", "UserId is not the ARN of a user: got 'arn:aws:connect:x', "),
        (
            ARN.replace("123456789012", "999999999999"),
            "UserId belongs to account '999999999999', the stack to '123456789012': ",
        ),
        (
            ARN.replace("arn:aws:", "arn:aws-us-gov:"),
            "UserId belongs to partition 'aws-us-gov', the stack to 'aws': ",
        ),
    ],
)
def test_the_message_says_what_was_given_and_what_is_expected(value: object, message: str) -> None:
    with pytest.raises(InvalidEventError) as error:
        user(value)
    assert str(error.value).startswith(message)


def test_a_long_value_is_cut() -> None:
    with pytest.raises(InvalidEventError, match="x…, expected a UUID") as error:
        user("x" * 10_000)
    assert len(str(error.value)) < MAX_MESSAGE_LENGTH / 3


def test_what_is_not_known_of_the_owner_matches_everything() -> None:
    assert user(ARN, owner=Account()).account == "123456789012"
    assert user(USER, owner=OWNER).account is None


@pytest.mark.parametrize(
    "region",
    [
        "us-east-1",
        "ap-northeast-3",
        "us-gov-west-1",
        "us-isob-east-1",
        "eusc-de-east-1",
        " eu-west-2 ",
    ],
)
def test_regions_are_known_by_their_shape(region: str) -> None:
    assert parse_region(region, name="Region") == region.strip()


@pytest.mark.parametrize(
    "value",
    [
        "",
        "us east 1",
        "us-east-1;",
        "US-EAST-1",
        "us-east",
        "u-east-1",
        "us-1",
        "us--1",
        None,
        1,
        ["us-east-1"],
    ],
)
def test_what_is_no_region_is_refused(value: object) -> None:
    with pytest.raises(
        InvalidEventError, match=r"^Region is not the name of a Region: got .*us-eas"
    ):
        parse_region(value, name="Region")


@pytest.mark.parametrize("answer", [USER, USER.upper(), ARN, ARN.upper()])
def test_what_connect_answers_is_an_id_or_an_arn(answer: str) -> None:
    assert last_segment(answer) == USER
