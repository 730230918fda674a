"""The documentation as a site: complete, without odd links, and by itself."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from html.parser import HTMLParser
from typing import TYPE_CHECKING

import pytest

import connect_associations
from connect_associations import testing
from documents import ROOT

if TYPE_CHECKING:
    from pathlib import Path

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


def test_the_search_works_offline(site: Path) -> None:
    assert (site / "search" / "search_index.json").stat().st_size
