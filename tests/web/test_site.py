"""The web service: pages, the files that they load, and how long a browser keeps them."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient

import web.app
import web.settings
from tests.support.problem_checks import assert_problem
from web.site import FOLDER, read_site

PAGES = {"index": "/site/", "suite": "/site/suite"}
IMPORT = re.compile(r'(?:import|from)\s*\(?\s*"\./([\w-]+\.js)"')
STATIC_IMPORT = re.compile(r'^import [^(;]*?"\./([\w-]+\.js)";', re.MULTILINE)
"""Not `import("./board.js")`, which loads the module when it is needed."""
USES = (IMPORT, r"/static/current/([\w.-]+)", r'"src": "([\w.-]+)"', r'@import "([\w.-]+)"', r'new URL\("\./([\w.-]+)"')
"""How files name others."""
ENTRY = re.compile(r'<script type="module" src="/static/current/([\w-]+\.js)"')


def make_settings(*, suite: bool = True) -> web.settings.Settings:
    return web.settings.Settings(_env_file=None, instance="web.1", suite=suite)


@pytest.fixture
def client() -> Iterator[TestClient]:
    with TestClient(web.app.create_app(make_settings())) as client:
        yield client


@pytest.mark.parametrize("path", PAGES.values())
def test_page_is_asked_for_again_each_time(client: TestClient, path: str) -> None:
    response = client.get(path)
    assert response.status_code == 200
    assert response.headers["Content-Type"] == "text/html; charset=utf-8"
    assert response.headers["Cache-Control"] == "no-cache"
    again = client.get(path, headers={"If-None-Match": response.headers["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["ETag"] == response.headers["ETag"]
    # an ETag that a proxy has weakened
    assert client.get(path, headers={"If-None-Match": f"W/{response.headers['ETag']}"}).status_code == 304
    assert client.get(path, headers={"If-None-Match": '"0123456789abcdef"'}).status_code == 200


@pytest.mark.parametrize("path", PAGES.values())
def test_files_of_a_page_may_be_kept_for_a_year(client: TestClient, path: str) -> None:
    urls = re.findall(r'(?:href|src)="(/static/[^"]+)"', client.get(path).text)
    assert len(urls) >= 4
    for url in urls:
        response = client.get(f"/site{url}")
        assert response.status_code == 200, url
        assert response.headers["Cache-Control"] == "public, max-age=31536000, immutable"
        assert "ETag" not in response.headers


@pytest.mark.parametrize("path", ["/site/yesterday", "/site/practice"])
def test_other_puzzles_have_the_same_page(client: TestClient, path: str) -> None:
    assert client.get(path).content == client.get(PAGES["index"]).content


def test_page_takes_any_parameters(client: TestClient) -> None:
    """Those who share a link may have added some."""
    assert client.get("/site/?utm_source=mail&utm_source=again").status_code == 200


def test_unknown_hash_gets_the_current_file_and_is_not_kept(client: TestClient) -> None:
    name = "board.js"
    current = client.get(f"/site/static/{read_site(with_suite=True).hash}/{name}")
    other = client.get(f"/site/static/0123456789abcdef/{name}")
    assert other.status_code == 200
    assert other.content == current.content
    assert other.headers["Cache-Control"] == "no-cache"
    again = client.get(f"/site/static/0123456789abcdef/{name}", headers={"If-None-Match": other.headers["ETag"]})
    assert again.status_code == 304


@pytest.mark.parametrize("path", ["nowhere", "docs", "health", "static/0/nothing.js", "static/0/../app.py", "static//"])
def test_unknown_page_is_a_page(client: TestClient, path: str) -> None:
    response = client.get(f"/site/{path}")
    assert response.status_code == 404
    assert response.headers["Content-Type"] == "text/html; charset=utf-8"
    assert "no such page" in response.text


def test_path_outside_of_the_site_is_problem_details(client: TestClient) -> None:
    assert assert_problem(client.get("/nowhere"), 404) == "There is nothing at this path."
    assert assert_problem(client.post("/site/nowhere"), 405) == "POST is not possible here; use GET, HEAD."


def test_suite_page_can_be_left_out() -> None:
    with TestClient(web.app.create_app(make_settings(suite=False))) as client:
        assert client.get(PAGES["suite"]).status_code == 404
        assert "/suite" not in client.get(PAGES["index"]).text
    with TestClient(web.app.create_app(make_settings())) as client:
        assert 'href="/suite"' in client.get(PAGES["index"]).text


def test_hash_depends_on_every_byte_that_is_loaded() -> None:
    assert read_site(with_suite=True).hash == read_site(with_suite=False).hash
    site = read_site(with_suite=True)
    assert re.fullmatch("[0-9a-f]{16}", site.hash)
    assert f"/static/{site.hash}/" in site.pages["index"].content.decode()
    assert b"/static/current/" not in b"".join(page.content for page in site.pages.values())


def find_modules(page: str) -> set[str]:
    """The modules that a page loads when it opens: its entry and what that imports, directly or not."""
    waiting = ENTRY.findall((FOLDER / "pages" / f"{page}.html").read_text(encoding="utf-8"))
    found: set[str] = set()
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting += STATIC_IMPORT.findall((FOLDER / "static" / name).read_text(encoding="utf-8"))
    return found


@pytest.mark.parametrize("page", PAGES)
def test_every_module_that_a_page_needs_at_once_is_preloaded(page: str) -> None:
    html = (FOLDER / "pages" / f"{page}.html").read_text(encoding="utf-8")
    preloaded = set(re.findall(r'rel="modulepreload" href="/static/current/([\w-]+\.js)"', html))
    entries = set(ENTRY.findall(html))
    assert len(entries) == 1
    assert preloaded | entries == find_modules(page)


def test_every_file_is_used() -> None:
    sources = [path for path in FOLDER.rglob("*.*") if path.suffix in {".css", ".html", ".js", ".webmanifest"}]
    text = "\n".join(path.read_text(encoding="utf-8") for path in sources)
    used = {name for pattern in USES for name in re.findall(pattern, text)}
    assert used == {path.name for path in (FOLDER / "static").iterdir()}


def test_texts_are_those_that_are_shown() -> None:
    texts = (FOLDER / "static" / "texts.js").read_text(encoding="utf-8")
    sources = [path for path in FOLDER.rglob("*.*") if path.suffix in {".html", ".js"} and path.name != "texts.js"]
    text = "\n".join(path.read_text(encoding="utf-8") for path in sources)
    names = re.findall(r"^  (\w+):", texts, re.MULTILINE)
    defined = set(names)
    assert len(names) == len(defined), "a text is defined twice, and the second one is shown for both"
    used = {*re.findall(r'data-(?:text|label)="(\w+)"', text), *re.findall(r"\bTEXTS\.(\w+)", text)}
    assert len(used) > 50
    assert used <= defined
    assert [name for name in defined - used if not re.search(rf"\b{name}\b", text)] == []  # as in TEXTS[key]


@pytest.mark.parametrize("path", sorted((FOLDER / "pages").iterdir()), ids=lambda path: str(path.name))
def test_pages_have_nothing_inline_and_name_no_other_host(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert not re.search(r"<style|\sstyle=|\son\w+=|javascript:|https?://", text)
    assert not re.search(r"<script(?![^>]*\ssrc=)", text)
