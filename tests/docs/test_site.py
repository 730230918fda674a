"""The documentation as a site: complete, without odd links, and by itself."""

from __future__ import annotations

import json
import os
import re
import runpy
import subprocess
import sys
from html.parser import HTMLParser
from typing import TYPE_CHECKING

import pytest
from mkdocs.config import load_config
from mkdocs.structure.files import File
from mkdocs.structure.pages import Page

import connect_associations
from connect_associations import testing
from documents import ROOT

if TYPE_CHECKING:
    from pathlib import Path

    from mkdocs.config.defaults import MkDocsConfig

_ASSETS = {
    "link": "href",
    "script": "src",
    "img": "src",
    "iframe": "src",
    "source": "src",
    "video": "src",
    "audio": "src",
    "embed": "src",
    "object": "data",
}
"""What a browser loads by itself, by the attribute that names it."""

_LOADED_BY_STYLES = re.compile(r"@import\s+[^;]+|url\(([^)]*)\)")


class Assets(HTMLParser):
    """Collects what a page loads."""

    def __init__(self) -> None:
        super().__init__()
        self.urls: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        url = dict(attrs).get(_ASSETS.get(tag, ""))
        if url:
            self.urls.append(url)


def assets(page: str) -> list[str]:
    parser = Assets()
    parser.feed(page)
    return parser.urls


