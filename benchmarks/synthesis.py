"""How long building and synthesizing a stack takes."""

from __future__ import annotations

from benchmarks import children
from benchmarks.figures import Figure, Limit, Section

_COUNT = 200
_ROUNDS = 3
_SINGLES = Limit(most=0.7, of="ratio")
_NOTE = (
    "What next to nothing takes is in both: the CDK starts its check of templates, whatever is in "
    "them. Tried, and in: asking the CDK once for what all associations share; tokens made once; "
    "one resource for each association, without a policy or a function of its own."
)

_PROGRAM = """
import json, sys, tempfile, time
from pathlib import Path
from benchmarks import subjects
declare = getattr(subjects, sys.argv[1])
users = subjects.agents(int(sys.argv[2]))
with tempfile.TemporaryDirectory() as folder:
    started = time.perf_counter()
    stack = subjects.new_stack(Path(folder))
    declare(stack, users)
    stack.node.root.synth()
    print(json.dumps({"seconds": time.perf_counter() - started}))
"""


def measure() -> list[Section]:
    """Synthesize in fresh processes, in turns, so that what else the machine does hits all."""
    ways = ("nothing", "singles", "membership", "aws_custom_resources")
    seconds: dict[str, list[float]] = {way: [] for way in ways}
    for _ in range(_ROUNDS):
        for way in ways:
            answer = children.run("-c", _PROGRAM, way, str(_COUNT))
            seconds[way].append(answer["seconds"])
    # Synthesis keeps two processes busy, so what else runs here only ever adds to it, and much.
    best = {way: min(values) for way, values in seconds.items()}
    nothing, other = best["nothing"], best["aws_custom_resources"]
    figures = [Figure(name="synthesize next to nothing: seconds", ours=nothing, other=nothing)]
    for way, name, limit in (
        ("singles", "single", _SINGLES),
        ("membership", "membership", None),
    ):
        figures += [
            Figure(
                name=f"build and synthesize {_COUNT}, {name}: seconds",
                ours=best[way],
                other=other,
                limit=limit,
                note=_NOTE,
            ),
            Figure(
                name=f"the same without what next to nothing takes, {name}: seconds",
                ours=best[way] - nothing,
                other=other - nothing,
            ),
        ]
    return [
        Section(
            title="Synthesis",
            against="AwsCustomResource",
            method=(
                f"Best of {_ROUNDS} fresh processes each, in turns; importing is left out. Even so "
                "the ratio depends on what else the machine does: runs of the same code gave 0.78 "
                "to 1.00 for 200 single ones."
            ),
            figures=tuple(figures),
        )
    ]
