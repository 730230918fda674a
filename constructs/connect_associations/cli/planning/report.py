"""A forecast as a person reads it in a terminal or a pull request, and as data."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from rich.console import Group as Lines
from rich.text import Text

from connect_associations.cli.activity import duration
from connect_associations.cli.planning.contacts import ContactChange
from connect_associations.cli.planning.forecast import CALLS_A_SECOND, Change
from connect_associations.cli.tables import Line, table

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from rich.console import Console, RenderableType

    from connect_associations.cli.names import Names
    from connect_associations.cli.planning.forecast import Forecast, GroupForecast, Person, Remark

_STYLES = {
    Change.ADOPT: "green",
    Change.JOIN: "green",
    Change.LEAVE: "bold red",
    Change.REFUSED: "bold magenta",
}
_STYLES_OF_CONTACTS = {
    ContactChange.ADOPT: "green",
    ContactChange.OFFER: "green",
    ContactChange.RELEASE: "bold red",
}
_WORDS = {
    Change.JOIN: ("joins", "join"),
    Change.LEAVE: ("leaves", "leave"),
    Change.ADOPT: ("is adopted", "are adopted"),
    Change.REFUSED: ("is refused", "are refused"),
}
_ROWS = 300
"""Rows of people in Markdown: with more, a comment of a pull request gets too long."""
_SPECIAL = re.compile(r"([\\`*_{}\[\]<>|#~])")


def view(
    forecast: Forecast, names: Names, console: Console, *, everything: bool, rate: float
) -> RenderableType:
    """Return a table for each group of who joins, leaves or is refused.

    :param everything: those who are adopted as well.
    :param rate: calls per second that the quota allows.
    """
    shown: list[RenderableType] = [Text(_title(forecast), "bold")]
    for group in forecast.groups:
        shown += ["", Text(_place(group, names), "bold"), f"  {_counts(group)}"]
        people = _sorted(group.people, names)
        if not everything:
            people = [person for person in people if person.change is not Change.ADOPT]
        lines = [
            Line(
                person.change.value,
                _STYLES[person.change],
                person.user_id,
                (_resource(person.resource, forecast),),
                person.note,
            )
            for person in people
        ]
        if lines:
            shown.append(table(lines, names, console, mark="Change", parts=("Resource",)))
    if forecast.contacts:
        contacts = [
            Line(
                each.change.value,
                _STYLES_OF_CONTACTS[each.change],
                each.user_id,
                (each.contact_id, _resource(each.resource, forecast)),
                each.note,
            )
            for each in forecast.contacts
        ]
        parts = ("Contact", "Resource")
        shown += [
            "",
            Text("Contacts", "bold"),
            table(contacts, names, console, mark="Change", parts=parts),
        ]
    for title, style, remarks in _remarks(forecast):
        shown += [
            "",
            Text(title, style),
            *(f"  {_resource(each.resource, forecast)}: {each.text}" for each in remarks),
        ]
    return Lines(*shown, "", _summary(forecast, rate))


def as_markdown(forecast: Forecast, names: Names, *, rate: float) -> str:
    """Return the forecast for a pull request comment: counts, and users in collapsed sections."""
    lines = [f"### {_escaped(_title(forecast))}", "", _summary(forecast, rate)]
    if forecast.groups:
        lines += [
            "",
            "| Group | Join | Leave | Adopted | Refused | Stay |",
            "|---|---:|---:|---:|---:|---:|",
        ]
        for group in forecast.groups:
            order = (Change.JOIN, Change.LEAVE, Change.ADOPT, Change.REFUSED)
            counts = [*(group.count(change) for change in order), group.stays]
            cells = " | ".join(f"{count:,}" for count in counts)
            lines.append(f"| {_escaped(_place(group, names))} | {cells} |")
    room = _ROWS
    for group in forecast.groups:
        people = _sorted(group.people, names)
        people = [person for person in people if person.change is not Change.ADOPT]
        if not people:
            continue
        shown, room = people[:room], max(0, room - len(people))
        lines += [
            "",
            f"<details><summary>{_escaped(_place(group, names))}</summary>",
            "",
            "| Change | User | Resource | Note |",
            "|---|---|---|---|",
            *(
                f"| {person.change.value} | {_escaped(names.person(person.user_id))} | "
                f"{_escaped(_resource(person.resource, forecast))} | {_escaped(person.note)} |"
                for person in shown
            ),
        ]
        if len(people) > len(shown):
            lines += ["", f"… and {len(people) - len(shown):,} more"]
        lines += ["", "</details>"]
    if forecast.contacts:
        lines += ["", "| Contact | Change | User | Resource | Note |", "|---|---|---|---|---|"]
        for each in forecast.contacts:
            of_contact = (
                each.contact_id,
                each.change.value,
                names.person(each.user_id),
                _resource(each.resource, forecast),
                each.note,
            )
            lines.append(f"| {' | '.join(map(_escaped, of_contact))} |")
    for title, _, remarks in _remarks(forecast):
        lines += ["", f"**{title}**", ""]
        lines += [
            f"- {_escaped(_resource(each.resource, forecast))}: {_escaped(each.text)}"
            for each in remarks
        ]
    return "\n".join(lines)


def as_data(forecast: Forecast, names: Names, *, rate: float) -> dict[str, object]:
    """Return the forecast as JSON values."""

    def person(each: Person) -> dict[str, object]:
        return {
            "user_id": each.user_id,
            "username": names.of(each.user_id) or None,
            "resource": each.resource,
            "note": each.note or None,
        }

    def group_data(group: GroupForecast) -> dict[str, object]:
        return {
            "target_id": group.group.id,
            "region": group.group.region,
            "name": names.of_group(group.group).name or None,
            "instance_id": group.instance_id,
            "stay": group.stays,
            **{
                change.value: [
                    person(each) for each in _sorted(group.people, names) if each.change is change
                ]
                for change in Change
            },
        }

    return {
        "stacks": forecast.stacks,
        "changes": forecast.changes,
        "fails": forecast.fails,
        "seconds": round(forecast.seconds(rate)),
        "groups": [group_data(group) for group in forecast.groups],
        "contacts": [
            {
                "contact_id": each.contact_id,
                "change": each.change.value,
                "user_id": each.user_id,
                "username": names.of(each.user_id) or None,
                "resource": each.resource,
                "note": each.note or None,
            }
            for each in forecast.contacts
        ],
        "refused": [{"resource": each.resource, "reason": each.text} for each in forecast.refused],
        "unknown": [{"resource": each.resource, "value": each.text} for each in forecast.unknown],
    }


def _title(forecast: Forecast) -> str:
    names = forecast.roots
    return f"Plan of {'stack' if len(names) == 1 else 'stacks'} {', '.join(names)}"


def _place(group: GroupForecast, names: Names) -> str:
    place = names.place(group.group)
    return place if names.of_group(group.group).name else place[0].upper() + place[1:]


def _counts(group: GroupForecast) -> str:
    return f"{_words({change: group.count(change) for change in Change})}; {group.stays:,} stay"


def _words(counts: dict[Change, int]) -> str:
    said = [
        f"{counts[change]:,} {words[counts[change] > 1]}"
        for change, words in _WORDS.items()
        if counts[change]
    ]
    return ", ".join(said) or "nobody moves"


def _summary(forecast: Forecast, rate: float) -> str:
    words = _words({change: forecast.count(change) for change in Change})
    seconds = forecast.seconds(rate)
    if seconds:
        default = "Connect's default quota of " if rate == CALLS_A_SECOND else ""
        words += f"; about {duration(seconds)} at {default}{rate:g} calls per second"
    if forecast.contacts:
        words += f"; {len(forecast.contacts):,} contacts"
    return f"{words}; the deployment would fail" if forecast.fails else words


def _resource(name: str, forecast: Forecast) -> str:
    """Return a resource's name, without the stack's where there is only one."""
    return name.partition("/")[2] if len(forecast.stacks) == 1 else name


def _remarks(forecast: Forecast) -> Iterable[tuple[str, str, Sequence[Remark]]]:
    for title, style, remarks in (
        ("Refused", "bold red", forecast.refused),
        ("Known only when it is deployed", "bold", forecast.unknown),
    ):
        if remarks:
            yield title, style, remarks


def _sorted(people: Iterable[Person], names: Names) -> list[Person]:
    order = list(Change)
    return sorted(people, key=lambda each: (order.index(each.change), names.person(each.user_id)))


def _escaped(text: str) -> str:
    return _SPECIAL.sub(r"\\\1", " ".join(text.split()))
