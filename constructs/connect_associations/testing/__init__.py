"""Amazon Connect for tests: an emulation on moto's backend, in process or as a real server.

It has the part of Connect that associations touch: users, traffic distribution groups and their
users, and contacts; the modelled errors; quotas; and a switch for each behaviour that is documented
nowhere. Importing it starts neither Node nor the CDK.
"""

from connect_associations.testing.behaviour import ConnectBehaviour
from connect_associations.testing.client import EmulationClient
from connect_associations.testing.emulation import ConnectEmulation
from connect_associations.testing.faults import Fault, FaultKind
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
    "serving",
]
