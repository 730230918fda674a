"""How long building and synthesizing a stack takes."""

from __future__ import annotations

from benchmarks import children
from benchmarks.figures import Figure, Limit, Section

_COUNT = 200
_ROUNDS = 3
_SINGLES = Limit(most=0.7, of="ratio")
_NOTE = (
    "Both include the time of an almost empty app: the CDK starts its check of templates, whatever "
    "they hold. Already done: the CDK is asked once for what all associations share, tokens are "
    "made once, and each association is one resource, without a policy or function of its own."
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
    """Synthesize in fresh processes, in turns, so that other load affects all alike."""
    ways = ("nothing", "singles", "membership", "aws_custom_resources")
    seconds: dict[str, list[float]] = {way: [] for way in ways}
    for _ in range(_ROUNDS):
        for way in ways:
            answer = children.run("-c", _PROGRAM, way, str(_COUNT))
            seconds[way].append(answer["seconds"])
    # Synthesis keeps two processes busy, so what else runs here only ever adds to it, and much.
    best = {way: min(values) for way, values in seconds.items()}
    nothing, other = best["nothing"], best["aws_custom_resources"]
    figures = [Figure(name="synthesize an almost empty app: seconds", ours=nothing, other=nothing)]
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
                name=f"the same minus an almost empty app, {name}: seconds",
                ours=best[way] - nothing,
                other=other - nothing,
            ),
        ]
    return [
        Section(
            title="Synthesis",
            against="AwsCustomResource",
            method=(
                f"The best of {_ROUNDS} fresh processes each, in turns, without imports. The ratio "
                "still depends on what else the machine does: runs of the same code gave 0.78 to "
                "1.00 for 200 single users."
            ),
            figures=tuple(figures),
        )
    ]
