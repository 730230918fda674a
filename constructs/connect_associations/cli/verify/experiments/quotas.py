"""The experiment that asks more than the quota allows, of an operation that changes nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from connect_associations.cli.verify.calls import CannotTellError
from connect_associations.cli.verify.experiment import Experiment, Finding
from connect_associations.testing import assumptions

if TYPE_CHECKING:
    from collections.abc import Iterator

    from connect_associations.cli.verify.lab import Lab

_OPERATION = "DescribeInstance"
_REST = 15.0
"""Seconds after which the quota has filled up again."""
_AT_MOST = 40
_SECONDS = 5.0
_STEP = 0.25


class Throttling(Experiment):
    """How many requests are answered at once and in the long run, and what the others get."""

    plan = f"describe the instance up to {_AT_MOST} times at once, and then for {_SECONDS:.0f} s"
    settles = (
        assumptions.THROTTLING_ERROR,
        assumptions.REQUESTS_AT_ONCE,
        assumptions.REQUESTS_PER_SECOND,
    )
    operations = (_OPERATION,)

    def run(self, lab: Lab) -> Iterator[Finding]:
        """Ask until it is too much, and then as often as it takes to see the pace."""
        lab.sleep(_REST)
        began = lab.now()
        at_once = 0
        while not (reply := lab.connect.ask_once(_OPERATION, InstanceId=lab.instance_id)).throttled:
            at_once += 1
            if at_once == _AT_MOST:
                raise CannotTellError(f"{_AT_MOST} requests at once were all answered")
        took = lab.now() - began
        yield Finding(assumptions.THROTTLING_ERROR, reply.code)
        rate = self._pace(lab)
        yield Finding(assumptions.REQUESTS_PER_SECOND, rate, f"of {_OPERATION}")
        # While they were made, the quota filled up a little.
        yield Finding(
            assumptions.REQUESTS_AT_ONCE, max(1, round(at_once - took * rate)), f"of {_OPERATION}"
        )

    def _pace(self, lab: Lab) -> float:
        began, answered, took = lab.now(), 0, 0.0
        while (now := lab.now() - began) <= _SECONDS:
            took = now
            answered += lab.connect.ask_once(_OPERATION, InstanceId=lab.instance_id).succeeded
            lab.sleep(_STEP)
        return round(answered / took, 1)
