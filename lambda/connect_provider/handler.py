"""The entry points of the two Lambda functions behind ``aws_cdk.custom_resources.Provider``.

``on_event`` plans and changes nothing, so that CloudFormation knows the physical ID before the
first write. ``is_complete`` claims, then moves Connect one step nearer to the claims; it may run
any number of times.
"""

from __future__ import annotations

import logging
import math
import os
import time
from functools import cache
from typing import TYPE_CHECKING, Any, TypeVar

from connect_provider.aws import Aws, boto_client
from connect_provider.connect.calls import Limits
from connect_provider.connect.quota import Paces
from connect_provider.contacts.assignment import ContactAssignment
from connect_provider.contacts.declaration import CONTACT_USER
from connect_provider.errors import (
    MAX_MESSAGE_LENGTH,
    AssociationFailedError,
    ConvergenceTimeoutError,
    InvalidEventError,
    ProviderError,
    StillWaiting,
    shorten,
)
from connect_provider.failures import CallError, Failure
from connect_provider.groups.association import GroupAssociation
from connect_provider.groups.declaration import GROUP_USER, GROUP_USERS
from connect_provider.request import Request, RequestType
from connect_provider.users.lookup import USER_LOOKUP, UserLookup

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from connect_provider.lifecycle import Resource

_T = TypeVar("_T")
_LOGGER = logging.getLogger("connect_provider")
_LOGGER.setLevel(logging.INFO)

_RESOURCES: dict[str, Callable[[Request, Aws], Resource]] = {
    GROUP_USER: GroupAssociation,
    GROUP_USERS: GroupAssociation,
    CONTACT_USER: ContactAssignment,
    USER_LOOKUP: UserLookup,
}

_DEFAULT_CONVERGENCE_TIMEOUT = 40 * 60.0
_DEFAULT_TIME = 60.0
_LONGEST_RESERVE = 30.0
_RESERVE_SHARE = 0.2
_POLL_PATIENCE = 10.0
_LAST_POLL_SHARE = 0.95
_LAST_POLL_RESERVE = 60.0
_PERMISSIONS_SETTLE = 60.0
"""By then, IAM has spread a new role's permissions; until then, a denied call may yet succeed."""
_PLAN_AGAIN_AFTER = 5.0
_PERMISSION = (
    " The provider's role lacks the permission, or a permissions boundary, service control policy "
    "or condition takes it away."
)


