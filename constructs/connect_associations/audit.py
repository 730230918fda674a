"""A stack's associations, compared with Connect on a schedule."""

# Classes that jsii generates name their parameters differently from its protocols:
# pyright: reportArgumentType=false

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_events as events

from connect_associations import _monitoring
from connect_associations._identifiers import shown

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from constructs import Construct

NAMESPACE = "ConnectAssociations"
"""The namespace of the metrics."""

DIMENSION = "StackName"
"""The one dimension of the metrics."""

SOURCE = "connect-associations"
"""The source of the events."""

DIFFERENCE = "Connect Association Difference"
"""The detail type of an event that reports a difference."""

CONTINUATION = "Connect Association Audit Continues"
"""The detail type of an event that starts the next invocation of an audit under way."""


@dataclass(frozen=True, kw_only=True, slots=True)
class MaxChange:
    """How many users one evaluation of a rule may add and remove together.

    The larger limit applies: the share suits large groups, the number small ones. If more users
    would join and leave, nothing changes, and ``metric_rules_stopped`` counts it. If nobody
    matches, nothing ever changes.

    :param share: the share of the users whom the rule stood for, 0 to 1. Default: - 0.1
    :param number: the number of users. Default: - 10
    """

    share: float = 0.1
    number: int = 10


class Audit:
    """Compares the members of groups with what the stack declares, on a schedule.

    Pass it to :class:`ConnectAssociationProvider`. EventBridge then starts a function that reads
    every claim of the stack and the members of its groups, at the pace of Connect's quota. It
    writes metrics and, for each difference, a line in its log and an event on the default bus. It
    also evaluates the rules of memberships (``users_matching``) again, and follows them. A group
    that a deployment is changing is left for the next audit.

    :param schedule: when audits begin, such as ``Schedule.rate(Duration.hours(1))``. An audit that
        is due before the last one has finished does not begin; ``metric_overruns`` counts it.
    :param repair: also puts back declared users who are missing, and takes extra members out of
        exclusive groups. It never touches anybody else. Default: - False
    :param max_change: the largest change for which a rule is followed. Default: - ``MaxChange()``
    """

    def __init__(
        self,
        *,
        schedule: events.Schedule,
        repair: bool = False,
        max_change: MaxChange | None = None,
    ) -> None:
        self._schedule = schedule
        self._repair = repair
        self._max_change = max_change or MaxChange()
        self._stack: cdk.Stack | None = None

    @property
    def schedule(self) -> events.Schedule:
        """When audits begin."""
        return self._schedule

    @property
    def repair(self) -> bool:
        """Whether the audit corrects differences."""
        return self._repair

    @property
    def max_change(self) -> MaxChange:
        """The largest change for which a rule is followed."""
        return self._max_change

    def find_problems(self) -> Iterator[str]:
        """Return one sentence for each property that cannot be deployed."""
        if not isinstance(self._schedule, events.Schedule):
            yield (
                f"audit.schedule: expected a Schedule of aws_cdk.aws_events, got "
                f"{shown(self._schedule)}"
            )
        if not isinstance(self._repair, bool):
            yield f"audit.repair: expected True or False, got {shown(self._repair)}"
        limit = self._max_change
        if not isinstance(limit, MaxChange):
            yield f"audit.max_change: expected a MaxChange, got {shown(limit)}"
        elif not 0 <= limit.share <= 1 or not isinstance(limit.number, int) or limit.number < 0:
            yield (
                f"audit.max_change: expected a share of 0 to 1 and a number of at least 0, got "
                f"{shown(limit)}"
            )
        if self._stack is not None:
            yield f"audit: stack {self._stack.node.path} has it already; create another one"

    def join(self, stack: cdk.Stack) -> None:
        """Belong to the provider of *stack*; the provider calls this."""
        self._stack = stack

    # -- metrics -----------------------------------------------------------------------------------

    def metric_missing(self, *, period: cdk.Duration | None = None) -> cloudwatch.Metric:
        """Return how many declared users were found missing, whether or not they were put back.

        :param period: the period to count over. Default: - 5 minutes
        """
        return self._metric("Missing", period)

    def metric_extra(self, *, period: cdk.Duration | None = None) -> cloudwatch.Metric:
        """Return how many members of exclusive groups nobody declares, taken out or not.

        :param period: the period to count over. Default: - 5 minutes
        """
        return self._metric("Extra", period)

    def metric_healed(self, *, period: cdk.Duration | None = None) -> cloudwatch.Metric:
        """Return how many missing and extra users were corrected.

        :param period: the period to count over. Default: - 5 minutes
        """
        return self._metric("Healed", period)

    def metric_groups_gone(self, *, period: cdk.Duration | None = None) -> cloudwatch.Metric:
        """Return how many declared groups no longer exist.

        :param period: the period to count over. Default: - 5 minutes
        """
        return self._metric("GroupsGone", period)

    def metric_users_gone(self, *, period: cdk.Duration | None = None) -> cloudwatch.Metric:
        """Return how many declared users no longer exist.

        :param period: the period to count over. Default: - 5 minutes
        """
        return self._metric("UsersGone", period)

    def metric_oldest_unsettled(self, *, period: cdk.Duration | None = None) -> cloudwatch.Metric:
        """Return the age of the oldest claim that has yet to become live or to end, in seconds.

        :param period: the period to take the maximum of. Default: - 5 minutes
        """
        return self._metric("OldestUnsettledSeconds", period, cloudwatch.Stats.MAXIMUM)

    def metric_matching(self, *, period: cdk.Duration | None = None) -> cloudwatch.Metric:
        """Return how many users match the rules of memberships.

        :param period: the period to take the maximum of. Default: - 5 minutes
        """
        return self._metric("Matching", period, cloudwatch.Stats.MAXIMUM)

    def metric_joined(self, *, period: cdk.Duration | None = None) -> cloudwatch.Metric:
        """Return how many users have come to match a rule.

        :param period: the period to count over. Default: - 5 minutes
        """
        return self._metric("Joined", period)

    def metric_left(self, *, period: cdk.Duration | None = None) -> cloudwatch.Metric:
        """Return how many users no longer match their rule.

        :param period: the period to count over. Default: - 5 minutes
        """
        return self._metric("Left", period)

    def metric_rules_stopped(self, *, period: cdk.Duration | None = None) -> cloudwatch.Metric:
        """Return how many rules were not followed: above *max_change*, or nobody matches.

        :param period: the period to count over. Default: - 5 minutes
        """
        return self._metric("RulesStopped", period)

    def metric_failures(self, *, period: cdk.Duration | None = None) -> cloudwatch.Metric:
        """Return how many groups, rules or users could not be read or changed; the log says why.

        :param period: the period to count over. Default: - 5 minutes
        """
        return self._metric("Failures", period)

    def metric_overruns(self, *, period: cdk.Duration | None = None) -> cloudwatch.Metric:
        """Return how many audits did not begin because the one before had not finished.

        :param period: the period to count over. Default: - 5 minutes
        """
        return self._metric("Overruns", period)

    def metric_finished(self, *, period: cdk.Duration | None = None) -> cloudwatch.Metric:
        """Return how many audits have finished. Alarm on too few to notice that none run at all.

        :param period: the period to count over. Default: - 5 minutes
        """
        return self._metric("AuditsFinished", period)

    def add_alarms(
        self, scope: Construct, *, actions: Sequence[cloudwatch.IAlarmAction] = ()
    ) -> list[cloudwatch.Alarm]:
        """Create an alarm for each metric that calls for action, and return them.

        ``ConnectAssociationProvider.add_alarms()`` does this too.

        :param scope: where the alarms stand in the construct tree.
        :param actions: what each alarm does. Default: - nothing
        """
        return [
            _monitoring.alarm(scope, name, metric, description=description, actions=actions)
            for name, metric, description in (
                ("MissingAlarm", self.metric_missing(), "A declared user is missing from a group."),
                ("ExtraAlarm", self.metric_extra(), "A stranger is in an exclusive group."),
                ("UsersGoneAlarm", self.metric_users_gone(), "A declared user does not exist."),
                ("GroupsGoneAlarm", self.metric_groups_gone(), "A declared group does not exist."),
                ("RulesAlarm", self.metric_rules_stopped(), "A rule for users is not followed."),
                ("FailuresAlarm", self.metric_failures(), "An audit could not do all its work."),
                ("OverrunsAlarm", self.metric_overruns(), "Audits take longer than the schedule."),
            )
        ]

    def _metric(
        self, name: str, period: cdk.Duration | None, statistic: str = cloudwatch.Stats.SUM
    ) -> cloudwatch.Metric:
        if self._stack is None:
            raise ValueError(
                "the audit belongs to no stack yet: pass it to ConnectAssociationProvider(audit=…) "
                "before you ask for its metrics"
            )
        return cloudwatch.Metric(
            namespace=NAMESPACE,
            metric_name=name,
            dimensions_map={DIMENSION: self._stack.stack_name},
            statistic=statistic,
            period=period or cdk.Duration.minutes(5),
        )
