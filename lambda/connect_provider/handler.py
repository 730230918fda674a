"""The entry points of the two Lambda functions behind ``aws_cdk.custom_resources.Provider``.

``on_event`` plans and changes nothing, so that CloudFormation knows the physical ID before the
first write. ``is_complete`` claims, then moves Connect one step nearer to the claims; it may run
any number of times.
"""

from __future__ import annotations

import logging
import os
import time
from typing import TYPE_CHECKING, Any

from connect_provider.aws import Aws, boto_client
from connect_provider.connect.calls import Limits
from connect_provider.connect.quota import Paces
from connect_provider.contacts.assignment import ContactAssignment
from connect_provider.contacts.declaration import CONTACT_USER
from connect_provider.errors import (
    AssociationFailedError,
    ConvergenceTimeoutError,
    InvalidEventError,
    StillWaiting,
)
from connect_provider.failures import CallError, Failure
from connect_provider.groups.association import GroupAssociation
from connect_provider.groups.declaration import GROUP_USER, GROUP_USERS
from connect_provider.request import Request, RequestType
from connect_provider.users.lookup import USER_LOOKUP, UserLookup

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from connect_provider.lifecycle import Resource

_LOGGER = logging.getLogger("connect_provider")
_LOGGER.setLevel(logging.INFO)

_RESOURCES: dict[str, Callable[[Request, Aws], Resource]] = {
    GROUP_USER: GroupAssociation,
    GROUP_USERS: GroupAssociation,
    CONTACT_USER: ContactAssignment,
    USER_LOOKUP: UserLookup,
}

_DEFAULT_CONVERGENCE_TIMEOUT = 40 * 60.0
_DEFAULT_BUDGET = 45.0
_LONGEST_RESERVE = 30.0
_RESERVE_SHARE = 0.2
_POLL_PATIENCE = 10.0
_LAST_POLL_SHARE = 0.95
_LAST_POLL_RESERVE = 60.0
_PERMISSIONS_SETTLE = 60.0
"""IAM has told everyone about a new role by then; until then a denied call may be allowed soon."""
_PLAN_AGAIN_AFTER = 5.0


