"""The entry point of the audit's function, which EventBridge starts.

It compares one group after the other, at the pace of the quota. What does not fit into one
invocation goes on in the next one, which an event starts; the event says how far the round is.
"""

from __future__ import annotations

import logging
import os
import time
from functools import cache, partial
from typing import TYPE_CHECKING, Any

from connect_provider import deployment as deployments
from connect_provider.audit import report as reports
from connect_provider.audit.findings import Limit
from connect_provider.audit.group import GroupAudit, Report, Settings
from connect_provider.audit.report import Events
from connect_provider.audit.round import Round, place
from connect_provider.aws import Aws, boto_client
from connect_provider.connect.calls import Limits
from connect_provider.connect.quota import Paces
from connect_provider.errors import ProviderError
from connect_provider.failures import CallError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from connect_provider.connect.client import Group

_LOGGER = logging.getLogger("connect_provider")
_LOGGER.setLevel(logging.INFO)

_DEFAULT_BUDGET = 45.0
_RESERVE = 60.0
"""Seconds that are left for the last calls and for telling what was found."""
_LONGEST_INVOCATION = 900.0


class Auditor:
    """One Lambda environment: what it holds only saves calls and time.

    :param clients: returns a boto3 client for a service's name and a Region. Default: boto3's
    """

    def __init__(self, clients: Callable[[str, str], Any] = boto_client) -> None:
        self._clients = cache(clients)
        self._paces = Paces()

    def audit(self, event: Mapping[str, Any], context: Any = None) -> dict[str, Any]:  # noqa: ANN401 - Lambda's context has no importable type
        """Compare all groups that the stack has claims on, or go on with that.

        :param event: EventBridge's scheduled event, or the one that :class:`Events` wrote.
        :param context: Lambda's context, for the time that is left; None leaves 45 seconds.
        :returns: ``Finished``, and the metrics of the round so far.
        :raises ProviderError, CallError: the ledger or the stack cannot be read.
        """
        settings = _settings()
        try:
            return self._audit(event, context, settings)
        except Exception:
            reports.write_metrics(settings.stack_id, {reports.FAILURES: 1})
            raise

    def _audit(self, event: Mapping[str, Any], context: Any, settings: Settings) -> dict[str, Any]:  # noqa: ANN401 - as above
        stack_id = settings.stack_id
        region = stack_id.split(":")[3]
        now = time.time()
        budget = _budget(context)
        limits = Limits(deadline=now + budget, patience=budget)
        aws = Aws(self._clients, region=region, paces=self._paces, limits=limits)
        walk = Round.of(event, now=now)
        if not walk.hold(aws.ledger, stack_id, now=now, until=now + _LONGEST_INVOCATION):
            _LOGGER.error(
                "the previous audit has not finished: audits take longer than the schedule allows"
            )
            reports.write_metrics(stack_id, {reports.OVERRUNS: 1})
            return {"Finished": False, reports.OVERRUNS: 1}
        events = Events(self._clients("events", region), stack_id)
        return self._walk(walk, aws, settings, events)

    def _walk(self, walk: Round, aws: Aws, settings: Settings, events: Events) -> dict[str, Any]:
        """Compare the groups that are left, and say how the round goes on."""
        began = walk
        listed = cache(partial(deployments.listed_ids, aws.cloudformation, settings.stack_id))
        for group in walk.left(aws.ledger.groups(settings.stack_id)):
            audit = GroupAudit(group, aws=aws, settings=settings, listed=listed)
            report = _carried_out(audit, group)
            try:
                events.tell(report.differences)
            except (CallError, ProviderError) as error:
                report.failures.append(str(error))
            for failure in report.failures:
                _LOGGER.error("%s: %s", group, failure)
            if report.put_off:
                _LOGGER.info("%s is left to the next audit: %s", group, report.put_off)
            walk = walk._replace(
                after=walk.after if report.unfinished else place(group),
                counts=reports.summed(walk.counts, report),
            )
            if not report.unfinished:
                continue
            if walk.after == began.after and not report.differences:
                raise ProviderError(
                    f"{group} is too large to be compared in one invocation: {report.unfinished}"
                )
            events.go_on(walk.to_detail())
            return {"Finished": False, **walk.counts}
        walk.give_back(aws.ledger, settings.stack_id)
        counts = reports.finished(walk.counts)
        reports.write_metrics(settings.stack_id, counts)
        return {"Finished": True, **counts}


def _carried_out(audit: GroupAudit, group: Group) -> Report:
    """Compare a group; one that cannot be read does not hold up the others."""
    try:
        return audit.run()
    except (CallError, ProviderError) as error:
        return Report(failures=[f"{group} cannot be compared: {error}"])


def _settings() -> Settings:
    return Settings(
        stack_id=os.environ["STACK_ID"],
        repair=os.environ.get("AUDIT_REPAIR") == "true",
        limit=Limit(
            share=float(os.environ["AUDIT_MAX_SHARE"]), number=int(os.environ["AUDIT_MAX_NUMBER"])
        ),
    )


def _budget(context: Any) -> float:  # noqa: ANN401 - Lambda's context has no importable type
    """Return how long this invocation may run, in seconds: well below Lambda's time-out."""
    try:
        return max(0.0, float(context.get_remaining_time_in_millis()) / 1000 - _RESERVE)
    except AttributeError:
        return _DEFAULT_BUDGET


audit = Auditor().audit
