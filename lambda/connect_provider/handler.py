"""The entry points of the two Lambda functions behind ``aws_cdk.custom_resources.Provider``."""

from __future__ import annotations

import logging
from typing import Any

from connect_provider.association_provider import AssociationProvider

logging.getLogger("connect_provider").setLevel(logging.INFO)

_PROVIDER = AssociationProvider()


def on_event(event: dict[str, Any], context: Any = None) -> dict[str, Any]:  # noqa: ANN401 - Lambda's context has no importable type
    """Plan a request; see :meth:`AssociationProvider.on_event`."""
    return _PROVIDER.on_event(event, context)


def is_complete(event: dict[str, Any], context: Any = None) -> dict[str, Any]:  # noqa: ANN401 - Lambda's context has no importable type
    """Converge a request; see :meth:`AssociationProvider.is_complete`."""
    return _PROVIDER.is_complete(event, context)
