"""A hook of MkDocs: what the site needs beyond its pages in ``docs/``."""

# ruff: noqa: INP001 - MkDocs loads this file by its path

from __future__ import annotations

import os
import re
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mkdocs.exceptions import PluginError
from mkdocs.structure.files import File

if TYPE_CHECKING:
    from mkdocs.config.defaults import MkDocsConfig
    from mkdocs.structure.files import Files
    from mkdocs.structure.pages import Page

_ROOT = Path(__file__).resolve().parents[2]
_PAGES = {
    "CONTRIBUTING.md": "contributing.md",
    "CHANGELOG.md": "changelog.md",
    "SECURITY.md": "security-policy.md",
}
"""Pages from the root of the repository, and what they are called in the site."""

_SCRIPTS = {
    # Draws diagrams. Without it, the theme asks a CDN.
    "mermaid.js": "@mermaid-js/tiny/dist/mermaid.tiny.js",
    # Lets the search run in pages that are opened as files.
    "iframe-worker.js": "iframe-worker/shim/index.js",
}
"""Scripts of the site, and where npm has put them."""

_SCRIPTS_FOLDER = "assets/javascripts"
_DIAGRAM = '<pre class="mermaid">'

_BOOSTS = {"": 2.0, "guides": 4.0}
"""How much a page in a folder counts in the search, so that a guide comes first."""

_RECORDS = {"assumptions.md", "benchmarks.md", "changelog.md", "contributing.md", "nag-report.md"}
"""Pages that mention everything and answer no question: they come last, as other folders do."""

_BOOST_OF_RECORDS = 0.1


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Put the pages of a folder in place of ``folder/*``, those that are listed already left out.

    So a new decision needs no line in mkdocs.yml. Once pyproject.toml names the repository, pages
    link to their source. mike, which keeps one site a version, turns the version selector on.
    """
    nav = config.nav or []
    config.nav = _expand(nav, listed=set(_leaves(nav)), docs=Path(config.docs_dir))
    if repository := _repository():
        config.repo_url = repository
        config.repo_name = "Repository"
        config.edit_uri = "edit/main/docs/"
    if "MIKE_DOCS_VERSION" in os.environ:
        config.extra["version"] = {"provider": "mike"}
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages from the root, with links that lead to the same place from inside of docs/."""
    for source, page in _PAGES.items():
        text = (_ROOT / source).read_text(encoding="utf-8")
        text = re.sub(r"\]\(docs/", "](", text)
        for other, target in _PAGES.items():
            text = text.replace(f"]({other}", f"]({target}")
        file = File.generated(config, page, content=text)
        file.edit_uri = f"../{source}"
        files.append(file)
    for name, source in _SCRIPTS.items():
        path = _ROOT / "node_modules" / source
        if not path.is_file():
            raise PluginError(f"node_modules/{source} is missing: run `make set-up`")
        uri = f"{_SCRIPTS_FOLDER}/{name}"
        files.append(File.generated(config, uri, content=path.read_text(encoding="utf-8")))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Lead links to the root, which work where the source is read, to the pages of the site."""
    del config, files
    uri = page.file.src_uri
    folder = "records" if uri in _RECORDS else uri.rpartition("/")[0]
    page.meta.setdefault("search", {"boost": _BOOSTS.get(folder, _BOOST_OF_RECORDS)})
    up = "../" * uri.count("/")
    for source, target in _PAGES.items():
        markdown = markdown.replace(f"]({up}../{source}", f"]({up}{target}")
    return markdown


def on_post_page(output: str, page: Page, config: MkDocsConfig) -> str:
    """Give a page with diagrams the script that draws them."""
    del config
    if _DIAGRAM not in output:
        return output
    source = "../" * page.file.dest_uri.count("/") + f"{_SCRIPTS_FOLDER}/mermaid.js"
    return output.replace("</body>", f'<script src="{source}"></script></body>', 1)


def _repository() -> str:
    settings = tomllib.loads((_ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    return str(settings["tool"]["hatch"]["metadata"]["hooks"]["custom"]["repository"])


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
