"""An extension of Griffe: our docstrings, as the Markdown of the site."""

# ruff: noqa: INP001 - mkdocstrings loads this file by its path

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import griffe

if TYPE_CHECKING:
    from typing import Any

_ROLE = re.compile(r":(?P<kind>class|meth|attr|func|data):`~?(?P<target>[\w.]+)`")
_LINK = re.compile(r"`(?P<text>[^`<]+?)\s*<(?P<url>https?://[^>]+)>`_")
_DEFAULT_IN_WORDS = re.compile(
    r":param (?P<name>\w+):(?:(?!^\s*:\w).)*?\bDefault: ", re.MULTILINE | re.DOTALL
)


class Docstrings(griffe.Extension):
    """Turns what Sphinx would render into what the site renders."""

    def on_object(self, *, obj: griffe.Object, **_: Any) -> None:  # noqa: ANN401 - Griffe's hook
        """Rewrite the object's docstring."""
        if obj.docstring:
            obj.docstring.value = translate(obj.docstring.value)

    def on_class(self, *, cls: griffe.Class, **_: Any) -> None:  # noqa: ANN401 - Griffe's hook
        """Leave out a default of the signature that the class's docstring gives in words.

        ``None`` often stands for something else: a reader would find two defaults.
        """
        constructor = cls.members.get("__init__")
        if cls.docstring and isinstance(constructor, griffe.Function):
            _leave_out_defaults(constructor, described_by=cls.docstring)

    def on_function(self, *, func: griffe.Function, **_: Any) -> None:  # noqa: ANN401 - Griffe's hook
        """Leave out the defaults of a function, as those of a constructor."""
        if func.docstring:
            _leave_out_defaults(func, described_by=func.docstring)


def translate(docstring: str) -> str:
    """Return the docstring with Markdown in place of roles and links."""
    docstring = _ROLE.sub(_code, docstring)
    docstring = _LINK.sub(r"[\g<text>](\g<url>)", docstring)
    # The CDK marks a default in words with a hyphen, which Markdown takes for a list.
    return docstring.replace("Default: - ", "Default: ")


def _leave_out_defaults(function: griffe.Function, *, described_by: griffe.Docstring) -> None:
    for match in _DEFAULT_IN_WORDS.finditer(described_by.value):
        for parameter in function.parameters:
            if parameter.name == match["name"]:
                parameter.default = None


def _code(role: re.Match[str]) -> str:
    name = role["target"].rpartition(".")[2]
    return f"`{name}()`" if role["kind"] in {"meth", "func"} else f"`{name}`"
