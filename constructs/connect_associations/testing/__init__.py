"""Amazon Connect for tests: an emulation on moto's backend, in process or as a real server.

It has the part of Connect that associations touch: users, traffic distribution groups and their
users, and contacts; the modelled errors; quotas; and a switch for each behaviour that is documented
nowhere. Importing it starts neither Node nor the CDK.

The names are loaded when they are first used. pytest imports this package for its plugin in every
run, also where the extra ``testing`` is not installed; and ``python -m`` warns of a program that
its own package imported before it ran.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from connect_associations import _lazy_names

if TYPE_CHECKING:
    from connect_associations.testing.behaviour import ConnectBehaviour
    from connect_associations.testing.client import EmulationClient
    from connect_associations.testing.emulation import ConnectEmulation
    from connect_associations.testing.faults import Fault, FaultKind
    from connect_associations.testing.in_process import mock_connect
    from connect_associations.testing.server import ConnectServer, serving
    from connect_associations.testing.throttle import Quota, ThrottleSettings

__all__ = [
    "ConnectBehaviour",
    "ConnectEmulation",
    "ConnectServer",
    "EmulationClient",
    "Fault",
    "FaultKind",
    "Quota",
    "ThrottleSettings",
    "mock_connect",
    "serving",
]

_HOMES = {
    "ConnectBehaviour": "behaviour",
    "ConnectEmulation": "emulation",
    "ConnectServer": "server",
    "EmulationClient": "client",
    "Fault": "faults",
    "FaultKind": "faults",
    "Quota": "throttle",
    "ThrottleSettings": "throttle",
    "mock_connect": "in_process",
    "serving": "server",
}

if not TYPE_CHECKING:
    # A type checker would believe that the package has every name that there is.
    __getattr__, __dir__ = _lazy_names.loader(__name__, _HOMES)
