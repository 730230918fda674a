"""Deploying, changing and destroying with the real CDK CLI, under Connect's quota."""

from __future__ import annotations

import re
import sys
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from embedded.environment import EmbeddedEnvironment

from benchmarks import node_packages, subjects
from benchmarks.figures import FAILS, NOT_TRIED, Figure, Limit, Section
from connect_associations.testing.seed import GROUP_ID, INSTANCE_ID
from connect_associations.testing.throttle import ThrottleSettings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    import aws_cdk as cdk

    from connect_associations.testing import ConnectEmulation
    from connect_associations.testing.recorder import Call

_JOIN = "AssociateTrafficDistributionGroupUser"
_LEAVE = "DisassociateTrafficDistributionGroupUser"
_LIST = "ListTrafficDistributionGroupUsers"

_SIZES = (13, 50, 200, 1000)
_SCALED_FROM = 200
_SCALE = 10

_LIMITS = {
    200: (Limit(most=1.05), Limit(most=1.05)),
    1000: (Limit(most=1.02), Limit(most=1.03)),
}
"""By the number of users: of the time over ideal, and of the calls over necessary."""
_UPDATE_WRITES = Limit(most=2)
_UPDATE_LISTINGS = Limit(most=1)


@dataclass(slots=True, kw_only=True)
class Case:
    """What deploying a number of users in one way took.

    :ivar name: the way.
    :ivar count: the number of users.
    :ivar scale: how many seconds of quota passed per second.
    :ivar seconds: by phase, as the CDK CLI took them; a phase that failed, and what would have
        come after it, are missing.
    :ivar calls: the calls of Connect by phase.
    :ivar failure: what CloudFormation said about the phase that failed. Default: nothing
    """

    name: str
    count: int
    scale: float
    seconds: dict[str, float] = field(default_factory=dict)
    calls: dict[str, list[Call]] = field(default_factory=dict)
    failure: str = ""

    def time_of(self, phase: str) -> float | str:
        """Return how long the CDK CLI took for a phase, in seconds."""
        return self.seconds.get(phase, FAILS)

    def quota_seconds(self, phase: str, operation: str) -> float:
        """Return the time from an operation's first call to its last, in seconds of quota."""
        times = [call.timestamp for call in self.calls[phase] if call.operation == operation]
        return (times[-1] - times[0]) * self.scale

    def over_ideal(self, phase: str, operation: str) -> float:
        """Return that time over the time that the quota makes necessary."""
        quota = ThrottleSettings().default
        return self.quota_seconds(phase, operation) / ((self.count - quota.burst) / quota.rate)

    def over_necessary(self, phase: str, operation: str) -> float:
        """Return the calls of an operation over the number of users."""
        return sum(call.operation == operation for call in self.calls[phase]) / self.count


_WAYS: dict[str, Callable[[cdk.Stack, Sequence[str]], None]] = {
    "membership": subjects.membership,
    "single": subjects.singles,
    "AwsCustomResource": subjects.aws_custom_resources,
}


def run() -> dict[tuple[str, int], Case]:
    """Deploy all cases, one after the other on one environment."""
    node_modules = node_packages.install()
    cases: dict[tuple[str, int], Case] = {}
    with EmbeddedEnvironment() as environment:
        for count in _SIZES:
            for way, declare in _WAYS.items():
                if _is_left_out(way, count):
                    continue
                sys.stderr.write(f"Deploying {count:,} users, {way} …\n")
                scale = _SCALE if count >= _SCALED_FROM else 1
                case = Case(name=way, count=count, scale=scale)
                with _quota(environment, scale=scale, users=count + 1) as connect:
                    _Deployment(environment, connect, declare, node_modules).run(case)
                cases[way, count] = case
    return cases


def _is_left_out(way: str, count: int) -> bool:
    """Return whether a case would cost minutes or say nothing.

    The emulator handles resources one by one, so that a resource a user never comes near a quota
    that is scaled.
    """
    return way != "membership" and count >= _SCALED_FROM


@contextmanager
def _quota(
    environment: EmbeddedEnvironment, *, scale: float, users: int
) -> Iterator[ConnectEmulation]:
    """Yield a Connect with so many users and the default quota."""
    connect = environment.connect.reset()
    instance = connect.world.instances[INSTANCE_ID]
    for number, user_id in enumerate(subjects.agents(users)):
        connect.add_user(instance, user_id=user_id, username=f"agent{number}")
    connect.limit(ThrottleSettings(time_scale=scale))
    yield connect
    connect.limit(ThrottleSettings.off())


