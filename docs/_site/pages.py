"""A hook of MkDocs: pages from the root of the repository, and folders in the navigation."""

# ruff: noqa: INP001 - MkDocs loads this file by its path

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mkdocs.structure.files import File

if TYPE_CHECKING:
    from mkdocs.config.defaults import MkDocsConfig
    from mkdocs.structure.files import Files
    from mkdocs.structure.pages import Page

_ROOT = Path(__file__).resolve().parents[2]
_PAGES = {"CONTRIBUTING.md": "contributing.md", "CHANGELOG.md": "changelog.md"}


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Put the pages of a folder in place of ``folder/*``, those that are listed already left out.

    So a new decision needs no line in mkdocs.yml.
    """
    nav = config.nav or []
    config.nav = _expand(nav, listed=set(_leaves(nav)), docs=Path(config.docs_dir))
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages from the root, with links that lead to the same place from inside of docs/."""
    for source, page in _PAGES.items():
        text = (_ROOT / source).read_text(encoding="utf-8")
        text = re.sub(r"\]\(docs/", "](", text)
        files.append(File.generated(config, page, content=text))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Lead links to the root, which work where the source is read, to the pages of the site."""
    del config, files
    up = "../" * page.file.src_uri.count("/")
    for source, target in _PAGES.items():
        markdown = markdown.replace(f"]({up}../{source}", f"]({up}{target}")
    return markdown


def _leaves(nav: Any) -> list[str]:  # noqa: ANN401 - the part of a YAML file
    match nav:
        case list():
            return [leaf for item in nav for leaf in _leaves(item)]
        case dict():
            return [leaf for item in nav.values() for leaf in _leaves(item)]
    return [nav]


def _expand(nav: list[Any], *, listed: set[str], docs: Path) -> list[Any]:
    expanded: list[Any] = []
    for item in nav:
        match item:
            case str() if item.endswith("/*"):
                pages = sorted((docs / item[:-2]).glob("*.md"))
                names = [str(page.relative_to(docs)) for page in pages]
                expanded += [name for name in names if name not in listed]
            case dict():
                expanded.append(
                    {
                        title: _expand(below, listed=listed, docs=docs)
                        if isinstance(below, list)
                        else below
                        for title, below in item.items()
                    }
                )
            case _:
                expanded.append(item)
    return expanded