class Provider:
    """One Lambda environment: what it holds only saves calls and time.

    :param clients: returns a boto3 client for a service's name and a Region. Default: boto3's
    """

    def __init__(self, clients: Callable[[str, str], Any] = boto_client) -> None:
        self._make = clients
        self._clients: dict[tuple[str, str], Any] = {}
        self._paces = Paces()
        self._timeout = float(
            os.environ.get("CONVERGENCE_TIMEOUT_SECONDS") or _DEFAULT_CONVERGENCE_TIMEOUT
        )

    def on_event(self, event: Mapping[str, Any], context: Any = None) -> dict[str, Any]:  # noqa: ANN401 - Lambda's context has no importable type
        """Plan a request; nothing is changed.

        :param event: the custom resource's event.
        :param context: Lambda's context, for the time that is left; None leaves 45 seconds.
        :returns: ``PhysicalResourceId``, and what :meth:`is_complete` needs to know.
        :raises ProviderError: the request cannot be fulfilled.
        """
        request = Request.from_event(event)
        if request.type is RequestType.DELETE:
            return {"PhysicalResourceId": request.physical_id}
        _require_known(request)
        now = time.time()
        request = request._replace(started_at=now)
        budget = _budget(context)
        aws = self._aws(request, Limits(deadline=now + budget, patience=budget))
        while True:
            try:
                answer = _RESOURCES[request.resource_type](request, aws).plan()
            except CallError as error:
                # Nobody polls on_event again; nothing was changed, so it can begin again.
                if not self._may_heal(error, now) or aws.limits.over:
                    raise AssociationFailedError(f"{error}. Nothing was changed.") from error
                time.sleep(_PLAN_AGAIN_AFTER)
            except StillWaiting as wait:
                if aws.limits.over:
                    waited = f"waited {time.time() - now:,.0f} s"
                    raise ConvergenceTimeoutError(
                        f"{wait} ({waited}). Nothing was changed."
                    ) from wait
                time.sleep(_PLAN_AGAIN_AFTER)
            else:
                _LOGGER.info(
                    "%s %s: %s",
                    request.type.value,
                    request.logical_id,
                    answer["PhysicalResourceId"],
                )
                return {**answer, "StartedAt": now}

    def is_complete(self, event: Mapping[str, Any], context: Any = None) -> dict[str, Any]:  # noqa: ANN401 - Lambda's context has no importable type
        """Take Connect one step nearer to the plan; may run any number of times.

        :param event: the event with what :meth:`on_event` answered.
        :param context: Lambda's context, for the time that is left; None leaves 45 seconds.
        :returns: ``IsComplete``, and ``Data`` once it is True.
        :raises ProviderError: the plan cannot be fulfilled, or not in time.
        """
        request = Request.from_event(event)
        if request.type is RequestType.DELETE and request.resource_type not in _RESOURCES:
            # It was never handled.
            return {"IsComplete": True}
        _require_known(request)
        now = time.time()
        started_at = request.started_at or now
        aws = self._aws(request, Limits(deadline=now + _budget(context), patience=_POLL_PATIENCE))
        try:
            data = _RESOURCES[request.resource_type](request, aws).converge()
        except CallError as error:
            if not self._may_heal(error, started_at):
                raise AssociationFailedError(f"{error}.{_advice(error)}") from error
            return self._wait(request, started_at, error)
        except StillWaiting as wait:
            return self._wait(request, started_at, wait)
        return {"IsComplete": True, "Data": dict(data)} if data else {"IsComplete": True}

    def _wait(self, request: Request, started_at: float, reason: Exception) -> dict[str, Any]:
        """Answer that there is more to do.

        The Provider framework's own time-out knows no reason, and fails to answer at all where the
        event is larger than what Step Functions keeps of an error. So this one comes before it.
        """
        waited = time.time() - started_at
        _LOGGER.info("%s waits, %.0f s so far: %s", request.logical_id, waited, reason)
        last_poll = max(self._timeout * _LAST_POLL_SHARE, self._timeout - _LAST_POLL_RESERVE)
        if waited >= last_poll:
            raise ConvergenceTimeoutError(
                f"{reason} (gave up after {waited:,.0f} s; a longer convergence_timeout of "
                "ConnectAssociationProvider waits longer)."
            ) from reason
        return {"IsComplete": False}

    @staticmethod
    def _may_heal(error: CallError, started_at: float) -> bool:
        if error.failure is Failure.ACCESS_DENIED:
            return time.time() - started_at < _PERMISSIONS_SETTLE
        return error.heals

    def _aws(self, request: Request, limits: Limits) -> Aws:
        return Aws(self._client, region=request.account.region, paces=self._paces, limits=limits)

    def _client(self, service: str, region: str) -> Any:  # noqa: ANN401 - one of many generated classes
        if (service, region) not in self._clients:
            self._clients[service, region] = self._make(service, region)
        return self._clients[service, region]


def _require_known(request: Request) -> None:
    if request.resource_type not in _RESOURCES:
        raise InvalidEventError(
            f"{request.resource_type} is not a resource type of this provider: it handles "
            f"{', '.join(sorted(_RESOURCES))}."
        )


def _advice(error: CallError) -> str:
    if error.failure is not Failure.ACCESS_DENIED:
        return ""
    return (
        " The provider's role lacks the permission, or a permissions boundary, service control "
        "policy or condition takes it away."
    )


def _budget(context: Any) -> float:  # noqa: ANN401 - Lambda's context has no importable type
    """Return how long this invocation may run, in seconds: well below Lambda's time-out."""
    try:
        left = float(context.get_remaining_time_in_millis()) / 1000
    except AttributeError:
        return _DEFAULT_BUDGET
    return left - min(_LONGEST_RESERVE, left * _RESERVE_SHARE)


_PROVIDER = Provider()
on_event = _PROVIDER.on_event
is_complete = _PROVIDER.is_complete
