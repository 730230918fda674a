"""How long the parts of an operation may take."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import aws_cdk as cdk

QUERY_INTERVAL = 5
"""Between two calls of the handler that converges, in seconds."""

ON_EVENT = 14 * 60
IS_COMPLETE = 10 * 60

MAX_CONVERGENCE = 60 * 60
"""The Provider framework's maximum."""

MAX_SERVICE = 3600
"""CloudFormation's maximum and default.

Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-cloudformation-customresource.html
"""

_DEFAULT_CONVERGENCE = 40 * 60
_OVERHEAD = 25 * 60
"""What an operation may take in addition to the waiting: planning (14 minutes), the last poll (10),
and the start of functions and waiter."""

EVENT_AGE = 15 * 60
"""How long Lambda may hold an event back, which it does when the account has no concurrency left.

Lambda's default is six hours. After CloudFormation's time-out, nobody waits for an answer any more,
and an event that comes shortly before it has no time left to be carried out. It is shorter than
every service time-out, which is *_OVERHEAD* at least.
"""


class TimeOuts(NamedTuple):
    """The time-outs of one provider, in seconds.

    :ivar convergence: how long the handlers wait for problems that may go away.
    :ivar service: how long CloudFormation waits for an answer.
    """

    convergence: int
    service: int

    @classmethod
    def of(cls, convergence_timeout: cdk.Duration | None) -> TimeOuts:
        """Return the time-outs for the property *convergence_timeout*."""
        convergence = (
            int(convergence_timeout.to_seconds()) if convergence_timeout else _DEFAULT_CONVERGENCE
        )
        return cls(convergence, min(MAX_SERVICE, convergence + _OVERHEAD))

    @property
    def waiter(self) -> int:
        """How long the waiter goes on: whole intervals, as the framework requires."""
        return math.ceil(self.convergence / QUERY_INTERVAL) * QUERY_INTERVAL

    @property
    def service_property(self) -> int | None:
        """The value in the template, None for CloudFormation's default."""
        return None if self.service == MAX_SERVICE else self.service
