"""An extension of Griffe: the roles of Sphinx in our docstrings, as Markdown."""

# ruff: noqa: INP001 - mkdocstrings loads this file by its path

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import griffe

if TYPE_CHECKING:
    from typing import Any

_ROLE = re.compile(r":(?P<kind>class|meth|attr):`~?(?P<target>[\w.]+)`")
_LINK = re.compile(r"`(?P<text>[^`<]+?)\s*<(?P<url>https?://[^>]+)>`_")


class SphinxRoles(griffe.Extension):
    """Turns what Sphinx would render into what the Markdown of the site renders."""

    def on_object(self, *, obj: griffe.Object, **_: Any) -> None:  # noqa: ANN401 - Griffe's hook
        """Rewrite the object's docstring."""
        if obj.docstring:
            obj.docstring.value = translate(obj.docstring.value)


def translate(docstring: str) -> str:
    """Return the docstring with Markdown in place of roles and links."""
    docstring = _ROLE.sub(_code, docstring)
    docstring = _LINK.sub(r"[\g<text>](\g<url>)", docstring)
    # The CDK marks a default in words with a hyphen, which Markdown takes for a list.
    return docstring.replace("Default: - ", "Default: ")


def _code(role: re.Match[str]) -> str:
    name = role["target"].rpartition(".")[2]
    return f"`{name}()`" if role["kind"] == "meth" else f"`{name}`"
