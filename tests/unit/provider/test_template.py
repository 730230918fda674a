import pytest

from connect_provider.template import Template, UnresolvableError

TEMPLATE = Template(
    resources={
        "User": {"Type": "AWS::Connect::User"},
        "Ann": {
            "Type": "Custom::ConnectTrafficDistributionGroupUser",
            "Properties": {"UserId": {"Ref": "User"}},
        },
    },
    physical_ids={"User": "arn:…/agent/u", "Ann": "group-user/…"},
    parameters={"AWS::Region": "us-east-1", "Users": "a,b", "Index": "1"},
)


@pytest.mark.parametrize(
    ("value", "resolved"),
    [
        ("text", "text"),
        ({"A": [{"Ref": "User"}]}, {"A": ["arn:…/agent/u"]}),
        ({"Fn::GetAtt": ["User", "UserArn"]}, "arn:…/agent/u"),
        ({"Fn::GetAtt": "User.UserArn"}, "arn:…/agent/u"),
        ({"Fn::GetAtt": ["Ann", "UserId"]}, "arn:…/agent/u"),
        ({"Fn::Join": ["-", ["a", {"Ref": "AWS::Region"}]]}, "a-us-east-1"),
        ({"Fn::Split": [",", {"Ref": "Users"}]}, ["a", "b"]),
        ({"Fn::Select": [{"Ref": "Index"}, {"Ref": "Users"}]}, "b"),
        ({"Fn::Select": ["1", {"Fn::Split": ["/", "x/y"]}]}, "y"),
        ({"Fn::Sub": "${AWS::Region}/${User.UserArn}/${!User}"}, "us-east-1/arn:…/agent/u/${User}"),
        ({"Fn::Sub": ["${X}", {"X": {"Ref": "Index"}}]}, "1"),
    ],
)
def test_intrinsic_functions_are_computed(value: object, resolved: object) -> None:
    assert TEMPLATE.resolve(value) == resolved


@pytest.mark.parametrize(
    "value",
    [
        {"Ref": "Missing"},
        {"Fn::GetAtt": ["Ann", "Region"]},
        {"Fn::ImportValue": "x"},
        {"Fn::Select": ["7", ["a"]]},
        {"Fn::Join": 7},
        {"Fn::Sub": "${Missing}"},
    ],
)
def test_what_cannot_be_known_says_so(value: object) -> None:
    with pytest.raises(UnresolvableError):
        TEMPLATE.resolve(value)
