"""The audit of a provider: what it creates, what it may do, and its metrics."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import aws_cdk as cdk
import pytest
from aws_cdk.aws_events import Schedule

from connect_associations import (
    Audit,
    ConnectAssociationProvider,
    InvalidAssociationError,
    MaxChange,
    TrafficDistributionGroupMembership,
    UserFilter,
)
from connect_associations.audit import CONTINUATION, DIFFERENCE, DIMENSION, NAMESPACE, SOURCE
from connect_provider.audit import report
from synthesis import ACCOUNT, GROUP, INSTANCE, REGION, evaluate, new_stack, of_type, synthesize

if TYPE_CHECKING:
    from pathlib import Path

HOURLY = Schedule.rate(cdk.Duration.hours(1))
CHANGES = {
    "connect:AssociateTrafficDistributionGroupUser",
    "connect:DisassociateTrafficDistributionGroupUser",
}


@pytest.fixture
def stack(tmp_path: Path) -> cdk.Stack:
    return new_stack(tmp_path, env=cdk.Environment(account=ACCOUNT, region=REGION))


def declare(stack: cdk.Stack, audit: Audit | None, **who: Any) -> dict[str, Any]:
    """Return the template of a stack with one membership."""
    ConnectAssociationProvider(stack, "Provider", audit=audit)
    TrafficDistributionGroupMembership(
        stack,
        "Agents",
        instance_id=INSTANCE,
        traffic_distribution_group_id=GROUP,
        **(who or {"usernames": ["ann"]}),
    )
    return synthesize(stack)


def function(template: dict[str, Any]) -> dict[str, Any]:
    (found,) = (
        each
        for each in of_type(template, "AWS::Lambda::Function").values()
        if each["Properties"]["Handler"] == "connect_provider.audit.handler.audit"
    )
    properties: dict[str, Any] = found["Properties"]
    return properties


def allowed(template: dict[str, Any]) -> dict[str, list[Any]]:
    """Return what the audit's role may do: the conditions of each action."""
    (role,) = function(template)["Role"].values()
    found: dict[str, list[Any]] = {}
    for policy in of_type(template, "AWS::IAM::Policy").values():
        if {"Ref": role[0]} not in policy["Properties"]["Roles"]:
            continue
        for statement in policy["Properties"]["PolicyDocument"]["Statement"]:
            actions = statement["Action"]
            for action in [actions] if isinstance(actions, str) else actions:
                found.setdefault(action, []).append(statement.get("Condition"))
                assert statement["Resource"] != "*"
    return found


def test_nothing_of_it_exists_unless_it_is_asked_for(stack: cdk.Stack) -> None:
    template = declare(stack, None)
    assert not of_type(template, "AWS::Events::Rule")
    assert "audit" not in str(template).lower()


def test_event_bridge_starts_and_continues_it(stack: cdk.Stack) -> None:
    audit = Audit(schedule=HOURLY, max_change=MaxChange(share=0.5, number=3))
    template = declare(stack, audit)
    rules = [each["Properties"] for each in of_type(template, "AWS::Events::Rule").values()]
    assert [rule["ScheduleExpression"] for rule in rules if "ScheduleExpression" in rule] == [
        "rate(1 hour)"
    ]
    (pattern,) = (rule["EventPattern"] for rule in rules if "EventPattern" in rule)
    assert pattern == {
        "source": [report.SOURCE],
        "detail-type": [report.CONTINUATION],
        "detail": {"stackId": [{"Ref": "AWS::StackId"}]},
    }
    variables = function(template)["Environment"]["Variables"]
    assert variables.pop("LEDGER_TABLE_NAME")
    assert variables == {
        "STACK_ID": {"Ref": "AWS::StackId"},
        "AUDIT_REPAIR": "false",
        "AUDIT_MAX_SHARE": "0.5",
        "AUDIT_MAX_NUMBER": "3",
    }


def test_the_constructs_and_the_function_use_the_same_names() -> None:
    assert (NAMESPACE, DIMENSION, SOURCE) == (report.NAMESPACE, report.DIMENSION, report.SOURCE)
    assert (DIFFERENCE, CONTINUATION) == (report.DIFFERENCE, report.CONTINUATION)


