import pytest

from connect_provider.errors import InvalidEventError
from connect_provider.identifiers import Kind, Owner, parse, parse_region

INSTANCE = "11111111-2222-4333-8444-555555555555"
USER = "99999999-8888-4777-8666-abcdefabcdef"
OWNER = Owner.of_stack("arn:aws:cloudformation:us-east-1:123456789012:stack/Test/1")
ARN = f"arn:aws:connect:us-west-2:123456789012:instance/{INSTANCE}/agent/{USER}"


@pytest.mark.parametrize("spelling", [USER, USER.upper(), ARN, f" {USER} "])
def test_spellings_of_one_user_are_one_user(spelling: str) -> None:
    assert parse(spelling, kind=Kind.USER, name="UserId", owner=OWNER).id == USER


def test_an_arn_says_region_and_instance() -> None:
    identifier = parse(ARN, kind=Kind.USER, name="UserId", owner=OWNER)
    assert (identifier.region, identifier.instance_id) == ("us-west-2", INSTANCE)


@pytest.mark.parametrize(
    "value",
    [
        None,
        "",
        17,
        [USER],
        "ann",
        USER[:-1],
        USER.replace("a", "\u0430"),  # a Cyrillic letter that looks the same
        USER.replace("9", "\u0669"),  # a digit, but not an ASCII one
        f"{USER}\n{USER}",
        ARN.replace("connect", "lambda"),
        ARN.replace("/agent/", "/queue/"),
        ARN.replace("123456789012", "999999999999"),
        ARN.replace("arn:aws:", "arn:aws-cn:"),
        f"{ARN}/more",
    ],
)
def test_what_is_no_user_is_refused_by_name(value: object) -> None:
    with pytest.raises(InvalidEventError, match="UserId"):
        parse(value, kind=Kind.USER, name="UserId", owner=OWNER)


@pytest.mark.parametrize("value", ["", "us east 1", "us-east-1;", "US-EAST-1", None])
def test_what_is_no_region_is_refused(value: object) -> None:
    with pytest.raises(InvalidEventError, match="Region"):
        parse_region(value, name="Region")
