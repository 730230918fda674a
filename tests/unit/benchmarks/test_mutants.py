"""What `make mutants` leaves alone: texts for people."""

from __future__ import annotations

import ast

from tools import mutants

SOURCE = """\
def check(user):
    if not user:
        raise InvalidError(
            f"{user} is "
            "missing"
        )
    if user < 2:
        raise StillWaiting("later", shared=False)
    _LOGGER.info(
        "%s is there", user
    )
    raise CallError(
        "so it is",
        code=user + 1,
    )
"""


def test_lines_with_messages_are_left_out_and_decisions_are_not() -> None:
    marked = mutants._lines_of_texts(ast.parse(SOURCE))  # noqa: SLF001 - what decides
    assert marked == {3, 4, 5, 8, 9, 10, 11, 12, 13}


def test_marks_change_nothing_else() -> None:
    marked = mutants._without_texts(SOURCE)  # noqa: SLF001 - as above
    assert ast.dump(ast.parse(marked)) == ast.dump(ast.parse(SOURCE))
    assert marked.count("# pragma: no mutate") == 9
