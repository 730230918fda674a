"""What the distributions' metadata say about where the project lives, from one setting.

Hatchling runs this file. The setting is ``repository`` in ``pyproject.toml``. The README links to
files of the repository. On PyPI such links lead nowhere, so they become absolute.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from hatchling.metadata.plugin.interface import MetadataHookInterface

_LINK = re.compile(r"(?P<image>!?)\[(?P<text>[^\]]*)\]\((?P<path>(?!https?:|#)[^)\s]+)\)")
"""A link or an image that points into the repository."""


class Links(MetadataHookInterface):
    """Adds the README and the project's URLs to the metadata."""

    PLUGIN_NAME = "custom"

    def update(self, metadata: dict[str, Any]) -> None:
        """Set ``readme`` and ``urls``."""
        repository = str(self.config["repository"]).rstrip("/")
        readme = (Path(self.root) / "README.md").read_text(encoding="utf-8")
        metadata["readme"] = {
            "content-type": "text/markdown",
            "text": absolute(readme, repository=repository, version=str(metadata["version"])),
        }
        metadata["urls"] = urls(repository)


def urls(repository: str) -> dict[str, str]:
    """Return the project's URLs by the labels that PyPI knows.

    :param repository: the repository on GitHub, without a slash at the end; empty if there is none
        yet, which gives no URLs.
    """
    if not repository:
        return {}
    return {
        "Source": repository,
        "Documentation": f"{repository}/tree/HEAD/docs",
        "Changelog": f"{repository}/blob/HEAD/CHANGELOG.md",
        "Issues": f"{repository}/issues",
        "Security": f"{repository}/security/policy",
    }


def absolute(readme: str, *, repository: str, version: str) -> str:
    """Return the README as PyPI shows it: links and images lead to the release's tag.

    Without a repository there is nowhere to lead to. The text of a link then stands alone, and
    images are left out.

    :param readme: the Markdown of the repository.
    :param repository: as for :func:`urls`.
    :param version: the version that is built.
    """

    def lead(link: re.Match[str]) -> str:
        if not repository:
            return "" if link["image"] else link["text"]
        view = "raw" if link["image"] else "blob"
        return f"{link['image']}[{link['text']}]({repository}/{view}/v{version}/{link['path']})"

    return _LINK.sub(lead, readme)
