"""How much code there is in the Lambda functions."""

from __future__ import annotations

import ast
import io
import tokenize
from typing import TYPE_CHECKING

from benchmarks import children
from benchmarks.figures import Figure, Limit, Section

if TYPE_CHECKING:
    from pathlib import Path

_LAMBDA = children.ROOT / "lambda"
_LINES = Limit(most=1700)
_LINES_OF_A_FILE = Limit(most=220)
_NO_CODE = frozenset(
    (
        tokenize.COMMENT,
        tokenize.NL,
        tokenize.NEWLINE,
        tokenize.INDENT,
        tokenize.DEDENT,
        tokenize.ENDMARKER,
    )
)


def lines_of_code(path: Path) -> int:
    """Return the lines of a file that are neither blank, nor comments, nor docstrings."""
    source = path.read_text(encoding="utf-8")
    lines: set[int] = set()
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type not in _NO_CODE:
            lines.update(range(token.start[0], token.end[0] + 1))
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Expr(value=ast.Constant(value=str())):
                lines -= set(range(node.lineno, (node.end_lineno or node.lineno) + 1))
    return len(lines)


def measure() -> list[Section]:
    """Count."""
    lines = {path: lines_of_code(path) for path in sorted(_LAMBDA.rglob("*.py"))}
    longest = max(lines, key=lambda path: lines[path])
    of_audit = sum(count for path, count in lines.items() if path.parent.name == "audit")
    return [
        Section(
            title="The code of the Lambda functions",
            method=(
                "Lines without blank ones, comments and docstrings. Before the ledger there were "
                "2,983, and neither rosters by name or by rule nor an audit."
            ),
            figures=(
                Figure(
                    name="lines of the two handlers",
                    ours=sum(lines.values()) - of_audit,
                    limit=_LINES,
                ),
                Figure(name="lines of the audit", ours=of_audit),
                Figure(
                    name=f"lines of the longest file, {longest.name}",
                    ours=lines[longest],
                    limit=_LINES_OF_A_FILE,
                ),
                Figure(name="files", ours=sum(count > 0 for count in lines.values())),
            ),
        )
    ]