class Provider:
    """One Lambda environment; its state only saves calls and time.

    :param clients: returns a boto3 client for a service's name and a Region. Default: boto3's
    """

    def __init__(self, clients: Callable[[str, str], Any] = boto_client) -> None:
        self._clients = cache(clients)
        self._paces = Paces()
        self._timeout = float(
            os.environ.get("CONVERGENCE_TIMEOUT_SECONDS") or _DEFAULT_CONVERGENCE_TIMEOUT
        )

    def on_event(self, event: Mapping[str, Any], context: Any = None) -> dict[str, Any]:  # noqa: ANN401 - Lambda's context has no importable type
        """Plan a request; nothing is changed.

        :param event: the custom resource's event.
        :param context: Lambda's context, for the time that is left. None: one minute.
        :returns: ``PhysicalResourceId``, and what :meth:`is_complete` needs to know.
        :raises ProviderError: the request cannot be fulfilled.
        """
        request = Request.from_event(event)._replace(started_at=time.time())
        if request.type is RequestType.DELETE:
            return {"PhysicalResourceId": request.physical_id, "StartedAt": request.started_at}
        limits = _limits(context, patience=math.inf)
        while True:
            try:
                answer = self._attempt(
                    request, limits, lambda it: it.plan(), " Nothing was changed."
                )
            except StillWaiting as wait:
                # Nobody polls on_event. Nothing was changed, so it can begin again.
                if time.time() + _PLAN_AGAIN_AFTER >= limits.deadline:
                    waited = f"waited {time.time() - request.started_at:,.0f} s"
                    raise ConvergenceTimeoutError(
                        f"{wait} ({waited}). Nothing was changed."
                    ) from wait
                time.sleep(_PLAN_AGAIN_AFTER)
            else:
                made = answer["PhysicalResourceId"]
                _LOGGER.info("%s %s: %s", request.type.value, request.logical_id, made)
                return {**answer, "StartedAt": request.started_at}

    def is_complete(self, event: Mapping[str, Any], context: Any = None) -> dict[str, Any]:  # noqa: ANN401 - Lambda's context has no importable type
        """Take Connect one step nearer to the plan; may run any number of times.

        :param event: the event with what :meth:`on_event` answered.
        :param context: Lambda's context, for the time that is left. None: one minute.
        :returns: ``IsComplete``, and ``Data`` once it is True.
        :raises ProviderError: the plan cannot be fulfilled, or not in time.
        """
        request = Request.from_event(event)
        if request.type is RequestType.DELETE and request.resource_type not in _RESOURCES:
            # It was never handled.
            return {"IsComplete": True}
        request = request._replace(started_at=request.started_at or time.time())
        limits = _limits(context, patience=_POLL_PATIENCE)
        try:
            data = self._attempt(request, limits, lambda it: it.converge())
        except StillWaiting as wait:
            waited = time.time() - request.started_at
            _LOGGER.info("%s waits, %.0f s so far: %s", request.logical_id, waited, wait)
            # The Provider framework's own time-out gives no reason, and does not answer at all if
            # the event is larger than what Step Functions keeps of an error. So this one comes
            # first.
            last_poll = max(self._timeout * _LAST_POLL_SHARE, self._timeout - _LAST_POLL_RESERVE)
            if waited >= last_poll:
                raise ConvergenceTimeoutError(
                    f"{wait} (gave up after {waited:,.0f} s; a longer convergence_timeout of "
                    "ConnectAssociationProvider waits longer)."
                ) from wait
            return {"IsComplete": False}
        return {"IsComplete": True, "Data": dict(data)} if data else {"IsComplete": True}

    def _attempt(
        self,
        request: Request,
        limits: Limits,
        step: Callable[[Resource], _T],
        afterwards: str = "",
    ) -> _T:
        """Plan or converge.

        :param afterwards: what the message of a failure says at its end.
        :raises StillWaiting: it may succeed later.
        :raises ProviderError: it will not.
        """
        resource = _RESOURCES.get(request.resource_type)
        if resource is None:
            raise InvalidEventError(
                f"{request.resource_type} is not a resource type of this provider: it handles "
                f"{', '.join(sorted(_RESOURCES))}."
            )
        aws = Aws(self._clients, request.account.region, self._paces, limits)
        try:
            return step(resource(request, aws))
        except CallError as error:
            denied = error.failure is Failure.ACCESS_DENIED
            settles = time.time() - request.started_at < _PERMISSIONS_SETTLE
            if error.heals or (denied and settles):
                raise StillWaiting(str(error)) from error
            advice = _PERMISSION if denied else ""
            raise AssociationFailedError(f"{error}.{advice}{afterwards}") from error


def _limits(context: Any, *, patience: float) -> Limits:  # noqa: ANN401 - Lambda's context has no importable type
    """Return how long this invocation may go on: well below Lambda's time-out."""
    try:
        left = float(context.get_remaining_time_in_millis()) / 1000
    except AttributeError:
        left = _DEFAULT_TIME
    budget = left - min(_LONGEST_RESERVE, left * _RESERVE_SHARE)
    return Limits(deadline=time.time() + budget, patience=patience)


def names_its_log(handler: Callable[[Mapping[str, Any], Any], _T]) -> Callable[..., _T]:
    """Return a handler whose errors name the log group, where it is not the function's own.

    The Provider framework ends a reason in ``/aws/lambda/FUNCTION``, wherever the function logs.
    """

    def named(event: Mapping[str, Any], context: Any = None) -> _T:  # noqa: ANN401 - Lambda's context has no importable type
        try:
            return handler(event, context)
        except ProviderError as error:
            group = os.environ.get("AWS_LAMBDA_LOG_GROUP_NAME", "")
            if group in ("", f"/aws/lambda/{os.environ.get('AWS_LAMBDA_FUNCTION_NAME')}"):
                raise
            where = f" The log is in {group}."
            raise type(error)(
                shorten(str(error), MAX_MESSAGE_LENGTH - len(where)) + where
            ) from error

    return named


_PROVIDER = Provider()
on_event = names_its_log(_PROVIDER.on_event)
is_complete = names_its_log(_PROVIDER.is_complete)
