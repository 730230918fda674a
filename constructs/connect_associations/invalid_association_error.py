"""The error that a declaration raises at synth, with everything that is wrong with it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from constructs import Construct


class InvalidAssociationError(ValueError, RuntimeError):
    """A construct's properties cannot be deployed, alone or together with another construct's.

    What is wrong with one construct is raised where the construct is created. What can only be told
    of all of them is found when the app is synthesized, in the same words; the CDK reports it as a
    ``RuntimeError``, which this error is too, so that one type stands for all of them.

    :param path: the path of the construct in the tree.
    :param problems: one sentence for each problem, each beginning with the property's name.
    """

    def __init__(self, path: str, problems: Iterable[str]) -> None:
        self.path = path
        self.problems = tuple(problems)
        listed = "".join(f"\n  - {problem}" for problem in self.problems)
        super().__init__(f"{path} cannot be deployed:{listed}")


def raise_problems(scope: Construct, construct_id: str, problems: Iterable[str]) -> None:
    """Raise all *problems* of a construct at once, if there are any.

    :param scope: the construct's parent; the construct itself need not exist yet.
    :param construct_id: the construct's ID below its parent.
    :param problems: one sentence for each problem.
    :raises InvalidAssociationError: there are problems.
    """
    if listed := list(problems):
        raise InvalidAssociationError(f"{scope.node.path}/{construct_id}".lstrip("/"), listed)
