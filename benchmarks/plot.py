"""The time that associating takes against the number of users."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import matplotlib as mpl
from matplotlib.figure import Figure

from connect_associations.testing.throttle import ThrottleSettings

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

_MARKERS = ("o", "s", "^")


def draw(path: Path, points: Mapping[str, Sequence[tuple[int, float | None]]]) -> None:
    """Write an SVG file.

    :param points: by way, the users and the seconds of quota; None for a failure.
    """
    quota = ThrottleSettings().default
    # The same figures give the same file.
    with mpl.rc_context({"svg.hashsalt": "benchmarks", "svg.fonttype": "none"}):
        figure = Figure(figsize=(7, 4.5), layout="constrained")
        axes = figure.add_subplot(xscale="log", yscale="log")
        counts = sorted({count for of_way in points.values() for count, _ in of_way})
        axes.plot(
            counts,
            [(count - quota.burst) / quota.rate for count in counts],
            linestyle="--",
            color="grey",
            label="ideal",
        )
        for marker, (way, of_way) in zip(itertools.cycle(_MARKERS), points.items(), strict=False):
            done = [(count, seconds) for count, seconds in of_way if seconds is not None]
            (line,) = axes.plot(
                [count for count, _ in done],
                [seconds for _, seconds in done],
                marker=marker,
                label=way,
            )
            for count in (count for count, seconds in of_way if seconds is None):
                axes.plot(
                    [count],
                    [(count - quota.burst) / quota.rate],
                    marker="x",
                    markersize=10,
                    color=line.get_color(),
                    linestyle="none",
                    label=f"{way} fails",
                )
        axes.set_xticks(counts, [f"{count:,}" for count in counts], minor=False)
        axes.minorticks_off()
        axes.set_xlabel("users")
        axes.set_ylabel("seconds at the default quota")
        axes.grid(visible=True, alpha=0.3)
        axes.legend()
        path.parent.mkdir(parents=True, exist_ok=True)
        figure.savefig(path, format="svg", metadata={"Date": None, "Creator": None})
