"""What to watch of a provider: metrics, and alarms on them."""

# Classes that jsii generates name their parameters differently from its protocols:
# pyright: reportArgumentType=false

from __future__ import annotations

from typing import TYPE_CHECKING

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_logs as logs

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from aws_cdk import aws_dynamodb as dynamodb
    from aws_cdk import aws_lambda as lambda_
    from aws_cdk import aws_stepfunctions as stepfunctions
    from constructs import Construct

_FIVE_MINUTES = 300
_LEDGER_OPERATIONS = ("DeleteItem", "GetItem", "PutItem", "Query")
_WARNINGS = "Warnings"
_OUR_WARNINGS = logs.FilterPattern.literal(
    '{ $.level = "WARNING" && $.logger = "connect_provider*" }'
)


def errors(
    handlers: Iterable[lambda_.Function], period: cdk.Duration | None
) -> cloudwatch.MathExpression:
    """Count the calls of the handlers that failed."""
    return _sum(
        "error",
        "Failed associations",
        [handler.metric_errors() for handler in handlers],
        period,
    )


def waiter_failures(
    waiter: stepfunctions.CfnStateMachine, period: cdk.Duration | None
) -> cloudwatch.MathExpression:
    """Count the requests that nobody answered."""
    return _sum(
        "unanswered",
        "Unanswered requests",
        [
            _metric("AWS/States", name, {"StateMachineArn": waiter.ref})
            for name in ("ExecutionsFailed", "ExecutionsTimedOut")
        ],
        period,
    )


def ledger_failures(
    ledger: dynamodb.ITable, period: cdk.Duration | None
) -> cloudwatch.MathExpression:
    """Count the ledger's calls that were throttled or failed."""
    return _sum(
        "ledger",
        "Failed calls of the ledger",
        [
            _metric("AWS/DynamoDB", name, {"TableName": ledger.table_name, "Operation": operation})
            for name in ("ThrottledRequests", "SystemErrors")
            for operation in _LEDGER_OPERATIONS
        ],
        period,
    )


def warnings(
    scope: Construct, log_groups: Iterable[logs.ILogGroup], period: cdk.Duration | None
) -> cloudwatch.Metric:
    """Count the handlers' warnings; the first call creates the metric filters that count them.

    :param scope: the provider.
    :param log_groups: where the handlers log.
    """
    namespace = f"ConnectAssociations/{cdk.Aws.STACK_NAME}"
    for number, group in enumerate(log_groups):
        construct_id = f"Warnings{number}"
        if scope.node.try_find_child(construct_id) is None:
            logs.MetricFilter(
                scope,
                construct_id,
                log_group=group,
                filter_pattern=_OUR_WARNINGS,
                metric_namespace=namespace,
                metric_name=_WARNINGS,
            )
    return cloudwatch.Metric(
        namespace=namespace,
        metric_name=_WARNINGS,
        label="Warnings",
        statistic=cloudwatch.Stats.SUM,
        period=period or cdk.Duration.seconds(_FIVE_MINUTES),
    )


def _metric(namespace: str, name: str, dimensions: Mapping[str, str]) -> cloudwatch.Metric:
    return cloudwatch.Metric(
        namespace=namespace,
        metric_name=name,
        dimensions_map=dimensions,
        statistic=cloudwatch.Stats.SUM,
    )


def _sum(
    name: str, label: str, metrics: list[cloudwatch.Metric], period: cdk.Duration | None
) -> cloudwatch.MathExpression:
    # The names are unique within a graph. A metric that has counted nothing has no data at all.
    using = {f"{name}{number}": metric for number, metric in enumerate(metrics)}
    return cloudwatch.MathExpression(
        expression=" + ".join(f"FILL({name}, 0)" for name in using),
        using_metrics=using,
        label=label,
        period=period or cdk.Duration.seconds(_FIVE_MINUTES),
    )


def alarm(  # noqa: PLR0913 - what an alarm is made of, all but the first three by keyword
    scope: Construct,
    construct_id: str,
    metric: cloudwatch.IMetric,
    *,
    description: str,
    actions: Iterable[cloudwatch.IAlarmAction],
    periods: int = 1,
) -> cloudwatch.Alarm:
    """Create an alarm for a metric that should count nothing.

    :param scope: the provider.
    :param construct_id: the alarm's ID.
    :param metric: what counts.
    :param description: what has happened, and where to read more.
    :param actions: what the alarm does.
    :param periods: how many periods in a row the metric must count something.
    """
    created = cloudwatch.Alarm(
        scope,
        construct_id,
        metric=metric,
        alarm_description=description,
        threshold=0,
        comparison_operator=cloudwatch.ComparisonOperator.GREATER_THAN_THRESHOLD,
        evaluation_periods=periods,
        treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
    )
    created.add_alarm_action(*actions)
    return created
