"""What `make bench` makes of its figures."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from benchmarks import plot, report
from benchmarks.figures import FAILS, Figure, Limit, Section
from rich.console import Console

if TYPE_CHECKING:
    from pathlib import Path

OURS = Limit(most=10)
RATIO = Limit(most=0.5, of="ratio")


@pytest.mark.parametrize(
    ("figure", "reached"),
    [
        (Figure(name="", ours=10, limit=OURS), True),
        (Figure(name="", ours=10.1, limit=OURS), False),
        (Figure(name="", ours=FAILS, limit=OURS), False),
        (Figure(name="", ours=10, other=20, limit=RATIO), True),
        (Figure(name="", ours=11, other=20, limit=RATIO), False),
        (Figure(name="", ours=10, other=FAILS, limit=RATIO), False),
        (Figure(name="", ours=10, limit=RATIO), False),
        (Figure(name="", ours=10, other=20), None),
    ],
)
def test_whether_a_limit_is_reached(figure: Figure, *, reached: bool | None) -> None:
    assert figure.reached is reached


SECTIONS = [
    Section(
        title="Time",
        against="the others",
        method="With a clock.",
        figures=(
            Figure(name="fast", ours=1.5, other=3.0, limit=RATIO),
            Figure(name="slow", ours=1500.0, other=FAILS, limit=OURS, note="It is heavy."),
        ),
    )
]


def test_the_page_names_what_is_not_reached() -> None:
    page = report.page(SECTIONS, machine={"CPU": "abacus"}, plot="plot.svg")
    assert "**1 of 2 targets are met.**" in page
    assert "| CPU | abacus |" in page
    assert "| fast | 1.500 | 3 | 0.500 | ratio ≤ 0.500 | met |" in page
    assert "| slow | 1,500 | fails |  | ≤ 10 | missed |" in page
    assert "- **slow**: 1,500 instead of ≤ 10. It is heavy." in page


def test_the_table_shows_all_figures() -> None:
    console = Console(width=120)
    with console.capture() as shown:
        console.print(report.table(SECTIONS))
    for text in ("Time", "fast", "slow", "missed", "fails"):
        assert text in shown.get()


def test_the_plot_shows_failures_and_is_the_same_every_time(tmp_path: Path) -> None:
    points: dict[str, list[tuple[int, float | None]]] = {
        "ours": [(13, 4.0), (50, 22.5)],
        "theirs": [(13, 5.0), (50, None)],
    }
    drawn = []
    for name in ("first", "second"):
        path = tmp_path / name / "plot.svg"
        plot.draw(path, points)
        drawn.append(path.read_text())
    assert drawn[0] == drawn[1]
    assert "theirs fails" in drawn[0]