class _Deployment:
    """One stack with users declared in one way."""

    def __init__(
        self,
        environment: EmbeddedEnvironment,
        connect: ConnectEmulation,
        declare: Callable[[cdk.Stack, Sequence[str]], None],
        node_modules: Path,
    ) -> None:
        self._cdk = environment.cdk
        self._connect = connect
        self._declare = declare
        self._node_modules = node_modules

    def run(self, case: Case) -> None:
        """Deploy, change one user, destroy; stop at the first failure."""
        users = subjects.agents(case.count + 1)
        with tempfile.TemporaryDirectory() as folder:
            for phase, declared in (("deploy", users[:-1]), ("update", users[1:])):
                app = self._synthesize(Path(folder) / phase, case, declared)
                done = self._cdk.deploy(app=app, check=False)
                case.calls[phase] = self._calls()
                if not done.succeeded:
                    case.failure = f"{phase}: {_reason(done.output)}"
                    # What a failed AwsCustomResource leaves behind cannot always be destroyed.
                    destroyed = self._cdk.destroy(app=app, check=False)
                    if not destroyed.succeeded:
                        case.failure += f"; destroy: {_reason(destroyed.output)}"
                    return
                self._check(declared, phase)
                case.seconds[phase] = done.seconds
            done = self._cdk.destroy(app=app, check=False)
        case.calls["destroy"] = self._calls()
        if not done.succeeded:
            case.failure = f"destroy: {_reason(done.output)}"
            return
        self._check([], "destroy")
        case.seconds["destroy"] = done.seconds

    def _synthesize(self, outdir: Path, case: Case, users: Sequence[str]) -> Path:
        # A name of its own, as one that cannot be destroyed must not be in the next one's way.
        stack = subjects.new_stack(outdir, name=f"{subjects.NAME}{case.count}-{case.name}")
        self._declare(stack, users)
        subjects.find_sdk(stack, self._node_modules)
        stack.node.root.synth()  # type: ignore[attr-defined] # the root is the app
        return outdir

    def _calls(self) -> list[Call]:
        calls = self._connect.calls
        self._connect.recorder.clear()
        return calls

    def _check(self, users: Sequence[str], phase: str) -> None:
        if self._connect.members(GROUP_ID) != set(users):
            raise AssertionError(f"after {phase} the group does not hold the {len(users):,} users")


def _reason(output: str) -> str:
    """Return what CloudFormation said about the resource that failed first."""
    said = re.search(r"_FAILED +\|[^|]*\|[^)]*\) (.*)", output)
    return said[1].strip() if said else output.strip().splitlines()[-1]


def measure(cases: dict[tuple[str, int], Case]) -> list[Section]:
    """Make figures of the cases."""
    failures = [
        f"{way} with {count:,} users failed ({case.failure})"
        for (way, count), case in cases.items()
        if case.failure
    ]
    return [
        Section(
            title="Deployments",
            against="AwsCustomResource",
            method=(
                "`cdk deploy`, a change of one user, and `cdk destroy`, with the real CDK CLI on "
                "the emulator, in seconds of the whole command. Connect allows 2 calls per second "
                f"with a burst of 5. With {_SCALED_FROM} or more users, time is scaled: {_SCALE} "
                "seconds of quota pass per second, so that the run ends within 10 minutes. Unlike "
                "CloudFormation, the emulator handles custom resources one by one, so one resource "
                "for each user is no faster than the machine starts functions. Whether "
                "AwsCustomResource stays below the quota with 50 users depends on the machine and "
                "on luck; above the quota it fails, because it tries only three times. The "
                "emulator does not enforce IAM, whose limit for a role's policies "
                "AwsCustomResource exceeds with fewer users. With "
                f"{_SCALED_FROM} or more users, one resource for each user is not tried, because "
                "it would never come near a scaled quota. In this run "
                f"{'; '.join(failures) or 'nothing failed'}."
            ),
            figures=tuple(
                Figure(
                    name=f"{phase} {count:,}, {way}: s"
                    + (f" (quota x {_SCALE})" if count >= _SCALED_FROM else ""),
                    ours=case.time_of(phase),
                    other=other.time_of(phase) if other else NOT_TRIED,
                )
                for (way, count), case in cases.items()
                if way != "AwsCustomResource"
                for other in [cases.get(("AwsCustomResource", count))]
                for phase in ("deploy", "update", "destroy")
            ),
        ),
        Section(
            title="Use of the quota",
            method=(
                "From the calls that reached Connect: the time from the first call to the last, "
                "divided by (N - burst) / rate; and the calls, including refused ones, divided by "
                "the N that are necessary."
            ),
            figures=tuple(_quota_figures(cases)),
        ),
    ]


def _quota_figures(cases: dict[tuple[str, int], Case]) -> Iterator[Figure]:
    for (way, count), case in cases.items():
        if way != "membership":
            continue
        limits = _LIMITS.get(count, (None, None))
        for phase, operation in (("deploy", _JOIN), ("destroy", _LEAVE)):
            if phase in case.seconds:
                yield Figure(
                    name=f"{phase} {count:,}: time over ideal",
                    ours=case.over_ideal(phase, operation),
                    limit=limits[0],
                )
                yield Figure(
                    name=f"{phase} {count:,}: calls over necessary",
                    ours=case.over_necessary(phase, operation),
                    limit=limits[1],
                )
    largest = cases["membership", _SIZES[-1]]
    if "update" in largest.calls:
        calls = largest.calls["update"]
        yield Figure(
            name=f"change one of {largest.count:,}: writes",
            ours=sum(call.write for call in calls),
            limit=_UPDATE_WRITES,
        )
        yield Figure(
            name=f"change one of {largest.count:,}: listings of the group",
            ours=sum(
                call.operation == _LIST and not call.parameters.get("NextToken") for call in calls
            ),
            limit=_UPDATE_LISTINGS,
        )
        yield Figure(
            name=f"change one of {largest.count:,}: calls, at 10 users per page",
            ours=len(calls),
        )


def plotted(cases: dict[tuple[str, int], Case]) -> dict[str, list[tuple[int, float | None]]]:
    """Return points to plot by way: the users, and the seconds of quota; None for a failure."""
    points: dict[str, list[tuple[int, float | None]]] = {way: [] for way in _WAYS}
    for (way, count), case in cases.items():
        succeeded = "deploy" in case.seconds
        points[way].append((count, case.quota_seconds("deploy", _JOIN) if succeeded else None))
    return points
