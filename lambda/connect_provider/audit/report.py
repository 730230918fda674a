"""What an audit reports: metrics, events and lines in the log.

Sources: `Embedded metric format
<https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html>`_,
`PutEvents <https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEvents.html>`_.
"""

from __future__ import annotations

import json
import logging
import time
from collections import Counter
from typing import TYPE_CHECKING, Any, NamedTuple

from connect_provider.audit.findings import Kind
from connect_provider.errors import ProviderError
from connect_provider.failures import call

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from connect_provider.audit.findings import Difference
    from connect_provider.audit.group import Report

_LOGGER = logging.getLogger(__name__)

NAMESPACE = "ConnectAssociations"
DIMENSION = "StackName"
SOURCE = "connect-associations"
DIFFERENCE = "Connect Association Difference"
CONTINUATION = "Connect Association Audit Continues"

FAILURES = "Failures"
OVERRUNS = "Overruns"
_COUNTED = {
    Kind.MISSING: "Missing",
    Kind.EXTRA: "Extra",
    Kind.USER_GONE: "UsersGone",
    Kind.GROUP_GONE: "GroupsGone",
    Kind.JOINED: "Joined",
    Kind.LEFT: "Left",
    Kind.RULE_STOPPED: "RulesStopped",
}
_OLDEST = "OldestUnsettledSeconds"
_FINISHED = "AuditsFinished"
_METRICS = (*_COUNTED.values(), "Healed", "Matching", "PutOff", FAILURES, _FINISHED)
_ENTRIES_A_CALL = 10
_LONGEST_REASON = 1000


def summed(counts: Mapping[str, float], report: Report) -> dict[str, float]:
    """Return what is counted with another group's report."""
    found = Counter[str](_COUNTED[it.kind] for it in report.differences)
    found["Healed"] = sum(
        it.healed for it in report.differences if it.kind in (Kind.MISSING, Kind.EXTRA)
    )
    found["Matching"] = report.matching
    found["PutOff"] = bool(report.put_off)
    found[FAILURES] = len(report.failures)
    total = {name: counts.get(name, 0) + found[name] for name in {*counts, *found}}
    total[_OLDEST] = max(counts.get(_OLDEST, 0), report.oldest)
    return total


def finished(counts: Mapping[str, float]) -> dict[str, float]:
    """Return the metrics of a round that is over: those that counted nothing are 0."""
    return {**dict.fromkeys((*_METRICS, _OLDEST), 0), **counts, _FINISHED: 1}


def write_metrics(stack_id: str, values: Mapping[str, float]) -> None:
    """Write metrics where CloudWatch Logs finds them: a line of its own on standard output."""
    units = {name: "Seconds" if name == _OLDEST else "Count" for name in values}
    stack_name = stack_id.split("/")[1]
    line = {
        "_aws": {
            "Timestamp": int(time.time() * 1000),
            "CloudWatchMetrics": [
                {
                    "Namespace": NAMESPACE,
                    "Dimensions": [[DIMENSION]],
                    "Metrics": [{"Name": name, "Unit": units[name]} for name in sorted(values)],
                }
            ],
        },
        DIMENSION: stack_name,
        **values,
    }
    print(json.dumps(line))  # noqa: T201 - the logger would wrap it


class Events(NamedTuple):
    """The default event bus.

    :ivar client: boto3's EventBridge client.
    :ivar stack_id: whose events they are.
    """

    client: Any
    stack_id: str

    def tell(self, differences: Iterable[Difference]) -> None:
        """Write a line and an event for each difference.

        :raises CallError, ProviderError: EventBridge did not take them.
        """
        details = [self._detail(difference) for difference in differences]
        for detail in details:
            _LOGGER.warning("%s", json.dumps(detail))
        self._put(DIFFERENCE, details)

    def go_on(self, detail: Mapping[str, Any]) -> None:
        """Let the rule of the audit start the next invocation.

        :raises CallError, ProviderError: EventBridge did not take the event.
        """
        self._put(CONTINUATION, [{"stackId": self.stack_id, **detail}])

    def _detail(self, difference: Difference) -> dict[str, Any]:
        claim = difference.claim
        detail = {
            "stackId": self.stack_id,
            "difference": difference.kind.value,
            "healed": difference.healed,
            "instanceId": claim.instance_id,
            "trafficDistributionGroupId": claim.group.id,
            "region": claim.group.region,
            "userId": difference.user_id,
            "declaredBy": claim.owner.logical_id,
            "reason": difference.reason[:_LONGEST_REASON],
        }
        return {name: value for name, value in detail.items() if value != ""}

    def _put(self, detail_type: str, details: list[dict[str, Any]]) -> None:
        entries = [
            {"Source": SOURCE, "DetailType": detail_type, "Detail": json.dumps(detail)}
            for detail in details
        ]
        for start in range(0, len(entries), _ENTRIES_A_CALL):
            self._send(entries[start : start + _ENTRIES_A_CALL])

    def _send(self, entries: list[Any]) -> None:
        bus = "the default event bus"
        answer = call("PutEvents", bus, lambda: self.client.put_events(Entries=entries))
        refused = [it for it in answer["Entries"] if "ErrorCode" in it]
        if refused:
            raise ProviderError(
                f"PutEvents ({bus}) refused {len(refused)} of {len(entries)} events: "
                f"{refused[0]['ErrorCode']}: {refused[0].get('ErrorMessage', 'no message')}"
            )
