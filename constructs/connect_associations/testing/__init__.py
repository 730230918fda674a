"""Amazon Connect for tests: an emulation on moto's backend, in process or as a real server.

It has the part of Connect that associations touch: users, traffic distribution groups and their
users, and contacts; the modelled errors; quotas; and a switch for each behaviour that is documented
nowhere. Importing it starts neither Node nor the CDK.
"""

from typing import TYPE_CHECKING, Any

from connect_associations.testing.behaviour import ConnectBehaviour
from connect_associations.testing.client import EmulationClient
from connect_associations.testing.emulation import ConnectEmulation
from connect_associations.testing.faults import Fault, FaultKind
from connect_associations.testing.in_process import mock_connect
from connect_associations.testing.throttle import Quota, ThrottleSettings

if TYPE_CHECKING:
    from connect_associations.testing.server import ConnectServer, serving

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


def __getattr__(name: str) -> Any:  # noqa: ANN401 - whatever the server module calls so
    # Imported on use: `python -m` warns of a program that its own package imported before it ran.
    if name in {"ConnectServer", "serving"}:
        from connect_associations.testing import server  # noqa: PLC0415 - see above

        return getattr(server, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