@pytest.mark.parametrize("reason", ["nothing", "repair", "rule"])
def test_it_may_change_only_what_it_is_to_change(stack: cdk.Stack, reason: str) -> None:
    audit = Audit(schedule=HOURLY, repair=reason == "repair")
    rule = {"users_matching": UserFilter(tags={"team": "east"})} if reason == "rule" else {}
    found = allowed(declare(stack, audit, **rule))
    changes = reason != "nothing"
    assert bool(found.keys() & CHANGES) == changes
    keys = ["audit#*", "group#*"] if changes else ["audit#*"]
    condition = {"ForAllValues:StringLike": {"dynamodb:LeadingKeys": keys}}
    assert found["dynamodb:PutItem"] == found["dynamodb:DeleteItem"] == [condition]
    assert {action for action in found if not action.startswith("connect:")} == {
        "cloudformation:DescribeStackResource",
        "cloudformation:DescribeStacks",
        "cloudformation:ListStackResources",
        "dynamodb:DeleteItem",
        "dynamodb:GetItem",
        "dynamodb:PutItem",
        "dynamodb:Query",
        "dynamodb:Scan",
        "events:PutEvents",
        "logs:CreateLogStream",
        "logs:PutLogEvents",
    }


METRICS = {
    "missing": "Missing",
    "extra": "Extra",
    "healed": "Healed",
    "groups_gone": "GroupsGone",
    "users_gone": "UsersGone",
    "oldest_unsettled": "OldestUnsettledSeconds",
    "matching": "Matching",
    "joined": "Joined",
    "left": "Left",
    "rules_stopped": "RulesStopped",
    "failures": "Failures",
    "overruns": "Overruns",
    "finished": "AuditsFinished",
}


@pytest.mark.parametrize(("method", "name"), METRICS.items())
def test_its_metrics_make_alarms(stack: cdk.Stack, method: str, name: str) -> None:
    audit = Audit(schedule=HOURLY)
    ConnectAssociationProvider(stack, "Provider", audit=audit)
    metric = getattr(audit, f"metric_{method}")(period=cdk.Duration.hours(1))
    metric.create_alarm(stack, "Alarm", threshold=1, evaluation_periods=1)
    (alarm,) = of_type(synthesize(stack), "AWS::CloudWatch::Alarm").values()
    found = evaluate(alarm["Properties"])
    assert (found["Namespace"], found["MetricName"], found["Period"]) == (NAMESPACE, name, 3600)
    assert found["Dimensions"] == [{"Name": DIMENSION, "Value": stack.stack_name}]
    assert name in {*report.finished({}), report.OVERRUNS}


def test_every_metric_that_is_written_can_be_asked_for() -> None:
    left_out = {"PutOff"}
    assert {*report.finished({}), report.OVERRUNS} - left_out == set(METRICS.values())


@pytest.mark.parametrize("audited", [False, True])
def test_the_providers_alarms_are_the_audits_too(stack: cdk.Stack, *, audited: bool) -> None:
    audit = Audit(schedule=HOURLY) if audited else None
    alarms = ConnectAssociationProvider(stack, "Provider", audit=audit).add_alarms()
    found = of_type(synthesize(stack), "AWS::CloudWatch::Alarm").values()
    assert len(found) == len(alarms)
    watched = {
        alarm["Properties"]["MetricName"]
        for alarm in found
        if alarm["Properties"].get("Namespace") == NAMESPACE
    }
    expected = {"Missing", "Extra", "UsersGone", "GroupsGone", "RulesStopped", "Failures"}
    assert watched == (expected | {"Overruns"} if audited else set())


def test_an_audit_without_a_provider_has_no_metrics() -> None:
    with pytest.raises(ValueError, match="pass it to ConnectAssociationProvider"):
        Audit(schedule=HOURLY).metric_missing()


@pytest.mark.parametrize(
    ("audit", "problem"),
    [
        ("hourly", "audit: expected an Audit, got 'hourly'"),
        (Audit(schedule="rate(1 hour)"), "audit.schedule: expected a Schedule"),  # type: ignore[arg-type]
        (Audit(schedule=HOURLY, repair="yes"), "audit.repair: expected True or False"),  # type: ignore[arg-type]
        (
            Audit(schedule=HOURLY, max_change=MaxChange(share=10)),
            "audit.max_change: expected a share of 0 to 1",
        ),
        (Audit(schedule=HOURLY, max_change=10), "audit.max_change: expected a MaxChange"),  # type: ignore[arg-type]
    ],
)
def test_audits_that_cannot_be_deployed(stack: cdk.Stack, audit: Any, problem: str) -> None:
    with pytest.raises(InvalidAssociationError) as refused:
        ConnectAssociationProvider(stack, "Provider", audit=audit)
    assert any(problem in each for each in refused.value.problems)


def test_an_audit_belongs_to_one_provider(tmp_path: Path) -> None:
    audit = Audit(schedule=HOURLY)
    ConnectAssociationProvider(new_stack(tmp_path / "one"), "Provider", audit=audit)
    with pytest.raises(InvalidAssociationError, match="create another one"):
        ConnectAssociationProvider(new_stack(tmp_path / "two"), "Provider", audit=audit)
