"""What CloudFormation's functions come to before a deployment."""

from __future__ import annotations

from typing import Any

import pytest

from connect_associations.cli.planning.template import DeployTimeError, Evaluation

TEMPLATE = {
    "Mappings": {"Groups": {"us-east-1": {"night": "g-1"}}},
    "Conditions": {
        "Yes": {"Fn::Equals": [{"Ref": "Region"}, "us-east-1"]},
        "No": {"Fn::Not": [{"Condition": "Yes"}]},
        "Both": {"Fn::And": [{"Condition": "Yes"}, {"Condition": "No"}]},
        "Either": {"Fn::Or": [{"Condition": "Yes"}, {"Condition": "No"}]},
        "Unknown": {"Fn::Equals": [{"Ref": "Later"}, "x"]},
    },
}
REFS = {"Region": "us-east-1", "List": ["a", "b"]}


def ref(name: str) -> Any:
    if name not in REFS:
        raise DeployTimeError(name)
    return REFS[name]


def attribute(logical_id: str, name: str) -> str:
    if logical_id == "Later":
        raise DeployTimeError(f"{logical_id}.{name}")
    return f"<{logical_id} {name}>"


@pytest.fixture
def evaluation() -> Evaluation:
    return Evaluation(TEMPLATE, ref=ref, attribute=attribute, imported=lambda name: f"<{name}>")


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("plain", "plain"),
        (3, 3),
        ({"Ref": "Region"}, "us-east-1"),
        ({"Fn::GetAtt": ["User", "Arn"]}, "<User Arn>"),
        ({"Fn::GetAtt": "Inner.Outputs.User"}, "<Inner Outputs.User>"),
        ({"Fn::GetAtt": ["User", {"Ref": "Region"}]}, "<User us-east-1>"),
        ({"Fn::Join": ["-", ["a", {"Ref": "Region"}]]}, "a-us-east-1"),
        ({"Fn::Join": [",", {"Ref": "List"}]}, "a,b"),
        ({"Fn::Split": ["-", {"Ref": "Region"}]}, ["us", "east", "1"]),
        ({"Fn::Select": ["1", {"Fn::Split": ["-", "a-b-c"]}]}, "b"),
        ({"Fn::Sub": "${Region}/${User.Arn}/${!Literal}"}, "us-east-1/<User Arn>/${Literal}"),
        ({"Fn::Sub": ["${Here}", {"Here": {"Ref": "Region"}}]}, "us-east-1"),
        ({"Fn::FindInMap": ["Groups", {"Ref": "Region"}, "night"]}, "g-1"),
        ({"Fn::ImportValue": {"Fn::Sub": "${Region}:group"}}, "<us-east-1:group>"),
        ({"Fn::If": ["Yes", "a", "b"]}, "a"),
        ({"Fn::If": ["No", "a", "b"]}, "b"),
        ({"Fn::If": ["Yes", "a", {"Ref": "Later"}]}, "a"),
        ({"Users": [{"Fn::If": ["No", "a", {"Ref": "AWS::NoValue"}]}, "b"]}, {"Users": ["b"]}),
        ({"Flag": {"Fn::If": ["No", True, {"Ref": "AWS::NoValue"}]}, "Id": 1}, {"Id": 1}),
    ],
)
def test_what_is_known(value: object, expected: object, evaluation: Evaluation) -> None:
    assert evaluation.value(value) == expected


@pytest.mark.parametrize(
    ("value", "what"),
    [
        ({"Ref": "Later"}, "Later"),
        ([{"Fn::Join": ["", ["a", {"Fn::GetAtt": ["Later", "Arn"]}]]}], r"Later\.Arn"),
        ({"Fn::Sub": "${Later.Arn}"}, r"Later\.Arn"),
        ("{{resolve:ssm:/agents/ann}}", "resolve:ssm:/agents/ann"),
        ({"Fn::Transform": {"Name": "Macro"}}, "Fn::Transform"),
        ({"Fn::If": ["Unknown", "a", "b"]}, "Later"),
        ({"Fn::If": ["Gone", "a", "b"]}, "condition Gone"),
        ({"Fn::FindInMap": ["Groups", "eu-west-2", "night"]}, "Fn::FindInMap of"),
        ({"Fn::Select": [7, ["a"]]}, "Fn::Select of"),
    ],
)
def test_what_only_a_deployment_tells(value: object, what: str, evaluation: Evaluation) -> None:
    with pytest.raises(DeployTimeError, match=what):
        evaluation.value(value)


@pytest.mark.parametrize(
    ("condition", "holds"), [("Yes", True), ("No", False), ("Both", False), ("Either", True)]
)
def test_conditions(condition: str, holds: bool, evaluation: Evaluation) -> None:  # noqa: FBT001 - parametrized
    assert evaluation.holds(condition) is holds
