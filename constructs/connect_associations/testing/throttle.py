"""Amazon Connect's request quotas: a token bucket for each operation, account and Region."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from connect_associations.testing.faults import check_operations

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


@dataclass(frozen=True, slots=True)
class Quota:
    """A token bucket's refill and size.

    :ivar rate: requests per second in the long run.
    :ivar burst: requests at once after a pause.
    """

    rate: float
    burst: int

    def __post_init__(self) -> None:
        """Refuse a bucket that would never let a request through."""
        if self.rate <= 0 or self.burst < 1:
            raise ValueError(
                f"a quota needs a rate above 0 and a burst of at least 1, "
                f"not rate {self.rate} and burst {self.burst}"
            )


def _documented_exceptions() -> dict[str, Quota]:
    return {"DescribeContact": Quota(10, 15), "StopContact": Quota(10, 15)}


@dataclass(frozen=True, kw_only=True, slots=True)
class ThrottleSettings:
    """The quotas in force.

    Source of the defaults: `Amazon Connect API throttling quotas
    <https://docs.aws.amazon.com/connect/latest/adminguide/amazon-connect-service-limits.html>`_.

    :ivar enabled: whether requests are counted at all. Default: True.
    :ivar default: the quota of an operation without its own. Default: 2 per second, burst 5.
    :ivar operations: quotas by operation. Default: 10 per second, burst 15 for DescribeContact and
        StopContact.
    :ivar time_scale: how many seconds of refill pass per second of the clock, to shorten tests
        without changing what they show. Default: 1.
    """

    enabled: bool = True
    default: Quota = Quota(2, 5)
    operations: Mapping[str, Quota] = field(default_factory=_documented_exceptions)
    time_scale: float = 1.0

    def __post_init__(self) -> None:
        """Refuse a clock that stands still, and quotas of operations that are not emulated.

        :raises ValueError: naming the field, or the operation.
        """
        if self.time_scale <= 0:
            raise ValueError(f"time_scale must be above 0, not {self.time_scale}")
        check_operations(self.operations)

    @classmethod
    def off(cls) -> ThrottleSettings:
        """Return settings that let every request through."""
        return cls(enabled=False)

    @classmethod
    def uniform(cls, *, rate: float, burst: int, time_scale: float = 1.0) -> ThrottleSettings:
        """Return settings with the same quota for every operation.

        :param rate: requests per second.
        :param burst: requests at once after a pause.
        :param time_scale: seconds of refill per second of the clock. Default: 1.
        """
        return cls(default=Quota(rate, burst), operations={}, time_scale=time_scale)

    @classmethod
    def from_dict(cls, value: Mapping[str, Any]) -> ThrottleSettings:
        """Return the settings that :meth:`as_dict` wrote; what is left out has its default."""
        given = dict(value)
        if "default" in given:
            given["default"] = Quota(**given["default"])
        if "operations" in given:
            given["operations"] = {
                operation: Quota(**quota) for operation, quota in given["operations"].items()
            }
        return cls(**given)

    def as_dict(self) -> dict[str, Any]:
        """Return the settings as JSON can carry them."""
        return {
            "enabled": self.enabled,
            "default": asdict(self.default),
            "operations": {name: asdict(quota) for name, quota in self.operations.items()},
            "time_scale": self.time_scale,
        }


@dataclass(slots=True)
class _Bucket:
    tokens: float
    filled_at: float


class Throttle:
    """Counts requests against the quotas.

    :param settings: the quotas.
    :param clock: the time in seconds; only differences matter.
    """

    def __init__(self, *, settings: ThrottleSettings, clock: Callable[[], float]) -> None:
        self._settings = settings
        self._clock = clock
        self._buckets: dict[tuple[str, str, str], _Bucket] = {}

    @property
    def settings(self) -> ThrottleSettings:
        """The quotas in force; setting them fills every bucket."""
        return self._settings

    @settings.setter
    def settings(self, settings: ThrottleSettings) -> None:
        self._settings = settings
        self.reset()

    def reset(self) -> None:
        """Fill every bucket."""
        self._buckets.clear()

    def admit(self, *, operation: str, account_id: str, region: str) -> bool:
        """Take a token and say whether there was one."""
        if not self._settings.enabled:
            return True
        quota = self._settings.operations.get(operation, self._settings.default)
        now = self._clock()
        bucket = self._buckets.setdefault(
            (operation, account_id, region), _Bucket(tokens=quota.burst, filled_at=now)
        )
        elapsed = max(0.0, now - bucket.filled_at) * self._settings.time_scale
        bucket.tokens = min(quota.burst, bucket.tokens + elapsed * quota.rate)
        bucket.filled_at = now
        if bucket.tokens < 1:
            return False
        bucket.tokens -= 1
        return True
