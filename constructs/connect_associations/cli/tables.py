"""Tables for people: an ID is never broken, nor a name, however narrow the terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from rich import box
from rich.cells import cell_len
from rich.measure import Measurement
from rich.table import Table

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from rich.console import Console

    from connect_associations.cli.names import Names

    _Cells = tuple[tuple[str, ...], ...]
    """The cells of a row, each with its lines."""

_NOTE_WIDTH = 30
"""Columns that a note needs to be readable next to the rest; it is broken between words."""
_ANY_WIDTH = 10_000


class Line(NamedTuple):
    """A row before it is known how much room there is.

    :ivar mark: the state or change.
    :ivar parts: what must not be broken, a column each.
    :ivar note: what may be broken between words.
    """

    mark: str
    style: str
    user_id: str
    parts: tuple[str, ...] = ()
    note: str = ""


def table(
    lines: Sequence[Line], names: Names, console: Console, *, mark: str, parts: tuple[str, ...] = ()
) -> Table:
    """Return a table of *lines* in the widest layout that there is room for.

    :param mark: the title of the first column.
    :param parts: the titles of the lines' parts.
    """
    heads = mark, "User"
    notes = ("Note",) if any(line.note for line in lines) else ()

    def person(line: Line) -> tuple[str, ...]:
        return tuple(filter(None, (names.of(line.user_id), line.user_id))) or ("-",)

    def beside(line: Line) -> _Cells:
        return (line.mark,), (names.person(line.user_id) or "-",), *_each(line.parts), (line.note,)

    def beneath(line: Line) -> _Cells:
        return (line.mark,), person(line), *_each(line.parts), (line.note,)

    def with_note(line: Line) -> _Cells:
        return (line.mark,), (*person(line), line.note), *_each(line.parts)

    def stacked(line: Line) -> _Cells:
        return (line.mark,), (*person(line), *line.parts, line.note)

    anything = console.options.update(max_width=_ANY_WIDTH)
    for layout, titles in (
        (beside, (*heads, *parts, *notes)),
        (beneath, (*heads, *parts, *notes)),
        (with_note, (*heads, *parts)),
    ):
        made = _made(lines, titles, layout)
        if Measurement.get(console, anything, made).minimum <= console.width:
            return made
    return _made(lines, heads, stacked)


def _made(
    lines: Sequence[Line], titles: tuple[str, ...], layout: Callable[[Line], _Cells]
) -> Table:
    rows = [(line, layout(line)) for line in lines]
    made = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for at, title in enumerate(titles):
        # A note has room if some of its words have; all else must not be broken.
        widths = [
            min(cell_len(text), _NOTE_WIDTH) if text == line.note else cell_len(text)
            for line, cells in rows
            for text in cells[at]
        ]
        made.add_column(title, overflow="fold", min_width=max(cell_len(title), *widths))
    for line, cells in rows:
        texts = ["\n".join(filter(None, cell)) for cell in cells]
        made.add_row(*texts[: len(titles)], style=line.style)
    return made


def _each(parts: tuple[str, ...]) -> tuple[tuple[str, ...], ...]:
    return tuple((part,) for part in parts)
