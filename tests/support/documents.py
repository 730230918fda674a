"""The code blocks of Markdown files."""

from __future__ import annotations

import re
import textwrap
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

_FENCE = re.compile(
    r"^(?P<indent> *)```(?P<language>\w*)(?P<options>[^\n`]*)\n(?P<text>.*?)^(?P=indent)```$",
    re.DOTALL | re.MULTILINE,
)
_TITLE = re.compile(r'title="([^"]+)"')


@dataclass(frozen=True, kw_only=True, slots=True)
class Block:
    """One fenced block.

    :ivar line: the line of its first line of code, counted from 1.
    :ivar language: what stands behind the fence; may be empty.
    :ivar title: the file that the block shows; empty if it has none.
    :ivar text: the code.
    """

    line: int
    language: str
    title: str
    text: str


def blocks(text: str, *languages: str) -> list[Block]:
    """Return the blocks of a Markdown text, those in *languages* only if some are given."""
    found = []
    for match in _FENCE.finditer(text):
        title = _TITLE.search(match["options"])
        found.append(
            Block(
                line=text.count("\n", 0, match.start("text")) + 1,
                language=match["language"],
                title=title[1] if title else "",
                text=textwrap.dedent(match["text"]),
            )
        )
    return [block for block in found if not languages or block.language in languages]


def smallest_example() -> str:
    """Return the README's first program, which a reader pastes into ``app.py``."""
    return blocks((ROOT / "README.md").read_text(encoding="utf-8"), "python")[0].text
