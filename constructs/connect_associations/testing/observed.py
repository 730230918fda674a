"""What somebody saw a service do: the observations in ``observed.json``."""

from __future__ import annotations

import datetime as dt
import functools
import json
from dataclasses import dataclass
from importlib import resources
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

FILE = "observed.json"
"""The file next to this module."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Observation:
    """What a service was seen to do.

    :ivar value: what was seen, as JSON has it. It need not be one of the assumption's choices.
    :ivar date: the day.
    :ivar region: the Region that was asked, for example ``us-east-1``.
    :ivar note: how it was seen, if the value alone does not say it.
    """

    value: str | float | bool | None
    date: dt.date
    region: str
    note: str = ""


def read(text: str) -> dict[str, tuple[Observation, ...]]:
    """Read observations by the names of their assumptions.

    :param text: what :func:`write` wrote.
    """
    return {
        name: tuple(
            Observation(**{**each, "date": dt.date.fromisoformat(each["date"])}) for each in seen
        )
        for name, seen in json.loads(text).items()
    }


def write(seen: Mapping[str, Iterable[Observation]]) -> str:
    """Return observations as JSON; :func:`read` reads it back."""

    def one(observation: Observation) -> dict[str, Any]:
        return {
            "value": observation.value,
            "date": observation.date.isoformat(),
            "region": observation.region,
            **({"note": observation.note} if observation.note else {}),
        }

    plain = {name: [one(each) for each in seen[name]] for name in sorted(seen)}
    return json.dumps(plain, indent=2) + "\n"


@functools.cache
def observations() -> Mapping[str, tuple[Observation, ...]]:
    """Return what was observed, by the names of the assumptions."""
    file = resources.files("connect_associations.testing") / FILE
    return read(file.read_text(encoding="utf-8"))
