"""Metrics of the provider, and alarms on them: what docs/operations.md asks people to watch."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, cast

import aws_cdk as cdk
import pytest
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_logs as logs
from aws_cdk import aws_sns as sns

from connect_associations import ConnectAssociationProvider
from synthesis import new_stack, of_type, synthesize

ALARM = "AWS::CloudWatch::Alarm"
FILTER = "AWS::Logs::MetricFilter"
OPERATIONS = Path(__file__).parents[3] / "docs" / "operations.md"


@pytest.fixture
def alarms(stack: cdk.Stack) -> dict[str, Any]:
    """The alarms' properties by the beginning of their logical IDs, and the template."""
    provider = ConnectAssociationProvider(stack, "Provider")
    created = provider.add_alarms()
    template = synthesize(stack)
    assert len(created) == 4
    found = {
        re.sub(r"^Provider|[0-9A-F]{8}$", "", logical_id): alarm["Properties"]
        for logical_id, alarm in of_type(template, ALARM).items()
    }
    return {**found, "template": template}


def metrics(alarm: dict[str, Any]) -> set[tuple[str, str]]:
    """Return namespace and name of what an alarm counts."""
    return {
        (each["MetricStat"]["Metric"]["Namespace"], each["MetricStat"]["Metric"]["MetricName"])
        for each in alarm["Metrics"]
        if "MetricStat" in each
    }


def test_errors_of_both_handlers(alarms: dict[str, Any]) -> None:
    alarm = alarms["ErrorsAlarm"]
    assert metrics(alarm) == {("AWS/Lambda", "Errors")}
    assert len(alarm["Metrics"]) == 3
    assert (alarm["Threshold"], alarm["ComparisonOperator"]) == (0, "GreaterThanThreshold")
    assert alarm["TreatMissingData"] == "notBreaching"


def test_failures_of_the_waiter(alarms: dict[str, Any]) -> None:
    assert metrics(alarms["WaiterAlarm"]) == {
        ("AWS/States", "ExecutionsFailed"),
        ("AWS/States", "ExecutionsTimedOut"),
    }


def test_failures_of_the_ledger(alarms: dict[str, Any]) -> None:
    alarm = alarms["LedgerAlarm"]
    assert metrics(alarm) == {
        ("AWS/DynamoDB", "ThrottledRequests"),
        ("AWS/DynamoDB", "SystemErrors"),
    }
    # CloudWatch allows ten metrics in an alarm.
    assert len(alarm["Metrics"]) <= 10
    assert alarm["EvaluationPeriods"] == 5
    assert {each["MetricStat"]["Period"] for each in alarm["Metrics"] if "MetricStat" in each} == {
        60
    }


def test_warnings_of_both_handlers(alarms: dict[str, Any]) -> None:
    filters = of_type(alarms["template"], FILTER).values()
    assert len(filters) == 2
    counted = {
        (str(each["MetricNamespace"]), each["MetricName"])
        for found in filters
        for each in found["Properties"]["MetricTransformations"]
    }
    (watched,) = (each["MetricStat"]["Metric"] for each in alarms["WarningsAlarm"]["Metrics"])
    assert counted == {(str(watched["Namespace"]), watched["MetricName"])}
    (pattern,) = {found["Properties"]["FilterPattern"] for found in filters}
    # What Lambda makes of the handlers' log, whose loggers have this name.
    assert pattern == '{ $.level = "WARNING" && $.logger = "connect_provider*" }'


def test_a_filter_is_made_once_and_only_if_warnings_are_counted(stack: cdk.Stack) -> None:
    provider = ConnectAssociationProvider(stack, "Provider")
    assert not of_type(synthesize(stack), FILTER)
    other = new_stack(Path(cast("cdk.App", stack.node.root).outdir) / "other")
    provider = ConnectAssociationProvider(other, "Provider")
    provider.metric_warnings()
    provider.metric_warnings(period=cdk.Duration.minutes(1))
    provider.add_alarms()
    assert len(of_type(synthesize(other), FILTER)) == 2


def test_one_filter_for_one_log_group(stack: cdk.Stack) -> None:
    group = cast("logs.ILogGroup", logs.LogGroup(stack, "Mine"))
    ConnectAssociationProvider(stack, "Provider", log_group=group).metric_warnings()
    assert len(of_type(synthesize(stack), FILTER)) == 1


def test_alarms_do_what_they_are_told(stack: cdk.Stack) -> None:
    topic = sns.Topic(stack, "Topic")
    ConnectAssociationProvider(stack, "Provider").add_alarms(
        actions=[cast("cloudwatch.IAlarmAction", actions.SnsAction(cast("sns.ITopic", topic)))]
    )
    found = of_type(synthesize(stack), ALARM).values()
    assert len(found) == 4
    for alarm in found:
        assert alarm["Properties"]["AlarmActions"] == [stack.resolve(topic.topic_arn)]


def test_metrics_fit_a_dashboard(stack: cdk.Stack) -> None:
    provider = ConnectAssociationProvider(stack, "Provider")
    minute = cdk.Duration.minutes(1)
    watched = [
        provider.metric_errors(period=minute),
        provider.metric_waiter_failures(period=minute),
        provider.metric_warnings(period=minute),
        provider.metric_ledger_failures(period=minute),
    ]
    dashboard = cloudwatch.Dashboard(stack, "Dashboard")
    dashboard.add_widgets(
        cloudwatch.GraphWidget(left=[cast("cloudwatch.IMetric", metric) for metric in watched])
    )
    body = str(of_type(synthesize(stack), "AWS::CloudWatch::Dashboard"))
    for label in ("Failed associations", "Unanswered requests", "Warnings", "Failed calls of the"):
        assert label in body


def test_everything_that_operations_asks_for_has_a_metric() -> None:
    section = OPERATIONS.read_text(encoding="utf-8").partition("## Alarms")[2]
    named = set(re.findall(r"`(metric_\w+)`", section.partition("\n## ")[0]))
    assert named == {name for name in vars(ConnectAssociationProvider) if name.startswith("metric")}
