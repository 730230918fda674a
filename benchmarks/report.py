"""Figures as a table for people, and as a page of the documentation."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.table import Table

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from benchmarks.figures import Figure, Limit, Section

_EXACT_BELOW = 100
_INTRODUCTION = (
    "This library and `AwsCustomResource`, compared in one run on the same emulators of AWS and "
    "Amazon Connect. Other work may have shared the machine: trust the ratios, not the seconds."
)
_ABOUT_THE_PLOT = (
    "The time from the first association to the last, in seconds, at Connect's default quota of 2 "
    "calls per second with a burst of 5. The dashed line is the ideal, (N - 5) / 2. A cross marks "
    "a deployment that failed."
)
_COLUMNS = ("", "ours", "compared", "ratio", "target", "")


def table(sections: Iterable[Section]) -> Table:
    """Return all figures as one table."""
    shown = Table(title="Benchmarks")
    for title in _COLUMNS:
        shown.add_column(title, justify="left" if not title else "right", overflow="fold")
    for section in sections:
        shown.add_section()
        against = f" against {section.against}" if section.against else ""
        shown.add_row(f"[bold]{section.title}[/]{against}")
        for figure in section.figures:
            style = "red" if figure.reached is False else None
            shown.add_row(*_cells(figure), style=style)
    return shown


def page(sections: Sequence[Section], *, machine: Mapping[str, str], plot: str) -> str:
    """Return the page in Markdown.

    :param machine: what the figures were measured on.
    :param plot: the plot's address, from the page.
    """
    figures = [figure for section in sections for figure in section.figures]
    limited = [figure for figure in figures if figure.limit]
    missed = [figure for figure in limited if not figure.reached]
    lines = [
        "# Benchmarks",
        "",
        "<!-- Written by `make bench`; changes by hand are lost. -->",
        "",
        _INTRODUCTION,
        "",
        f"**{len(limited) - len(missed)} of {len(limited)} targets are met.**",
        "",
        "| | |",
        "|---|---|",
        *(f"| {name} | {value} |" for name, value in machine.items()),
        "",
        f"![Time of the calls against the number of users]({plot})",
        "",
        _ABOUT_THE_PLOT,
        "",
    ]
    for section in sections:
        lines += [
            f"## {section.title}",
            "",
            section.method,
            "",
            f"| | ours | {section.against} | ratio | target | |",
            "|---|--:|--:|--:|--:|---|",
            *(f"| {' | '.join(_cells(figure))} |" for figure in section.figures),
            "",
        ]
    if missed:
        lines += ["## Missed targets", ""]
        lines += [f"- **{figure.name}**: {_missed(figure)}" for figure in missed]
        lines.append("")
    return "\n".join(lines)


def _missed(figure: Figure) -> str:
    value = figure.ours if figure.limit and figure.limit.of == "ours" else figure.ratio
    return f"{_number(value)} instead of {_limit(figure.limit)}. {figure.note}".rstrip()


def _cells(figure: Figure) -> tuple[str, str, str, str, str, str]:
    reached = {None: "", True: "met", False: "missed"}[figure.reached]
    return (
        figure.name,
        _number(figure.ours),
        _number(figure.other),
        _number(figure.ratio),
        _limit(figure.limit),
        reached,
    )


def _limit(limit: Limit | None) -> str:
    if limit is None:
        return ""
    return f"{'ratio ' if limit.of == 'ratio' else ''}≤ {_number(limit.most)}"


def _number(value: float | str | None) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, int) or value.is_integer() or abs(value) >= _EXACT_BELOW:
        return f"{value:,.0f}"
    return f"{value:.3f}"
