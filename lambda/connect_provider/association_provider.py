"""The two handlers, free of globals: everything that they need can be handed in."""

from __future__ import annotations

import logging
import os
from typing import TYPE_CHECKING, Any

from connect_provider import declaration
from connect_provider.caller import Caller, Paces
from connect_provider.calls import CallError
from connect_provider.clients import BotoClients
from connect_provider.clock import SystemClock
from connect_provider.contact_user import ContactUserAssociation
from connect_provider.errors import (
    AssociationFailedError,
    ConvergenceTimeoutError,
    InvalidEventError,
    StillWaiting,
)
from connect_provider.group_users import GroupUsersAssociation
from connect_provider.invocation import Invocation
from connect_provider.request import Request, RequestType
from connect_provider.user_lookup import UserLookup

if TYPE_CHECKING:
    from collections.abc import Mapping

    from connect_provider.clients import Clients
    from connect_provider.clock import Clock

_LOGGER = logging.getLogger(__name__)

_DEFAULT_CONVERGENCE_TIMEOUT = 40 * 60.0
_DEFAULT_BUDGET = 45.0
_LONGEST_RESERVE = 30.0
_RESERVE_SHARE = 0.2
_PERMISSIONS_SETTLE = 60.0
_POLL_PATIENCE = 10.0
_LAST_POLL_SHARE = 0.95
_LAST_POLL_RESERVE = 60.0


class AssociationProvider:
    """One Lambda environment: what it holds beside its parameters only saves calls and time.

    :param clients: makes the clients. Default: boto3's.
    :param clock: the time. Default: the machine's.
    """

    def __init__(self, *, clients: Clients | None = None, clock: Clock | None = None) -> None:
        self._clients = clients or BotoClients()
        self._clock = clock or SystemClock()
        self._timeout = float(
            os.environ.get("CONVERGENCE_TIMEOUT_SECONDS") or _DEFAULT_CONVERGENCE_TIMEOUT
        )
        self._paces = Paces(crowd=int(os.environ.get("TRAFFIC_DISTRIBUTION_GROUP_USER_COUNT") or 1))
        self._group_users = GroupUsersAssociation()
        self._contact_user = ContactUserAssociation()
        self._user_lookup = UserLookup()

    def on_event(self, event: Mapping[str, Any], context: Any = None) -> dict[str, Any]:  # noqa: ANN401 - Lambda's context has no importable type
        """Plan a request; nothing is changed.

        :param event: the custom resource's event.
        :param context: Lambda's context, for the time that is left; None leaves 45 seconds.
        :returns: ``PhysicalResourceId`` and ``Plan``.
        :raises ProviderError: the request cannot be fulfilled.
        """
        request = Request.from_event(event)
        association = self._association(request)
        if association is None:
            return {"PhysicalResourceId": request.physical_id, "Plan": {}}
        _LOGGER.info(
            "planning %s of %s (%s)",
            request.type.value,
            request.logical_id,
            request.physical_id or "new",
        )
        now = self._clock.time()
        deadline = now + _budget(context)
        caller = Caller(
            clock=self._clock,
            paces=self._paces,
            deadline=deadline,
            patience=deadline - now,
            permissions_settle_at=now + _PERMISSIONS_SETTLE,
        )
        invocation = Invocation.begin(
            request=request, clients=self._clients, caller=caller, started_at=now
        )
        try:
            answer = association.plan(request, invocation)
        except CallError as error:
            raise AssociationFailedError(f"{error}. Nothing was changed.") from error
        except StillWaiting as wait:
            raise ConvergenceTimeoutError(
                f"{wait} (waited {self._clock.time() - now:,.0f} s). Nothing was changed."
            ) from wait
        _LOGGER.info("planned %s", answer["PhysicalResourceId"])
        return answer

    def is_complete(self, event: Mapping[str, Any], context: Any = None) -> dict[str, Any]:  # noqa: ANN401 - Lambda's context has no importable type
        """Take Connect one step nearer to the plan; may run any number of times.

        :param event: the event with what :meth:`on_event` answered.
        :param context: Lambda's context, for the time that is left; None leaves 45 seconds.
        :returns: ``IsComplete``, and ``Data`` once it is True.
        :raises ProviderError: the plan cannot be fulfilled, or not in time.
        """
        request = Request.from_event(event)
        association = self._association(request)
        if association is None:
            return {"IsComplete": True}
        now = self._clock.time()
        started_at = float(request.plan.get("StartedAt", now))
        caller = Caller(
            clock=self._clock,
            paces=self._paces,
            deadline=now + _budget(context),
            patience=_POLL_PATIENCE,
            permissions_settle_at=started_at + _PERMISSIONS_SETTLE,
        )
        invocation = Invocation.begin(
            request=request, clients=self._clients, caller=caller, started_at=started_at
        )
        try:
            data = association.converge(request, invocation)
        except StillWaiting as wait:
            waited = self._clock.time() - started_at
            _LOGGER.info("%s is not complete after %.0f s: %s", request.logical_id, waited, wait)
            if waited >= self._last_poll:
                raise ConvergenceTimeoutError(
                    f"{wait} (gave up after {waited:,.0f} s; a longer convergence_timeout of "
                    "ConnectAssociationProvider waits longer)."
                ) from wait
            return {"IsComplete": False}
        except CallError as error:
            raise AssociationFailedError(str(error)) from error
        return {"IsComplete": True, "Data": data} if data else {"IsComplete": True}

    @property
    def _last_poll(self) -> float:
        """How long to wait, so that the reason is told before Step Functions gives up.

        The Provider framework's own time-out knows no reason, and fails to answer at all where
        the event is larger than what Step Functions keeps of an error.
        """
        return max(self._timeout * _LAST_POLL_SHARE, self._timeout - _LAST_POLL_RESERVE)

    def _association(
        self, request: Request
    ) -> GroupUsersAssociation | ContactUserAssociation | UserLookup | None:
        """Return who handles the request; None for a Delete of what was never handled."""
        if request.resource_type in (declaration.GROUP_USER, declaration.GROUP_USERS):
            return self._group_users
        if request.resource_type == declaration.CONTACT_USER:
            return self._contact_user
        if request.resource_type == declaration.USER_LOOKUP:
            return self._user_lookup
        if request.type is RequestType.DELETE:
            return None
        raise InvalidEventError(
            f"{request.resource_type} is not a resource type of this provider: it handles "
            f"{', '.join(sorted(declaration.RESOURCE_TYPES))}."
        )


def _budget(context: Any) -> float:  # noqa: ANN401 - Lambda's context has no importable type
    """Return how long this invocation may run, in seconds: well below Lambda's time-out."""
    try:
        left = float(context.get_remaining_time_in_millis()) / 1000
    except AttributeError:
        return _DEFAULT_BUDGET
    return left - min(_LONGEST_RESERVE, left * _RESERVE_SHARE)