def is_external(url: str) -> bool:
    return url.strip(" '\"").startswith(("http:", "https:", "//"))


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    done = subprocess.run(  # noqa: S603 - our own documentation
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(folder)],
        cwd=ROOT,
        env={**os.environ, "NO_MKDOCS_2_WARNING": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


def test_pages_load_nothing_from_elsewhere(site: Path) -> None:
    loaded = {
        page: assets(page.read_text(encoding="utf-8")) for page in sorted(site.rglob("*.html"))
    }
    assert all(loaded.values()), "every page has styles and scripts of the theme"
    assert {url for urls in loaded.values() for url in urls if is_external(url)} == set()


def test_styles_load_nothing_from_elsewhere(site: Path) -> None:
    styles = "".join(style.read_text(encoding="utf-8") for style in site.rglob("*.css"))
    found = [match[1] or match[0] for match in _LOADED_BY_STYLES.finditer(styles)]
    assert found
    assert [url for url in found if is_external(url) or "http" in url.partition("data:")[0]] == []


def test_what_is_loaded_from_elsewhere_would_be_found() -> None:
    page = '<link rel="stylesheet" href="https://fonts.example/css"><a href="https://x.example">'
    assert [url for url in assets(page) if is_external(url)] == ["https://fonts.example/css"]


def test_the_reference_has_every_public_name(site: Path) -> None:
    for page, package in (("constructs", connect_associations), ("testing", testing)):
        html = (site / "reference" / f"{page}.html").read_text(encoding="utf-8")
        names = [name for name in package.__all__ if not name.startswith("__")]
        missing = [name for name in names if f'id="{package.__name__}.{name}"' not in html]
        assert missing == []


def test_the_reference_has_no_marks_of_another_tool(site: Path) -> None:
    for page in (site / "reference").glob("*.html"):
        text = re.sub(r"<[^>]+>", "", page.read_text(encoding="utf-8"))
        assert re.findall(r":\w+:`|`_|:param \w+:|:ivar \w+:", text) == []


def test_nothing_tells_where_it_was_built(site: Path) -> None:
    built = [*site.rglob("*.html"), *site.rglob("*.json"), site / "objects.inv"]
    assert [page for page in built if str(ROOT).encode() in page.read_bytes()] == []


def test_the_reference_has_no_private_names(site: Path) -> None:
    text = re.sub(r"<[^>]+>", "", page_content(site / "reference" / "constructs.html"))
    assert (
        re.findall(r"(?<![\w.])_[a-z]\w+|\b(?:Permissions|Declarations|Environment)\b", text) == []
    )


def test_the_reference_gives_each_default_once(site: Path) -> None:
    items = re.findall(
        r"<li class=\"doc-section-item.*?</li>",
        page_content(site / "reference" / "constructs.html"),
        re.DOTALL,
    )
    in_words = [item for item in items if "Default:" in item]
    assert len(in_words) > 20
    assert [item for item in in_words if "default:" in item] == []


def page_content(page: Path) -> str:
    return page.read_text(encoding="utf-8").partition("<article")[2].partition("</article>")[0]


def test_every_construct_has_an_example(site: Path) -> None:
    html = page_content(site / "reference" / "constructs.html")
    names = [name for name in connect_associations.__all__ if not name.startswith("__")]
    assert [name for name in names if f'<span class="n">{name}</span>' not in html] == []


def test_diagrams_are_drawn_by_a_script_of_the_site(site: Path) -> None:
    script = site / "assets" / "javascripts" / "mermaid.js"
    assert script.stat().st_size > 0
    drawn = 0
    for page in site.rglob("*.html"):
        html = page.read_text(encoding="utf-8")
        scripts = [url for url in assets(html) if url.endswith("/mermaid.js")]
        if '<pre class="mermaid">' in html:
            assert [(page.parent / url).resolve() for url in scripts] == [script.resolve()]
            drawn += 1
        else:
            assert scripts == []
    assert drawn


SEARCHES = {
    "move agents": "guides/move-agents.html",
    "csv": "guides/hundreds-of-agents.html",
    "failover": "guides/two-regions.html",
    "share ledger": "guides/several-stacks.html",
    "put back what is missing": "guides/command-line.html",
    "hotswap": "guides/deploy.html",
    "typescript": "guides/other-languages.html",
    "pipeline": "guides/pipelines.html",
    "terraform": "why.html",
}


def test_the_search_finds_the_guide_first(site: Path) -> None:
    done = subprocess.run(  # noqa: S603 - our own program
        [ROOT / ".venv" / "bin" / "node", ROOT / "tests" / "docs" / "search.cjs", site, *SEARCHES],
        capture_output=True,
        text=True,
        check=True,
    )
    found = json.loads(done.stdout)
    assert dict(zip(SEARCHES, (pages[0] for pages in found), strict=True)) == SEARCHES


def test_the_search_works_in_pages_that_are_opened_as_files(site: Path) -> None:
    index = (site / "search" / "search_index.json").read_text(encoding="utf-8")
    assert (site / "search" / "search_index.js").read_text(encoding="utf-8").endswith(index)
    start = (site / "index.html").read_text(encoding="utf-8")
    assert "assets/javascripts/iframe-worker.js" in assets(start)
    assert (site / "assets" / "javascripts" / "iframe-worker.js").stat().st_size > 0


def configured(monkeypatch: pytest.MonkeyPatch, repository: str) -> MkDocsConfig:
    hook = runpy.run_path(str(ROOT / "docs" / "_site" / "pages.py"))
    monkeypatch.setitem(hook["on_config"].__globals__, "_repository", lambda: repository)
    config: MkDocsConfig = load_config(str(ROOT / "mkdocs.yml"))
    configured: MkDocsConfig = hook["on_config"](config)
    return configured


def test_pages_lead_to_their_source_once_the_repository_is_known(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert not configured(monkeypatch, "").repo_url
    config = configured(monkeypatch, "https://github.com/example/project")
    page = Page(None, File("guides/deploy.md", "docs", "site", use_directory_urls=False), config)
    assert page.edit_url == "https://github.com/example/project/edit/main/docs/guides/deploy.md"


def test_only_a_site_with_several_versions_has_a_selector(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MIKE_DOCS_VERSION", raising=False)
    assert "version" not in configured(monkeypatch, "").extra
    monkeypatch.setenv("MIKE_DOCS_VERSION", "1.2")
    assert configured(monkeypatch, "").extra["version"] == {"provider": "mike"}


def test_there_is_a_light_and_a_dark_mode(site: Path) -> None:
    start = (site / "index.html").read_text(encoding="utf-8")
    assert set(re.findall(r'data-md-color-scheme="(\w+)" data-md-color-primary', start)) >= {
        "default",
        "slate",
    }
    assert "prefers-color-scheme: dark" in (site / "images" / "flow.svg").read_text("utf-8")
